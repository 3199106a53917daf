//! The port over the open file, and what outlives its suspension.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};

use super::{
    housekeeping::{self, StorageStatistics},
    options::{Executor, SqliteOptions},
    session::{Core, Session, Signals, spawn, thread_ended},
    users::Users,
};
use crate::domain::ports::{
    ChatRepository, Durability, RepositoryError, Revision,
    chat_repository::{Job, RowResult},
};

/// A store in one SQLite file.
///
/// Dropping it without [`ChatRepository::close`] finishes in the background what was handed over.
/// After the close, [`ChatRepository::changed`] and [`ChatRepository::became_owner`] wait for ever.
pub struct SqliteRepository {
    options: SqliteOptions,
    signals: Signals,
    state: Mutex<State>,
}

enum State {
    Open(Arc<Session>),
    Suspended,
    Closed,
}

impl SqliteRepository {
    /// Opens the store, creating or migrating the file.
    ///
    /// Blocks for some milliseconds, longer after a kill or at a migration, and for seconds where a
    /// large store comes under a new key.
    ///
    /// A file that is damaged, or that is no database, is moved aside and kept, and a fresh store
    /// begins with everything that was unsent, every draft and what else could be read of it;
    /// [`rules::salvage::word`](crate::domain::rules::salvage::word) tells of it.
    ///
    /// # Errors
    /// [`RepositoryError::Newer`] for a later version's file, [`RepositoryError::Foreign`] for
    /// another program's database, [`RepositoryError::NoKey`], [`RepositoryError::WrongKey`] and
    /// [`RepositoryError::NoCipher`] for an encrypted store that cannot be opened so, and
    /// [`RepositoryError::Locked`] while the device keeps the key back, all of them left exactly as
    /// they were; [`RepositoryError::Corrupt`] for a damaged one that another process has open; [`RepositoryError::Unavailable`] where the
    /// file cannot be written or is locked.
    pub fn open(options: SqliteOptions) -> Result<Arc<Self>, RepositoryError> {
        let signals = Signals {
            revisions: Arc::default(),
            owner: Arc::new(watch::Sender::new(false)),
            salvages: Arc::default(),
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

    /// Reads every page and every index and looks whether all fits. A file that is damaged is
    /// replaced as one that was found so in use.
    ///
    /// Takes milliseconds for ten thousand messages, and seconds for a million. A suspension or a
    /// close ends it early.
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
        self.apart(Core::statistics).await
    }

    /// Gives free space back to the system, and with it the last traces of what was deleted.
    /// Writes wait meanwhile; a suspension or a close ends it early.
    ///
    /// # Errors
    /// The store's; nothing was changed then.
    pub async fn vacuum(&self) -> Result<(), RepositoryError> {
        self.apart(Core::vacuum).await
    }

    /// Closes the store and leaves nothing of it: database, log, spare and what was moved aside
    /// are overwritten and removed. A kill in between is made good by the next opening.
    ///
    /// # Errors
    /// `Unavailable` where another process has it open; else the disk's. The store is closed all
    /// the same.
    pub async fn wipe(&self) -> Result<(), RepositoryError> {
        let path = self.options.path.clone();
        self.close().await;
        self.elsewhere(move || Self::erase(&path)).await
    }

    /// Leaves nothing of a store that is not open, as [`Self::wipe`] does; no key is needed, so it
    /// is the way out where the key is gone. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// `Unavailable` where it is open; else the disk's.
    pub fn erase(path: &Path) -> Result<(), RepositoryError> {
        let (users, alone) = Users::enter(path, Duration::ZERO)?;
        match alone {
            true => housekeeping::wipe(path).and_then(|()| users.share()),
            false => Err(RepositoryError::Unavailable(
                "another process has it open".into(),
            )),
        }
    }

    /// Work on the open store that takes its time.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Core) -> RowResult<T> + Send + 'static,
    ) -> RowResult<T> {
        let session = self.session()?;
        self.elsewhere(move || session.apart(work)).await
    }

    /// On a thread of its own, or on the caller where all is.
    async fn elsewhere<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> RowResult<T> + Send + 'static,
    ) -> RowResult<T> {
        if self.options.executor == Executor::Inline {
            return work();
        }
        let (reply, answer) = oneshot::channel();
        spawn("tidings-apart", move || {
            let _ = reply.send(work());
        })?;
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
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

#[async_trait]
impl ChatRepository for SqliteRepository {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        let answer = self.session()?.write(durability, job)?;
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        let answer = self.session()?.read(job)?;
        answer.await.unwrap_or_else(|_| Err(thread_ended()))
    }

    fn revision(&self) -> Revision {
        self.signals.revisions.now()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.signals.revisions.beyond(seen).await
    }

    fn salvages(&self) -> u64 {
        self.signals.salvages.load(Ordering::Relaxed)
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
