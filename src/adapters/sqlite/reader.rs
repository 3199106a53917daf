//! One consistent view for each job, on a connection that cannot write.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{error::failed, queue::Queue, rows::SqliteRows};
use crate::{
    adapters::storage::guarded,
    domain::ports::chat_repository::{Job, RowResult},
};

/// A job that waits for a reader.
pub(super) struct ReadTask {
    pub(super) job: Job,
    pub(super) reply: oneshot::Sender<RowResult<()>>,
}

/// Serves the queue until it is closed and empty; the connection is opened for the first job and
/// ends with the queue. A damaged full-text index, which nobody can mend here, is told of.
pub(super) fn serve(
    open: impl Fn() -> RowResult<Connection>,
    queue: &Arc<Queue<ReadTask>>,
    damaged: impl Fn(),
) {
    let mut db = None;
    while let Some(task) = queue.next() {
        // A caller that went away does not want the answer, nor the work.
        if !task.reply.is_closed() {
            let result = connected(&mut db, &open).and_then(|db| run(db, task.job, &damaged));
            let _ = task.reply.send(result);
        }
    }
}

fn connected(
    db: &mut Option<Connection>,
    open: impl Fn() -> RowResult<Connection>,
) -> RowResult<&Connection> {
    match db {
        Some(db) => Ok(db),
        None => Ok(db.insert(open()?)),
    }
}

/// Runs the job in one read transaction.
pub(super) fn run(db: &Connection, job: Job, damaged: impl Fn()) -> RowResult<()> {
    execute(db, "BEGIN")?;
    let mut rows = SqliteRows::reading(db);
    let result = guarded::run(job, &mut rows);
    if rows.found_damage() {
        damaged();
    }
    // An open read holds the log: it ends even where it failed.
    execute(db, "ROLLBACK").and(result)
}

fn execute(db: &Connection, sql: &str) -> RowResult<()> {
    let run = || db.prepare_cached(sql)?.execute(());
    run().map(drop).map_err(failed)
}
