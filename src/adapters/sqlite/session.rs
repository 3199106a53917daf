//! The file while it is open: connections, threads and locks, and the order in which they end.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, InterruptHandle};
use tokio::sync::{oneshot, watch};

use super::{
    cipher,
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
use crate::{
    adapters::storage::revisions::Revisions,
    domain::ports::{
        Durability, RepositoryError,
        chat_repository::{Job, RowResult},
    },
};

/// A moment without jobs: who sends message after message, each after the last was stored, meets
/// no round of the index.
const IDLE: Duration = Duration::from_millis(25);

/// So that a long search does not hold up a page.
const READERS: usize = 2;

/// What becomes of a job.
type Answer = oneshot::Receiver<RowResult<()>>;

/// What outlives a suspension: who waits goes on waiting.
#[derive(Clone)]
pub(super) struct Signals {
    pub(super) revisions: Arc<Revisions>,
    pub(super) owner: Arc<watch::Sender<bool>>,
    /// How often the file was replaced while it was in use.
    pub(super) salvages: Arc<AtomicU64>,
}

/// The file while it is open.
pub(super) struct Session {
    pub(super) core: Arc<Core>,
    /// Under [`Executor::Inline`]; `None` on threads, and after the close.
    inline: Option<Mutex<Option<Inline>>>,
}

/// What the threads share.
pub(super) struct Core {
    options: SqliteOptions,
    writer: Mutex<Writer>,
    writes: Queue<WriteTask>,
    /// One place for each reader; the inline one uses the first.
    readers: Vec<Slot>,
    reads: Queue<ReadTask>,
    revisions: Arc<Revisions>,
    salvages: Arc<AtomicU64>,
    /// Whether a damaged file was replaced in this session.
    repaired: AtomicBool,
    /// Whether a reader had a job.
    read_before: AtomicBool,
    /// `None` after the end.
    users: Mutex<Option<Users>>,
    /// Held by work that takes its time.
    apart: Mutex<()>,
    /// Ends that work; whether nothing is begun any more.
    interrupt: Mutex<(Option<InterruptHandle>, bool)>,
    /// Whether the end is a suspension, which has little time.
    quick: AtomicBool,
    ownership: Ownership,
    stop: Stop,
    closed: watch::Sender<bool>,
    /// Whether a reader met a damaged full-text index.
    damaged: AtomicBool,
}

/// What has no thread of its own.
struct Inline {
    watcher: Option<JoinHandle<()>>,
}

impl Session {
    pub(super) fn open(options: &SqliteOptions, signals: &Signals) -> RowResult<Self> {
        // One answer of the app for all connections, until the file is closed.
        let options = &cipher::hold(options)?;
        let (opened, users) = open::store(options)?;
        let core = Arc::new(Core {
            options: options.clone(),
            writer: Mutex::new(Writer::new(opened, options)?),
            writes: Queue::new(),
            readers: slots(options),
            reads: Queue::new(),
            revisions: Arc::clone(&signals.revisions),
            salvages: Arc::clone(&signals.salvages),
            repaired: AtomicBool::new(false),
            read_before: AtomicBool::new(false),
            users: Mutex::new(Some(users)),
            apart: Mutex::default(),
            interrupt: Mutex::default(),
            quick: AtomicBool::new(false),
            ownership: Ownership::new(options, Arc::clone(&signals.owner))?,
            stop: Stop::default(),
            closed: watch::Sender::new(false),
            damaged: AtomicBool::new(false),
        });
        let inline = match options.executor {
            Executor::Thread => start_threads(&core).map(|()| None),
            Executor::Inline => start_inline(&core).map(Some),
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
    pub(super) fn shut(&self) {
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

    /// Ends, and waits for the end. The threads end by themselves: a caller that goes away here
    /// changes nothing.
    pub(super) async fn end(&self, quick: bool) {
        self.core.quick.store(quick, Ordering::Relaxed);
        self.shut();
        let mut closed = self.core.closed.subscribe();
        let _ = closed.wait_for(|closed| *closed).await;
    }

    /// Hands a job to the writer; what it answers comes later.
    ///
    /// # Errors
    /// `Closed` where nothing is taken any more.
    pub(super) fn write(&self, durability: Durability, job: Job) -> RowResult<Answer> {
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
        Ok(answer)
    }

    /// Hands a job to a reader.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub(super) fn read(&self, job: Job) -> RowResult<Answer> {
        let (reply, answer) = oneshot::channel();
        let task = ReadTask { job, reply };
        let pushed = match &self.inline {
            None => self.core.reads.push(task),
            Some(slot) => match &*Self::lock_inline(slot) {
                Some(_) => {
                    self.core.answer(0, task);
                    Ok(())
                }
                None => Err(task),
            },
        };
        pushed.map_err(|_| RepositoryError::Closed)?;
        Ok(answer)
    }

    /// Work that takes its time and that the end of the session interrupts.
    pub(super) fn apart<T>(&self, work: impl FnOnce(&Core) -> RowResult<T>) -> RowResult<T> {
        let core = &self.core;
        let _alone = core.apart.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(core);
        core.interrupt().0 = None;
        done
    }
}

impl Core {
    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is taken any more; what waits is still done.
    fn shut(&self) {
        self.reads.close();
        self.writes.close();
        self.stop.stop();
        let mut interrupt = self.interrupt();
        interrupt.1 = true;
        if let Some(handle) = &interrupt.0 {
            handle.interrupt();
        }
    }

    fn interrupt(&self) -> MutexGuard<'_, (Option<InterruptHandle>, bool)> {
        self.interrupt
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the end of the session interrupt what this connection is about to do.
    fn may_interrupt(&self, db: &Connection) -> RowResult<()> {
        let mut interrupt = self.interrupt();
        if interrupt.1 {
            return Err(RepositoryError::Closed);
        }
        interrupt.0 = Some(db.get_interrupt_handle());
        Ok(())
    }

    /// Looks at every page, on a connection of its own.
    pub(super) fn verify(&self) -> RowResult<()> {
        let db = open::reader(&self.options)?;
        self.may_interrupt(&db)?;
        let whole = open::must_be_whole(&db);
        drop(db);
        if whole == Err(RepositoryError::Corrupt) {
            self.repair();
        }
        whole
    }

    pub(super) fn statistics(&self) -> RowResult<StorageStatistics> {
        let db = open::reader(&self.options)?;
        self.may_interrupt(&db)?;
        housekeeping::statistics(&db, &self.options.path)
    }

    pub(super) fn vacuum(&self) -> RowResult<()> {
        self.writer().vacuum(|db| self.may_interrupt(db))
    }

    /// Replaces a file that turned out to be damaged while in use, once: should the fresh one be
    /// called damaged too, the fault is not the disk's.
    fn repair(&self) {
        let mut writer = self.writer();
        if !writer.is_open() || self.repaired.swap(true, Ordering::Relaxed) {
            return;
        }
        let users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(users) = users.as_ref() else { return };
        // Closed before the file moves, or they would take their log's new name for their own.
        let vacated: Vec<_> = self.readers.iter().map(Slot::vacate).collect();
        writer.let_go();
        let replaced = users.alone(|| open::replaced(&self.options));
        let again = || open::beside_others(&self.options).map(|opened| (opened, false));
        let opened = replaced.or_else(|_| again());
        let taken = opened.and_then(|(opened, replaced)| {
            *writer = Writer::new(opened, &self.options)?;
            Ok(replaced)
        });
        match taken {
            Ok(replaced) => drop(self.salvages.fetch_add(replaced.into(), Ordering::Relaxed)),
            Err(error) => tracing::error!(code = error.code(), "storage.not_salvaged"),
        }
        drop(vacated);
        self.revisions.advance();
    }

    /// What a job said, after what it found was mended.
    fn heeded(&self, (done, index_damaged): (RowResult<()>, bool)) -> RowResult<()> {
        if index_damaged {
            self.mend();
        }
        if done == Err(RepositoryError::Corrupt) {
            self.repair();
        }
        done
    }

    fn write(&self, tasks: VecDeque<WriteTask>) {
        let damaged = self.writer().run(tasks, &self.revisions);
        if damaged {
            self.repair();
        }
    }

    /// Serves the readers' queue until it is closed and empty.
    fn serve(&self, reader: usize) {
        while let Some(task) = self.reads.next() {
            // A caller that went away does not want the answer, nor the work.
            if !task.reply.is_closed() {
                self.answer(reader, task);
            }
        }
    }

    fn answer(&self, reader: usize, task: ReadTask) {
        let Some(slot) = self.readers.get(reader) else {
            return;
        };
        let writer = self.writer_at_first();
        let is_first = writer.is_some();
        let read = match writer {
            Some(writer) => writer.read(task.job),
            None => slot.run(&self.options, task.job),
        };
        let _ = task.reply.send(self.heeded(read));
        if is_first {
            slot.prepare(&self.options);
        }
    }

    /// The writer's connection for the first job of all readers, where nobody writes: it has read
    /// the schema already, and an app that opens shows nothing before that job.
    fn writer_at_first(&self) -> Option<MutexGuard<'_, Writer>> {
        let first = !self.read_before.swap(true, Ordering::Relaxed);
        let free = first.then(|| self.writer.try_lock().ok());
        free.flatten().filter(|writer| writer.is_open())
    }

    /// How long the writer waits for jobs before it turns to the index; for ever where that has
    /// all.
    fn pause(&self) -> Option<Duration> {
        self.writer().is_index_due().then_some(IDLE)
    }

    /// What the writer does in a moment without jobs.
    fn tidy(&self) {
        let mut writer = self.writer();
        writer.write_spare();
        match self.damaged.swap(false, Ordering::Relaxed) {
            true => writer.renew_index(),
            false => writer.index(),
        }
    }

    /// A reader met a damaged index.
    fn mend(&self) {
        if self.options.executor == Executor::Inline {
            return self.writer().renew_index();
        }
        self.damaged.store(true, Ordering::Relaxed);
        self.writes.nudge();
    }

    fn look(&self) {
        if self.writer().others_committed() {
            self.revisions.advance();
        }
    }
}

/// Says that all is closed, however its thread ends; who still waits for an answer gets one.
pub(super) struct Announce(Arc<Core>);

impl Drop for Announce {
    fn drop(&mut self) {
        self.0.shut();
        drop(self.0.writes.take_all(None));
        self.0.closed.send_replace(true);
    }
}

/// Ends what is still there, in order: who looks at the file, the file, the ownership of it.
fn finish(core: &Arc<Core>, helpers: impl IntoIterator<Item = JoinHandle<()>>) {
    for helper in helpers {
        // A thread that panicked has ended too.
        let _ = helper.join();
    }
    // What takes its time was interrupted.
    drop(core.apart.lock().unwrap_or_else(PoisonError::into_inner));
    for reader in &core.readers {
        drop(reader.vacate());
    }
    core.writer().close(core.quick.load(Ordering::Relaxed));
    core.ownership.release();
    let users = &core.users;
    users.lock().unwrap_or_else(PoisonError::into_inner).take();
}

fn slots(options: &SqliteOptions) -> Vec<Slot> {
    let readers = match options.executor {
        Executor::Thread => READERS,
        Executor::Inline => 1,
    };
    (0..readers).map(|_| Slot::default()).collect()
}

fn start_inline(core: &Arc<Core>) -> RowResult<Inline> {
    let watcher = start_watcher(core)?;
    Ok(Inline { watcher })
}

fn start_threads(core: &Arc<Core>) -> RowResult<()> {
    let mut helpers = Vec::from_iter(start_watcher(core)?);
    helpers.push(start_reader(core, 0)?);
    let core = Arc::clone(core);
    spawn("tidings-write", move || {
        let _announce = Announce(Arc::clone(&core));
        // Nobody who opens waits for these, and one reader is enough to go on with.
        let others = (1..core.readers.len()).map(|reader| start_reader(&core, reader));
        helpers.extend(others.flatten());
        while let Some(mut tasks) = core.writes.take_all(core.pause()) {
            if tasks.is_empty() {
                core.tidy();
                continue;
            }
            // Only a synchronisation costs more than the looks.
            if tasks.iter().any(|task| task.durability == Durability::Full) {
                core.writes.gather(&mut tasks);
            }
            core.write(tasks);
        }
        finish(&core, helpers);
    })?;
    Ok(())
}

fn start_reader(core: &Arc<Core>, reader: usize) -> RowResult<JoinHandle<()>> {
    let core = Arc::clone(core);
    spawn("tidings-read", move || core.serve(reader))
}

fn start_watcher(core: &Arc<Core>) -> RowResult<Option<JoinHandle<()>>> {
    if !core.options.shared {
        return Ok(None);
    }
    let core = Arc::clone(core);
    let watch = move || watcher::watch(&core.stop, || core.look(), || core.ownership.try_take());
    spawn("tidings-watch", watch).map(Some)
}

pub(super) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> RowResult<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(body).map_err(|error| io_failed(&error))
}

pub(super) fn thread_ended() -> RepositoryError {
    RepositoryError::Internal("the store's thread ended".to_owned())
}
