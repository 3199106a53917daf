//! A store is written anew under its key: a plain one, or one under the key before.
//!
//! The steps, so that a kill between any two of them loses nothing and is made good at the next
//! opening: the new file is written beside the old one; it is compared with it and synced; it is
//! said to be whole; the old one gives up its name; the new one takes it; the old one is overwritten
//! and removed. Until it is said to be whole, the old one counts, and after that the new one.

use super::{engine, held::under, key, marker, moves, steps::step};
use crate::{
    adapters::sqlite::{open, options::SqliteOptions},
    domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult},
};

/// Writes the store anew; the caller has it alone. `from` is the key that it is under now.
///
/// # Errors
/// `Corrupt` where it cannot be read to its end; `Full`: it needs its own size once more. The store
/// is as it was then.
pub(super) fn seal(options: &SqliteOptions, from: Option<StoreKey>) -> RowResult<()> {
    let key = key(options)?.ok_or(RepositoryError::NoKey)?;
    let stage = moves::stage(&options.path)?;
    let old = open::to_copy(&under(options, from))?;
    engine::copy(&old, &stage, &key)?;
    drop(old);
    step("copied");
    marker::put(&options.path)?;
    step("marked");
    moves::ready(&options.path)?;
    moves::finish(&options.path)?;
    tracing::info!("storage.encrypted");
    Ok(())
}
