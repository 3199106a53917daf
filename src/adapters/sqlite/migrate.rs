//! The schema by numbered steps over `PRAGMA user_version`; each step is one transaction.
//!
//! A step is never edited after its release, and never deletes what a user typed.

use rusqlite::{Connection, TransactionBehavior};

use super::{
    error::failed,
    probe::{self, APPLICATION_ID},
};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Step `n` (counted from one) leads from version `n - 1` to `n`.
const STEPS: [&str; 6] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_left_above.sql"),
    include_str!("migrations/0003_actions.sql"),
    include_str!("migrations/0004_search.sql"),
    include_str!("migrations/0005_gaps.sql"),
    include_str!("migrations/0006_spare.sql"),
];

/// The version once more, among the rows: a number in the header that damage changed is told by it
/// from a later version's.
const COUNTED: &str = "INSERT INTO counter (name, value) VALUES ('schema', ?1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// The version that this build writes.
pub(super) const fn latest() -> i64 {
    STEPS.len().cast_signed() as i64
}

/// Brings the file to the latest version; one that has it is only looked at, so that opening a
/// store waits for nobody's write.
///
/// # Errors
/// `Newer` where a later version wrote it in the meantime, `Corrupt` where its header says another
/// version than its rows, else what SQLite said.
pub(super) fn run(db: &mut Connection) -> RowResult<()> {
    let said = version(db)?;
    let counted = probe::counted(db).map_err(failed)?;
    if said == latest() && counted == Some(said) {
        return Ok(());
    }
    // Another process may have made a step in between: then it is not below the newest.
    if counted.is_some_and(|counted| counted != said) && version(db)? == said {
        return Err(RepositoryError::Corrupt);
    }
    run_to(db, latest())
}

/// Brings a file that is below it to that version.
///
/// # Errors
/// As [`run`].
pub(super) fn run_to(db: &mut Connection, target: i64) -> RowResult<()> {
    let mut version = version(db)?;
    while version < target || version > latest() {
        step(db)?;
        version = self::version(db)?;
    }
    Ok(())
}

/// Makes one step, if one is due still: another process may be migrating too, so the version that
/// counts is the one inside the transaction.
fn step(db: &mut Connection) -> RowResult<()> {
    let begun = db.transaction_with_behavior(TransactionBehavior::Immediate);
    let step = begun.map_err(failed)?;
    let version = version(&step)?;
    let at = usize::try_from(version).map_err(|_| RepositoryError::Corrupt)?;
    match STEPS.get(at) {
        Some(sql) => apply(&step, sql, version + 1).map_err(failed)?,
        None if version > latest() => return Err(RepositoryError::Newer),
        None => {}
    }
    step.commit().map_err(failed)
}

fn version(db: &Connection) -> RowResult<i64> {
    let version = db.query_row("PRAGMA user_version", (), |row| row.get(0));
    version.map_err(failed)
}

fn apply(db: &Connection, sql: &str, version: i64) -> rusqlite::Result<()> {
    db.execute_batch(sql)?;
    db.execute(COUNTED, [version])?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", version)
}
