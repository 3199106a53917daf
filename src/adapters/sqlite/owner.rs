//! Which process sends and synchronises: the one that holds a lock of the operating system, which
//! lets go of it by itself when its holder dies.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use super::{error::io_failed, options::SqliteOptions, probe::beside};
use crate::domain::ports::chat_repository::RowResult;

/// This process's part in the election.
#[derive(Debug)]
pub(super) struct Ownership {
    owner: Arc<watch::Sender<bool>>,
    /// A file beside the store, for locking alone: closing any handle of the store's own file
    /// would drop SQLite's locks. It is never deleted, or two processes could lock two files of
    /// one name. `None` where there is no election, and after the end.
    lock: Mutex<Option<File>>,
}

impl Ownership {
    /// Takes part as the options say; a first attempt is made at once. `owner` tells whoever waits.
    ///
    /// # Errors
    /// Where the file to lock cannot be opened.
    pub(super) fn new(options: &SqliteOptions, owner: Arc<watch::Sender<bool>>) -> RowResult<Self> {
        let election = options.shared && !options.passive;
        let lock = if election {
            Some(open(&options.path)?)
        } else {
            None
        };
        let this = Self {
            owner,
            lock: Mutex::new(lock),
        };
        this.owner.send_replace(!options.shared && !options.passive);
        this.try_take();
        Ok(this)
    }

    /// Takes the lock if nobody holds it.
    pub(super) fn try_take(&self) {
        let lock = self.lock();
        let Some(file) = lock.as_ref().filter(|_| !*self.owner.borrow()) else {
            return;
        };
        match file.try_lock() {
            Ok(()) => drop(self.owner.send_replace(true)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                tracing::warn!(kind = %error.kind(), "the owner's lock cannot be tried");
            }
        }
    }

    /// Lets go for good.
    pub(super) fn release(&self) {
        // Closing the file is what frees the lock; nobody is told "owner" from here on.
        let mut lock = self.lock();
        self.owner.send_replace(false);
        lock.take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<File>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(store: &Path) -> RowResult<File> {
    // Two names of one store must meet at one lock.
    let store = std::fs::canonicalize(store).map_err(|error| io_failed(&error))?;
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    let opened = options.open(beside(&store, ".owner"));
    opened.map_err(|error| io_failed(&error))
}
