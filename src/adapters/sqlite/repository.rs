//! The port over connections, threads and the election; and the order in which they end.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::{
    cipher,
    error::io_failed,
    open,
    options::{Executor, SqliteOptions},
    owner::Ownership,
    queue::Queue,
    reader::{self, ReadTask},
    users::Users,
    watcher::{self, Stop},
    writer::{self, WriteTask, Writer},
};
use crate::{
    adapters::storage::revisions::Revisions,
    domain::ports::{
        ChatRepository, Durability, RepositoryError, Revision,
        chat_repository::{Job, RowResult},
    },
};

/// A moment without jobs: who sends message after message, each after the last was stored, meets
/// no round of the index.
const IDLE: Duration = Duration::from_millis(25);

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
    revisions: Arc<Revisions>,
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
    revisions: Arc<Revisions>,
    /// Whether the end is a suspension, which has little time.
    quick: AtomicBool,
    ownership: Ownership,
    /// `None` after the close.
    users: Mutex<Option<Users>>,
    stop: Stop,
    closed: watch::Sender<bool>,
    /// Whether a reader met a damaged full-text index.
    damaged: AtomicBool,
}

/// What has no thread of its own.
struct Inline {
    reader: Connection,
    watcher: Option<JoinHandle<()>>,
}

impl SqliteRepository {
    /// Opens the store, creating or migrating the file.
    ///
    /// Blocks for some milliseconds, longer after a kill or at a migration, and for seconds where a
    /// large store comes under a new key.
    ///
    /// # Errors
    /// [`RepositoryError::Locked`] while the device keeps the key back;
    /// [`RepositoryError::NoKey`], [`RepositoryError::WrongKey`] and [`RepositoryError::NoCipher`]
    /// for an encrypted store that cannot be opened so, left exactly as it was;
    /// [`RepositoryError::Corrupt`] for what is no store or a damaged one and
    /// [`RepositoryError::Newer`] for a later version's, both left exactly as they were;
    /// [`RepositoryError::Unavailable`] where the file cannot be written or is locked.
    pub fn open(options: SqliteOptions) -> Result<Arc<Self>, RepositoryError> {
        let signals = Signals {
            revisions: Arc::default(),
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

    /// Indexes after every write, as if there were always an idle moment, so that a test of the
    /// index need not wait for one.
    #[cfg(feature = "testing")]
    pub fn index_at_once(&self) {
        if let Ok(session) = self.session() {
            session.core.writer().index_at_once();
        }
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
        let patience = match options.executor {
            Executor::Thread => writer::BUSY,
            Executor::Inline => writer::INLINE,
        };
        // One answer of the app for all connections.
        let options = &cipher::hold(options)?;
        cipher::admit(options)?;
        let (users, alone) = Users::enter(&options.path, options.busy_timeout)?;
        cipher::prepare(options, alone)?;
        let writer = Writer::new(open::writer(options)?, options.synchronous, patience)?;
        users.share()?;
        let core = Arc::new(Core {
            writer: Mutex::new(writer),
            writes: Queue::new(),
            reads: Arc::new(Queue::new()),
            revisions: Arc::clone(&signals.revisions),
            quick: AtomicBool::new(false),
            ownership: Ownership::new(options, Arc::clone(&signals.owner))?,
            users: Mutex::new(Some(users)),
            stop: Stop::default(),
            closed: watch::Sender::new(false),
            damaged: AtomicBool::new(false),
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

    /// How long the writer waits for jobs before it turns to the index; for ever where that has
    /// all.
    fn pause(&self) -> Option<Duration> {
        self.writer().is_index_due().then_some(IDLE)
    }

    /// What the writer does in a moment without jobs.
    fn tidy(&self) {
        let mut writer = self.writer();
        match self.damaged.swap(false, Ordering::Relaxed) {
            true => writer.renew_index(),
            false => writer.index(),
        }
    }

    /// A reader met a damaged index.
    fn mend(&self) {
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
struct Announce(Arc<Core>);

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
    core.writer().close(core.quick.load(Ordering::Relaxed));
    core.ownership.release();
    let users = &core.users;
    users.lock().unwrap_or_else(PoisonError::into_inner).take();
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
        let options = options.clone();
        let reads = Arc::clone(&core.reads);
        let mender = Arc::clone(core);
        let serve = move || reader::serve(|| open::reader(&options), &reads, || mender.mend());
        helpers.push(spawn("tidings-read", serve)?);
    }
    let core = Arc::clone(core);
    spawn("tidings-write", move || {
        let _announce = Announce(Arc::clone(&core));
        while let Some(tasks) = core.writes.take_all(core.pause()) {
            match tasks.is_empty() {
                true => core.tidy(),
                false => core.writer().run(tasks, &core.revisions),
            }
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
            core.writer().run([task].into(), &core.revisions);
        } else if session.core.writes.push(task).is_err() {
            return Err(RepositoryError::Closed);
        }
        drop(session);
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        let session = self.session()?;
        if let Some(slot) = &session.inline {
            let mend = || session.core.writer().renew_index();
            return match &*Session::lock_inline(slot) {
                Some(inline) => reader::run(&inline.reader, job, mend),
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
        self.signals.revisions.now()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.signals.revisions.beyond(seen).await
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
        self.signals.revisions.advance();
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
