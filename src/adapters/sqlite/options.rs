//! How a store is opened.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crate::domain::ports::KeyProvider;

/// Where the store's work runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Executor {
    /// On threads of the store, so that no async worker ever waits for the disk.
    #[default]
    Thread,
    /// On the caller. For simulations: a thread of its own would let a paused clock jump.
    Inline,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// What each transaction asks for by its durability.
    #[default]
    ByDurability,
    /// Nothing. For tests that do not cut the power.
    Off,
}

/// How a store is opened; start from [`SqliteOptions::new`].
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The file; its directory must be there.
    pub path: PathBuf,
    /// Where the work runs.
    pub executor: Executor,
    /// Whether other processes may open the file too: watch their commits, elect one owner.
    pub shared: bool,
    /// Never become the owner, as a notification extension must not.
    pub passive: bool,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// On Apple systems: wait at each sync until the flash itself has it. Without it, a commit with
    /// [`Durability::Full`](crate::domain::ports::Durability::Full) reaches the drive, and the
    /// drive may still lose it with its power. Dear; elsewhere it changes nothing.
    pub barrier: bool,
    /// How long a write waits for another process's.
    pub busy_timeout: Duration,
    /// Where the key of an encrypted store comes from; `None` for a plain one.
    ///
    /// A plain store that is opened with a key is encrypted first, and stays so. A build without
    /// the feature `encryption` refuses a key; it never stores anything in plain instead.
    pub keys: Option<Arc<dyn KeyProvider>>,
}

impl SqliteOptions {
    /// The store at that path, for this process alone, on its own threads.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            executor: Executor::default(),
            shared: false,
            passive: false,
            synchronous: Synchronous::default(),
            barrier: false,
            // Longer than any checkpoint on a slow phone, shorter than a user's patience.
            busy_timeout: Duration::from_secs(5),
            keys: None,
        }
    }
}
