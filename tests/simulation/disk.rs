//! The shipped SQLite store behind its port, and the power to kill the process that uses it.
//!
//! A killed process does nothing any more: whatever it waits for never comes, and the file is
//! closed under it. Killing right before or right after a commit is how "accepted or not" and
//! "stored or not" get asked at the worst moment.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::FutureExt;
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::ports::{
        ChatRepository, Durability, RepositoryError, Revision,
        chat_repository::{Job, RowResult},
    },
};

use crate::{
    faults::Fault,
    reached::{Marker, reached},
    snapshot::Snapshot,
    world::World,
};

/// One process: from its start to its kill.
#[derive(Debug)]
pub(crate) struct Life {
    number: u64,
    dead: AtomicBool,
}

impl Life {
    pub(crate) fn new(number: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            dead: AtomicBool::new(false),
        })
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Goes on in a living process; never comes back in a dead one.
    pub(crate) async fn gate(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}

/// One device's store.
pub(crate) struct Disk {
    world: World,
    device: usize,
    life: Arc<Life>,
    inner: Mutex<Option<Arc<SqliteRepository>>>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disk({})", self.device)
    }
}

impl Disk {
    pub(crate) fn open(world: &World, device: usize, life: &Arc<Life>, path: &Path) -> Arc<Self> {
        let mut options = SqliteOptions::new(path);
        options.executor = Executor::Inline;
        options.synchronous = Synchronous::Off;
        let inner = SqliteRepository::open(options).expect("a store");
        Arc::new(Self {
            world: world.clone(),
            device,
            life: life.clone(),
            inner: Mutex::new(Some(inner)),
        })
    }

    /// Ends the process as `kill -9` does.
    pub(crate) fn kill(&self) {
        self.life.dead.store(true, Ordering::Relaxed);
        if let Some(inner) = self.inner.lock().unwrap().take() {
            // Under the inline executor this is done by the first poll.
            let _ = inner.close().now_or_never();
        }
        self.world
            .lock()
            .process_died(self.device, self.life.number());
    }

    fn inner(&self) -> Option<Arc<SqliteRepository>> {
        self.inner.lock().unwrap().clone()
    }

    async fn alive(&self) -> Arc<SqliteRepository> {
        self.life.gate().await;
        match self.inner() {
            Some(inner) => inner,
            None => std::future::pending().await,
        }
    }

    fn occurs(&self, fault: Fault) -> bool {
        self.world.lock().occurs(fault)
    }

    /// Everything stored, as of now.
    pub(crate) async fn snapshot(&self) -> Option<Snapshot> {
        let inner = self.inner()?;
        let store: &dyn ChatRepository = inner.as_ref();
        let wanted = self.world.lock().wanted(self.device);
        store.view(|rows| Snapshot::read(rows, wanted)).await.ok()
    }
}

#[async_trait]
impl ChatRepository for Disk {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        let inner = self.alive().await;
        if self.occurs(Fault::CrashAtCommit) {
            reached(Marker::kill_before_commit);
            drop(inner);
            self.kill();
            return std::future::pending().await;
        }
        let result = inner.write(durability, job).await;
        if result.is_ok()
            && let Some(snapshot) = self.snapshot().await
        {
            self.world.lock().committed(self.device, snapshot);
        }
        if let Err(RepositoryError::Internal(what)) = &result {
            self.world
                .lock()
                .violation("INV-25", format_args!("the store was misused: {what}"));
        }
        if self.occurs(Fault::CrashAtCommit) {
            reached(Marker::kill_after_commit);
            drop(inner);
            self.kill();
            return std::future::pending().await;
        }
        result
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        self.alive().await.read(job).await
    }

    fn revision(&self) -> Revision {
        self.inner()
            .map_or(Revision(u64::MAX), |inner| inner.revision())
    }

    async fn changed(&self, seen: Revision) -> Revision {
        let inner = self.alive().await;
        let revision = inner.changed(seen).await;
        drop(inner);
        self.life.gate().await;
        revision
    }

    async fn close(&self) {
        let inner = self.alive().await;
        inner.close().await;
    }
}
