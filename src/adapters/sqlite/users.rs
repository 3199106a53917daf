//! Who has the store open: each holds a shared lock, and whoever replaces the file holds it alone.
//!
//! A database file that is moved away under an open connection takes that connection with it, and
//! what is then accepted there is lost. So a file is only moved by someone who is alone.

use std::{
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::Duration,
};

use super::{error::io_failed, probe::beside};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Between two tries for the lock.
const PAUSE: Duration = Duration::from_millis(20);

/// One open store's share.
#[derive(Debug)]
pub(super) struct Users {
    /// A file for locking alone, never deleted.
    lock: File,
    patience: Duration,
}

impl Users {
    /// Whether the store was opened before under this name: the lock's file is there.
    pub(super) fn were_here(store: &Path) -> bool {
        beside(store, ".users").exists()
    }

    /// Enters; waits while somebody replaces the file. Whoever finds nobody there is alone until
    /// [`Self::share`], and is told so.
    ///
    /// # Errors
    /// `Unavailable` where the lock's file cannot be opened, or is held for too long.
    pub(super) fn enter(store: &Path, patience: Duration) -> RowResult<(Self, bool)> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        // Two names of one store must meet at one lock; a store that is new has one name so far.
        let named = std::fs::canonicalize(store).unwrap_or_else(|_| store.to_owned());
        let lock = options.open(beside(&named, ".users"));
        let lock = lock.map_err(|error| io_failed(&error))?;
        let this = Self { lock, patience };
        let alone = this.lock.try_lock().is_ok();
        if !alone {
            this.share()?;
        }
        Ok((this, alone))
    }

    /// Runs the work while nobody else has the store open.
    ///
    /// # Errors
    /// `Corrupt` where others stay: the file cannot be replaced under them. Else the work's.
    pub(super) fn alone<T>(&self, work: impl FnOnce() -> RowResult<T>) -> RowResult<T> {
        // Given up before asking for more, or two that ask at once would wait for each other.
        self.lock.unlock().map_err(|error| io_failed(&error))?;
        let taken = wait(self.patience, || self.lock.try_lock());
        let done = match taken {
            Ok(true) => work(),
            Ok(false) => Err(RepositoryError::Corrupt),
            Err(error) => Err(io_failed(&error)),
        };
        // A lock held alone becomes a shared one.
        self.share().and(done)
    }

    /// Lets others in.
    ///
    /// # Errors
    /// `Unavailable` where somebody else replaces the file and takes too long.
    pub(super) fn share(&self) -> RowResult<()> {
        match wait(self.patience, || self.lock.try_lock_shared()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(RepositoryError::Unavailable("it is being replaced".into())),
            Err(error) => Err(io_failed(&error)),
        }
    }
}

/// Tries until it works or the time is up.
fn wait(
    patience: Duration,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> std::io::Result<bool> {
    let tries = patience.as_millis() / PAUSE.as_millis() + 1;
    for _ in 0..tries {
        match attempt() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_alone_beside_another() {
        let home = tempfile::tempdir().expect("a directory");
        let store = home.path().join("chat.db");
        let enter = || Users::enter(&store, PAUSE * 2).expect("entered");
        let (first, alone) = enter();
        assert!(alone);
        first.share().expect("shared");
        assert_eq!(first.alone(|| Ok(1)), Ok(1));
        let (second, alone) = enter();
        assert!(!alone);
        assert_eq!(first.alone(|| Ok(1)), Err(RepositoryError::Corrupt));
        drop(second);
        let within = first.alone(|| Ok(Users::enter(&store, PAUSE).map(drop)));
        assert!(matches!(within, Ok(Err(RepositoryError::Unavailable(_)))));
        assert_eq!(first.alone(|| Ok(1)), Ok(1));
    }
}
