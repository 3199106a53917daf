//! One consistent view for each job, on a connection that cannot write.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{error::failed, open, options::SqliteOptions, rows::SqliteRows};
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
    /// A place with its connection in it.
    ///
    /// # Errors
    /// What SQLite said.
    pub(super) fn open(options: &SqliteOptions) -> RowResult<Self> {
        open::reader(options).map(|db| Self(Mutex::new(Some(db))))
    }

    /// Runs the job in one read transaction.
    ///
    /// # Errors
    /// The job's, or what SQLite said.
    pub(super) fn run(&self, options: &SqliteOptions, job: Job) -> RowResult<()> {
        let mut slot = self.lock();
        let db = match slot.take() {
            Some(db) => db,
            None => open::reader(options)?,
        };
        run(slot.insert(db), job)
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

/// Runs the job in one read transaction.
fn run(db: &Connection, job: Job) -> RowResult<()> {
    execute(db, "BEGIN")?;
    let result = guarded::run(job, &mut SqliteRows::reading(db));
    // An open read holds the log: it ends even where it failed. SQLite may have ended it.
    let ended = match db.is_autocommit() {
        true => Ok(()),
        false => execute(db, "ROLLBACK"),
    };
    result.and(ended)
}

fn execute(db: &Connection, sql: &str) -> RowResult<()> {
    let run = || db.prepare_cached(sql)?.execute(());
    run().map(drop).map_err(failed)
}
