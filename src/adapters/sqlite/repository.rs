//! The port over connections, threads and the election; and the order in which they end.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use super::{
    error::io_failed,
    housekeeping::{self, StorageStatistics},
    open,
    options::{Executor, SqliteOptions},
    owner::Ownership,
    queue::Queue,
    reader::{ReadTask, Slot},
    users::Users,
    watcher::{self, Stop},
    writer::{WriteTask, Writer},
};
use crate::domain::ports::{
    ChatRepository, Durability, RepositoryError, Revision,
    chat_repository::{Job, RowResult},
};

/// So that a long search does not hold up a page.
const READERS: usize = 2;

/// A store in one SQLite file.
///
/// Dropping it without [`ChatRepository::close`] finishes in the background what was handed over.
/// After the close, [`ChatRepository::changed`] and [`ChatRepository::became_owner`] wait for ever.
pub struct SqliteRepository {
    core: Arc<Core>,
    /// Under [`Executor::Inline`]; `None` on threads, and after the close.
    inline: Option<Mutex<Option<Inline>>>,
}

/// What the threads share.
struct Core {
    options: SqliteOptions,
    writer: Mutex<Writer>,
    writes: Queue<WriteTask>,
    /// One place for each reader; the inline one uses the first.
    readers: Vec<Slot>,
    reads: Queue<ReadTask>,
    revision: watch::Sender<u64>,
    ownership: Ownership,
    /// `None` after the close.
    users: Mutex<Option<Users>>,
    salvages: AtomicU64,
    stop: Stop,
    closed: watch::Sender<bool>,
}

/// What has no thread of its own.
struct Inline {
    watcher: Option<JoinHandle<()>>,
}

impl SqliteRepository {
    /// Opens the store, creating or migrating the file.
    ///
    /// Blocks for some milliseconds, longer after a kill or at a migration.
    ///
    /// A file that is damaged, or that is no database, is moved aside and kept, and a fresh store
    /// begins with everything that was unsent, every draft and what else could be read of it;
    /// [`rules::salvage::word`](crate::domain::rules::salvage::word) tells of it.
    ///
    /// # Errors
    /// [`RepositoryError::Newer`] for a later version's file and [`RepositoryError::Foreign`] for
    /// another program's database, both left exactly as they were; [`RepositoryError::Corrupt`]
    /// for a damaged one that another process has open; [`RepositoryError::Unavailable`] where the
    /// file cannot be written or is locked.
    pub fn open(options: SqliteOptions) -> Result<Arc<Self>, RepositoryError> {
        let (opened, users) = open::store(&options)?;
        let core = Arc::new(Core {
            writer: Mutex::new(Writer::new(opened, &options)?),
            writes: Queue::new(),
            readers: slots(&options)?,
            reads: Queue::new(),
            revision: watch::Sender::new(0),
            ownership: Ownership::new(&options)?,
            users: Mutex::new(Some(users)),
            salvages: AtomicU64::new(0),
            stop: Stop::default(),
            closed: watch::Sender::new(false),
            options,
        });
        let inline = match core.options.executor {
            Executor::Thread => start_threads(&core).map(|()| None),
            Executor::Inline => start_inline(&core).map(Some),
        };
        // Threads that did start must not outlive a failed open.
        let inline = inline.inspect_err(|_| core.shut())?;
        let inline = inline.map(|inline| Mutex::new(Some(inline)));
        Ok(Arc::new(Self { core, inline }))
    }

    /// Lets the file grow to that many pages and no further, as a full disk would.
    ///
    /// # Errors
    /// [`RepositoryError::Closed`], or what SQLite said.
    #[cfg(feature = "testing")]
    pub fn limit_pages(&self, pages: u32) -> Result<(), RepositoryError> {
        self.core.writer().limit_pages(pages)
    }

    /// Reads every page and every index and looks whether all fits. A file that is damaged is
    /// replaced as one that was found so in use.
    ///
    /// Takes milliseconds for ten thousand messages, and seconds for a million.
    ///
    /// # Errors
    /// [`RepositoryError::Corrupt`] where it was damaged; what the store says otherwise.
    pub async fn verify(&self) -> Result<(), RepositoryError> {
        self.apart(Core::verify).await
    }

