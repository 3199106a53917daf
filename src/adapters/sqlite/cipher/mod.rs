//! Encryption at rest: who gives the key, what a file is, and how a store comes under another key.
//!
//! | part | job |
//! |---|---|
//! | `held` | asks the app for the key, once for each opening |
//! | `engine` | what SQLCipher and the lines' cipher do; in a build without them, says so |
//! | `look` | plain or encrypted, with this key, the one before, or neither |
//! | `marker` | says beside the file that it is encrypted, to those who have no key |
//! | `seal`, `moves` | a plain store, or one under the previous key, is written anew under the key |
//!
//! A key is proved by what it authenticates: the beginning of the file, which is made of the key,
//! any page of it, or any line of the spare. A store of which nothing fits is said to have another
//! key, and is never taken for a damaged one.

#[cfg_attr(not(feature = "encryption"), path = "engine_missing.rs")]
mod engine;
mod held;
mod look;
mod marker;
mod moves;
mod seal;
mod steps;

use rusqlite::Connection;

use super::options::SqliteOptions;
use crate::domain::ports::{StoreKey, chat_repository::RowResult};

#[cfg(feature = "testing")]
pub use self::steps::on_sealing;
pub(super) use self::{
    engine::LineCipher,
    held::hold,
    look::{Found, look},
    moves::{files, finish, is_moving},
    seal::seal,
};

/// Says beside a store that has a key that it is encrypted, before its first byte.
///
/// # Errors
/// Where that cannot be written.
pub(super) fn mark(options: &SqliteOptions) -> RowResult<()> {
    match options.keys {
        Some(_) => marker::put(&options.path),
        None => Ok(()),
    }
}

/// Gives the connection its key, if there is one; nothing was read with it before.
///
/// # Errors
/// The provider's, or what SQLite said.
pub(super) fn unlock(db: &Connection, options: &SqliteOptions) -> RowResult<()> {
    match key(options)? {
        Some(key) => engine::unlock(db, &key),
        None => Ok(()),
    }
}

/// What encrypts the lines beside a store that has a key.
///
/// # Errors
/// The provider's.
pub(super) fn lines(options: &SqliteOptions) -> RowResult<Option<LineCipher>> {
    key(options)?.map(|key| LineCipher::new(&key)).transpose()
}

fn key(options: &SqliteOptions) -> RowResult<Option<StoreKey>> {
    let key = options.keys.as_ref().map(|keys| keys.key());
    Ok(key.transpose()?)
}
