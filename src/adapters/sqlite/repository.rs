//! The port over connections, threads and the election; and the order in which they end.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    error::io_failed,
    open,
    options::{Executor, SqliteOptions},
    owner::Ownership,
    queue::Queue,
    reader::{self, ReadTask},
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
    options: SqliteOptions,
    signals: Signals,
    state: Mutex<State>,
}

/// What outlives a suspension: who waits goes on waiting.
#[derive(Clone)]
struct Signals {
    revision: Arc<watch::Sender<u64>>,
    owner: Arc<watch::Sender<bool>>,
}

enum State {
    Open(Arc<Session>),
    Suspended,
    Closed,
}

/// The file while it is open.
struct Session {
    core: Arc<Core>,
    /// Under [`Executor::Inline`]; `None` on threads, and after the close.
    inline: Option<Mutex<Option<Inline>>>,
}

/// What the threads share.
struct Core {
    writer: Mutex<Writer>,
    writes: Queue<WriteTask>,
    reads: Arc<Queue<ReadTask>>,
    revision: Arc<watch::Sender<u64>>,
    /// Whether the end is a suspension, which has little time.
    quick: AtomicBool,
    ownership: Ownership,
    stop: Stop,
    closed: watch::Sender<bool>,
}

/// What has no thread of its own.
struct Inline {
    reader: Connection,
    watcher: Option<JoinHandle<()>>,
}

impl SqliteRepository {
    /// Opens the store, creating or migrating the file.
    ///
    /// Blocks for some milliseconds, longer after a kill or at a migration.
    ///
    /// # Errors
    /// [`RepositoryError::Corrupt`] for what is no store or a damaged one and
    /// [`RepositoryError::Newer`] for a later version's, both left exactly as they were;
    /// [`RepositoryError::Unavailable`] where the file cannot be written or is locked.
    pub fn open(options: SqliteOptions) -> Result<Arc<Self>, RepositoryError> {
        let signals = Signals {
            revision: Arc::new(watch::Sender::new(0)),
            owner: Arc::new(watch::Sender::new(false)),
        };
        let session = Session::open(&options, &signals)?;
        Ok(Arc::new(Self {
            options,
            signals,
            state: Mutex::new(State::Open(Arc::new(session))),
        }))
    }

    /// Lets the file grow to that many pages and no further, as a full disk would.
    ///
    /// # Errors
    /// [`RepositoryError::Closed`], or what SQLite said.
    #[cfg(feature = "testing")]
    pub fn limit_pages(&self, pages: u32) -> Result<(), RepositoryError> {
        self.session()?.core.writer().limit_pages(pages)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> RowResult<Arc<Session>> {
        match &*self.state() {
            State::Open(session) => Ok(Arc::clone(session)),
            State::Suspended => Err(RepositoryError::Unavailable("it is suspended".into())),
            State::Closed => Err(RepositoryError::Closed),
        }
    }

    /// Leaves the open state; the session that ends, if there was one.
    fn leave(&self, next: State) -> Option<Arc<Session>> {
        let mut state = self.state();
        if matches!(*state, State::Closed) {
            return None;
        }
        match std::mem::replace(&mut *state, next) {
            State::Open(session) => Some(session),
            State::Suspended | State::Closed => None,
        }
    }
}

impl Session {
    fn open(options: &SqliteOptions, signals: &Signals) -> RowResult<Self> {
        let writer = Writer::new(open::writer(options)?, options.synchronous)?;
        let core = Arc::new(Core {
            writer: Mutex::new(writer),
            writes: Queue::new(),
            reads: Arc::new(Queue::new()),
            revision: Arc::clone(&signals.revision),
            quick: AtomicBool::new(false),
            ownership: Ownership::new(options, Arc::clone(&signals.owner))?,
            stop: Stop::default(),
            closed: watch::Sender::new(false),
        });
        let inline = match options.executor {
            Executor::Thread => start_threads(&core, options).map(|()| None),
            Executor::Inline => start_inline(&core, options).map(Some),
        };
        // Threads that did start must not outlive a failed open.
        let inline = inline.inspect_err(|_| core.shut())?;
        let inline = inline.map(|inline| Mutex::new(Some(inline)));
        Ok(Self { core, inline })
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
            drop(inline.reader);
            finish(&self.core, inline.watcher);
        }
    }

