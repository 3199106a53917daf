//! A store is written anew under its key: a plain one, or one under the key before.
//!
//! The steps, so that a kill between any two of them loses nothing and is made good at the next
//! opening: the new file is written beside the old one; it is compared with it and synced; what
//! stands beside the old one is removed; the new one is said to be whole; the old one gives up its
//! name; the new one takes it; the old one is overwritten and removed. Until the new one is said to
//! be whole, the old one counts, and after that the new one.

use rusqlite::Connection;

use super::{engine, key, marker, moves, steps::step};
use crate::{
    adapters::sqlite::options::SqliteOptions,
    domain::ports::{RepositoryError, chat_repository::RowResult},
};

/// Writes the store anew; the caller has it alone. `old` is how it was opened, `db` its connection,
/// which leaves the log where it is.
///
/// # Errors
/// `Corrupt` where it cannot be read to its end; `Full`: it needs its own size once more. The store
/// is as it was then.
pub(in super::super) fn seal(
    options: &SqliteOptions,
    old: &SqliteOptions,
    db: Connection,
) -> RowResult<()> {
    let key = key(options)?.ok_or(RepositoryError::NoKey)?;
    let stage = moves::stage(&options.path)?;
    engine::copy(&db, &stage, &key)?;
    drop(db);
    step("copied");
    marker::put(&options.path)?;
    step("marked");
    moves::clear(&options.path, old.keys.is_none())?;
    moves::ready(&options.path)?;
    moves::finish(&options.path)?;
    tracing::info!("storage.encrypted");
    Ok(())
}
