//! One consistent view for each job, on a connection that cannot write.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    error::failed,
    open::{self, run_cached},
    options::SqliteOptions,
    rows::SqliteRows,
};
use crate::{
    adapters::storage::guarded,
    domain::ports::chat_repository::{Job, RowResult},
};

/// A job that waits for a reader.
pub(super) struct ReadTask {
    pub(super) job: Job,
    pub(super) reply: oneshot::Sender<RowResult<()>>,
}

/// A place for a connection. It is empty while the file is being replaced, and opened anew after.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Connection>>);

impl Slot {
    /// Runs the job in one read transaction; and whether the full-text index, which nobody can
    /// mend here, is damaged. The connection is opened for the first job.
    pub(super) fn run(&self, options: &SqliteOptions, job: Job) -> (RowResult<()>, bool) {
        let mut slot = self.lock();
        let db = match slot.take() {
            Some(db) => Ok(db),
            None => open::reader(options),
        };
        match db {
            Ok(db) => run(slot.insert(db), job),
            Err(error) => (Err(error), false),
        }
    }

    /// Opens the connection before its first job. A failure is told by that job.
    pub(super) fn prepare(&self, options: &SqliteOptions) {
        let mut slot = self.lock();
        if slot.is_none() {
            *slot = open::reader(options).ok();
        }
    }

    /// Closes the connection and keeps the place empty until the guard is dropped.
    pub(super) fn vacate(&self) -> MutexGuard<'_, Option<Connection>> {
        let mut slot = self.lock();
        slot.take();
        slot
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs the job in one read transaction of a connection; as [`Slot::run`].
pub(super) fn run(db: &Connection, job: Job) -> (RowResult<()>, bool) {
    if let Err(error) = run_cached(db, "BEGIN") {
        return (Err(failed(error)), false);
    }
    let mut rows = SqliteRows::reading(db);
    let result = guarded::run(job, &mut rows);
    let index_damaged = rows.found_damage();
    // An open read holds the log: it ends even where it failed. SQLite may have ended it.
    let ended = match db.is_autocommit() {
        true => Ok(()),
        false => run_cached(db, "ROLLBACK").map_err(failed),
    };
    (result.and(ended), index_damaged)
}