    /// Ends, and waits for the end. The threads end by themselves: a caller that goes away here
    /// changes nothing.
    async fn end(&self, quick: bool) {
        self.core.quick.store(quick, Ordering::Relaxed);
        self.shut();
        let mut closed = self.core.closed.subscribe();
        let _ = closed.wait_for(|closed| *closed).await;
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
        if let Some(session) = self.leave(State::Closed) {
            session.shut();
        }
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
    core.writer().close(core.quick.load(Ordering::Relaxed));
    core.ownership.release();
}

fn start_inline(core: &Arc<Core>, options: &SqliteOptions) -> RowResult<Inline> {
    Ok(Inline {
        reader: open::reader(options)?,
        watcher: start_watcher(core, options)?,
    })
}

fn start_threads(core: &Arc<Core>, options: &SqliteOptions) -> RowResult<()> {
    let mut helpers = Vec::from_iter(start_watcher(core, options)?);
    for _ in 0..READERS {
        let db = open::reader(options)?;
        let reads = Arc::clone(&core.reads);
        helpers.push(spawn("tidings-read", move || reader::serve(db, &reads))?);
    }
    let core = Arc::clone(core);
    spawn("tidings-write", move || {
        let _announce = Announce(Arc::clone(&core));
        while let Some(tasks) = core.writes.take_all() {
            core.writer().run(tasks, &core.revision);
        }
        finish(&core, helpers);
    })?;
    Ok(())
}

fn start_watcher(core: &Arc<Core>, options: &SqliteOptions) -> RowResult<Option<JoinHandle<()>>> {
    if !options.shared {
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
        let session = self.session()?;
        let (reply, answer) = oneshot::channel();
        let task = WriteTask {
            durability,
            job,
            reply,
        };
        if session.inline.is_some() {
            let core = &session.core;
            core.writer().run([task].into(), &core.revision);
        } else if session.core.writes.push(task).is_err() {
            return Err(RepositoryError::Closed);
        }
        drop(session);
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        let session = self.session()?;
        if let Some(slot) = &session.inline {
            return match &*Session::lock_inline(slot) {
                Some(inline) => reader::run(&inline.reader, job),
                None => Err(RepositoryError::Closed),
            };
        }
        let (reply, answer) = oneshot::channel();
        if session.core.reads.push(ReadTask { job, reply }).is_err() {
            return Err(RepositoryError::Closed);
        }
        drop(session);
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    fn revision(&self) -> Revision {
        Revision(*self.signals.revision.borrow())
    }

    async fn changed(&self, seen: Revision) -> Revision {
        let mut revisions = self.signals.revision.subscribe();
        match revisions.wait_for(|now| *now > seen.0).await {
            Ok(now) => Revision(*now),
            // The sender lives in `self`, so this is not reached.
            Err(_) => self.revision(),
        }
    }

    fn is_owner(&self) -> bool {
        *self.signals.owner.borrow()
    }

    async fn became_owner(&self) {
        let mut owner = self.signals.owner.subscribe();
        // The sender lives in `self`, so the wait cannot end otherwise.
        let _ = owner.wait_for(|owner| *owner).await;
    }

    async fn suspend(&self) -> bool {
        match self.leave(State::Suspended) {
            Some(session) => {
                session.end(true).await;
                true
            }
            None => matches!(*self.state(), State::Suspended),
        }
    }

    async fn resume(&self) -> RowResult<()> {
        let mut state = self.state();
        match *state {
            State::Open(_) => return Ok(()),
            State::Closed => return Err(RepositoryError::Closed),
            State::Suspended => {}
        }
        let session = Session::open(&self.options, &self.signals)?;
        *state = State::Open(Arc::new(session));
        // Others may have written meanwhile: everybody looks again.
        self.signals.revision.send_modify(|revision| *revision += 1);
        Ok(())
    }

    async fn close(&self) {
        if let Some(session) = self.leave(State::Closed) {
            session.end(false).await;
        }
    }
}

fn thread_ended() -> RepositoryError {
    RepositoryError::Internal("the store's thread ended".to_owned())
}