    /// How large the store is, and what is in it. Counts, so it takes longer for larger ones.
    ///
    /// # Errors
    /// The store's.
    pub async fn statistics(&self) -> Result<StorageStatistics, RepositoryError> {
        self.apart(|core| {
            let db = open::reader(&core.options)?;
            housekeeping::statistics(&db, &core.options.path)
        })
        .await
    }

    /// Gives free space back to the system, and with it the last traces of what was deleted.
    /// Writes wait meanwhile.
    ///
    /// # Errors
    /// The store's; nothing was changed then.
    pub async fn vacuum(&self) -> Result<(), RepositoryError> {
        self.apart(|core| core.writer().vacuum()).await
    }

    /// Closes the store and leaves nothing of it: database, log, spare and what was moved aside
    /// are overwritten and removed. A kill in between is made good by the next opening.
    ///
    /// # Errors
    /// `Unavailable` where another process has it open; else the disk's. The store is closed all
    /// the same.
    pub async fn wipe(&self) -> Result<(), RepositoryError> {
        let path = self.core.options.path.clone();
        self.close().await;
        let (users, alone) = Users::enter(&path, Duration::ZERO)?;
        match alone {
            true => housekeeping::wipe(&path).and_then(|()| users.share()),
            false => Err(RepositoryError::Unavailable(
                "another process has it open".into(),
            )),
        }
    }

    /// Work that takes its time: on a thread of its own, or on the caller where all is.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> RowResult<T> + Send + 'static,
    ) -> RowResult<T> {
        let core = Arc::clone(&self.core);
        if !core.writer().is_open() {
            return Err(RepositoryError::Closed);
        }
        if self.inline.is_some() {
            return work(&core);
        }
        let (reply, answer) = oneshot::channel();
        spawn("tidings-apart", move || {
            let _ = reply.send(work(&core));
        })?;
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    fn lock_inline(slot: &Mutex<Option<Inline>>) -> MutexGuard<'_, Option<Inline>> {
        slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the end; on threads, [`finish`] does the rest.
    fn shut(&self) {
        self.core.shut();
        if let Some(inline) = self
            .inline
            .as_ref()
            .and_then(|slot| Self::lock_inline(slot).take())
        {
            let _announce = Announce(Arc::clone(&self.core));
            finish(&self.core, inline.watcher);
        }
    }
}

/// Names no path: a log is no place for it.
impl fmt::Debug for SqliteRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRepository")
            .field("revision", &self.revision())
            .field("owner", &self.is_owner())
            .finish_non_exhaustive()
    }
}

impl Drop for SqliteRepository {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Core {
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is taken any more; what waits is still done.
    fn shut(&self) {
        self.reads.close();
        self.writes.close();
        self.stop.stop();
    }

    /// Replaces a file that turned out to be damaged while in use, once: should the fresh one be
    /// called damaged too, the fault is not the disk's.
    fn repair(&self) {
        let mut writer = self.writer();
        if !writer.is_open() || self.salvages.swap(1, Ordering::Relaxed) > 0 {
            return;
        }
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(users) = users.as_ref() else { return };
        // Closed before the file moves, or they would take their log's new name for their own.
        let vacated: Vec<_> = self.readers.iter().map(Slot::vacate).collect();
        writer.let_go();
        let replaced = users.alone(|| open::replaced(&self.options));
        let opened = replaced.or_else(|_| open::beside_others(&self.options));
        match opened.and_then(|opened| Writer::new(opened, &self.options)) {
            Ok(anew) => *writer = anew,
            Err(error) => tracing::error!(code = error.code(), "storage.not_salvaged"),
        }
        drop(vacated);
        self.revision.send_modify(|revision| *revision += 1);
    }

    /// Looks at every page, on a connection of its own.
    fn verify(&self) -> RowResult<()> {
        let whole = open::reader(&self.options).and_then(|db| open::must_be_whole(&db));
        if whole == Err(RepositoryError::Corrupt) {
            self.repair();
        }
        whole
    }

    /// Runs the job on that reader.
    fn read(&self, reader: usize, job: Job) -> RowResult<()> {
        let slot = self.readers.get(reader).ok_or_else(thread_ended)?;
        let done = slot.run(&self.options, job);
        if done == Err(RepositoryError::Corrupt) {
            self.repair();
        }
        done
    }

    fn write(&self, tasks: VecDeque<WriteTask>) {
        let damaged = self.writer().run(tasks, &self.revision);
        if damaged {
            self.repair();
        }
    }

