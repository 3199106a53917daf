//! Encryption at rest: who gives the key, what a file is, and how a store comes under another key.
//!
//! | part | job |
//! |---|---|
//! | `held` | asks the app for the key, once for each opening |
//! | `engine` | what SQLCipher does for us; in a build without it, says so |
//! | `look` | plain or encrypted, with this key, the one before, or neither |
//! | `marker` | says beside the file that it is encrypted, to those who have no key |
//! | `seal`, `moves` | a plain store, or one under the previous key, is written anew under the key |
//!
//! A key is proved by what it authenticates: the beginning of the file, which is made of the key,
//! or any page of it. A file of which nothing fits is said to have another key, and is never taken
//! for a damaged one.

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
use crate::domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult};

use self::look::Found;
#[cfg(feature = "testing")]
pub use self::steps::on_sealing;
pub(super) use self::{held::hold, moves::finish};

/// Refuses what cannot be opened so, before anything is made beside the file.
///
/// # Errors
/// As [`prepare`]; nothing was touched.
pub(super) fn admit(options: &SqliteOptions) -> RowResult<()> {
    match moves::pending(&options.path) {
        true => Ok(()),
        false => look::look(options).map(drop),
    }
}

/// Brings the file under the key; does nothing where it is, or where there is no key. Who is
/// `alone` finishes first what a kill left half done.
///
/// # Errors
/// `NoKey`, `WrongKey` and `NoCipher` leave everything as it was; `Unavailable` where the file has
/// to be written anew and others have it open; the disk's.
pub(super) fn prepare(options: &SqliteOptions, alone: bool) -> RowResult<()> {
    if alone {
        finish(&options.path)?;
    }
    let from = match look::look(options)? {
        Found::Fits if options.keys.is_none() => return Ok(()),
        // The first byte of an encrypted file follows the word that it is one.
        Found::Fits => return marker::put(&options.path),
        Found::Plain => None,
        Found::Previous(key) => Some(key),
    };
    match alone && !options.passive {
        true => seal::seal(options, from),
        false => Err(RepositoryError::Unavailable(
            "it has to be encrypted first, by the app alone".to_owned(),
        )),
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

fn key(options: &SqliteOptions) -> RowResult<Option<StoreKey>> {
    let key = options.keys.as_ref().map(|keys| keys.key());
    Ok(key.transpose()?)
}