    /// Serves the readers' queue until it is closed and empty.
    fn serve(&self, reader: usize) {
        while let Some(task) = self.reads.next() {
            // A caller that went away does not want the answer, nor the work.
            if !task.reply.is_closed() {
                let _ = task.reply.send(self.read(reader, task.job));
            }
        }
    }

    fn look(&self) {
        if self.writer().others_committed() {
            self.revision.send_modify(|revision| *revision += 1);
        }
    }
}

/// Says that all is closed, however its thread ends; who still waits for an answer gets one.
struct Announce(Arc<Core>);

impl Drop for Announce {
    fn drop(&mut self) {
        self.0.shut();
        drop(self.0.writes.take_all());
        self.0.closed.send_replace(true);
    }
}

/// Ends what is still there, in order: who looks at the file, the file, the ownership of it.
fn finish(core: &Arc<Core>, helpers: impl IntoIterator<Item = JoinHandle<()>>) {
    for helper in helpers {
        // A thread that panicked has ended too.
        let _ = helper.join();
    }
    for reader in &core.readers {
        drop(reader.vacate());
    }
    core.writer().close();
    core.ownership.release();
    let users = &core.users;
    users.lock().unwrap_or_else(PoisonError::into_inner).take();
}

fn slots(options: &SqliteOptions) -> RowResult<Vec<Slot>> {
    let readers = match options.executor {
        Executor::Thread => READERS,
        Executor::Inline => 1,
    };
    (0..readers).map(|_| Slot::open(options)).collect()
}

fn start_inline(core: &Arc<Core>) -> RowResult<Inline> {
    let watcher = start_watcher(core)?;
    Ok(Inline { watcher })
}

fn start_threads(core: &Arc<Core>) -> RowResult<()> {
    let mut helpers = Vec::from_iter(start_watcher(core)?);
    for reader in 0..core.readers.len() {
        let core = Arc::clone(core);
        helpers.push(spawn("tidings-read", move || core.serve(reader))?);
    }
    let core = Arc::clone(core);
    spawn("tidings-write", move || {
        let _announce = Announce(Arc::clone(&core));
        while let Some(tasks) = core.writes.take_all() {
            core.write(tasks);
        }
        finish(&core, helpers);
    })?;
    Ok(())
}

fn start_watcher(core: &Arc<Core>) -> RowResult<Option<JoinHandle<()>>> {
    if !core.options.shared {
        return Ok(None);
    }
    let core = Arc::clone(core);
    let watch = move || watcher::watch(&core.stop, || core.look(), || core.ownership.try_take());
    spawn("tidings-watch", watch).map(Some)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> RowResult<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(body).map_err(|error| io_failed(&error))
}

#[async_trait]
impl ChatRepository for SqliteRepository {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        let (reply, answer) = oneshot::channel();
        let task = WriteTask {
            durability,
            job,
            reply,
        };
        if self.inline.is_some() {
            self.core.write([task].into());
        } else if self.core.writes.push(task).is_err() {
            return Err(RepositoryError::Closed);
        }
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        if let Some(slot) = &self.inline {
            return match &*Self::lock_inline(slot) {
                Some(_) => self.core.read(0, job),
                None => Err(RepositoryError::Closed),
            };
        }
        let (reply, answer) = oneshot::channel();
        if self.core.reads.push(ReadTask { job, reply }).is_err() {
            return Err(RepositoryError::Closed);
        }
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    fn revision(&self) -> Revision {
        Revision(*self.core.revision.borrow())
    }

    async fn changed(&self, seen: Revision) -> Revision {
        let mut revisions = self.core.revision.subscribe();
        match revisions.wait_for(|now| *now > seen.0).await {
            Ok(now) => Revision(*now),
            // The sender lives in `self`, so this is not reached.
            Err(_) => self.revision(),
        }
    }

    fn salvages(&self) -> u64 {
        self.core.salvages.load(Ordering::Relaxed)
    }

    fn is_owner(&self) -> bool {
        self.core.ownership.is_owner()
    }

    async fn became_owner(&self) {
        self.core.ownership.became_owner().await;
    }

    async fn close(&self) {
        self.shut();
        // The threads end by themselves: a caller that goes away here changes nothing.
        let mut closed = self.core.closed.subscribe();
        let _ = closed.wait_for(|closed| *closed).await;
    }
}

fn thread_ended() -> RepositoryError {
    RepositoryError::Internal("the store's thread ended".to_owned())
}
