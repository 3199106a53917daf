//! What a store is, told without changing it.

use std::path::Path;

use rusqlite::ErrorCode;

use super::{
    engine::{self, LineCipher},
    held::under,
    key, marker,
};
use crate::{
    adapters::sqlite::{
        error::failed,
        options::SqliteOptions,
        probe,
        spare::{self, Language},
    },
    domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult},
};

/// What a store is to who wants to open it.
#[derive(Debug)]
pub(in super::super) enum Found {
    /// It opens so, or it is not there yet, or it is damaged.
    Fits,
    /// It opens with these options: it is plain, or under the key before. It is to come under the
    /// key.
    Other(SqliteOptions),
}

/// Looks.
///
/// # Errors
/// `NoKey` (`NoCipher`, in a build without it) for an encrypted store without a key, `WrongKey`
/// where nothing of the store was written with the key; the files are as they were.
pub(in super::super) fn look(options: &SqliteOptions) -> RowResult<Found> {
    let path = &options.path;
    let Some(key) = key(options)? else {
        return match is_sealed(path)? {
            true => Err(engine::CLOSED),
            false => Ok(Found::Fits),
        };
    };
    if proves(path, &key)? {
        return Ok(Found::Fits);
    }
    if is_plain(path)? {
        return Ok(Found::Other(under(options, None)));
    }
    match previous(options)? {
        Some(previous) if proves(path, &previous)? => {
            Ok(Found::Other(under(options, Some(previous))))
        }
        _ if is_nothing(path)? => Ok(Found::Fits),
        _ => Err(RepositoryError::WrongKey),
    }
}

/// Whether anything of the store was written with that key.
fn proves(path: &Path, key: &StoreKey) -> RowResult<bool> {
    let has_file = probe::size(path) > 0;
    // The dearest question last: it reads the whole file.
    Ok((has_file && engine::begins(path, key)?)
        || spare::is_under(path, &LineCipher::new(key)?)?
        || (has_file && engine::has_page(path, key)?))
}

fn previous(options: &SqliteOptions) -> RowResult<Option<StoreKey>> {
    let previous = options.keys.as_ref().map(|keys| keys.previous());
    Ok(previous.transpose()?.flatten())
}

/// Whether it is encrypted, as far as that can be told without a key.
fn is_sealed(path: &Path) -> RowResult<bool> {
    Ok(marker::is_there(path)
        || (spare::language(path)? == Language::Sealed && !begins_plain(path)?))
}

/// Whether no key was ever used: neither a file nor lines beside it.
fn is_nothing(path: &Path) -> RowResult<bool> {
    Ok(probe::size(path) == 0 && spare::language(path)? == Language::None)
}

/// Whether it is a plain store: by its beginning, where an encrypted one has its salt, or, where
/// that is damaged or gone, by the lines beside it.
fn is_plain(path: &Path) -> RowResult<bool> {
    if begins_plain(path)? {
        return Ok(true);
    }
    Ok(!marker::is_there(path) && spare::language(path)? == Language::Plain)
}

fn begins_plain(path: &Path) -> RowResult<bool> {
    if probe::size(path) == 0 {
        return Ok(false);
    }
    let db = probe::without_log(path)?;
    let pages = db.query_row("PRAGMA page_count", (), |row| row.get::<_, i64>(0));
    match pages {
        Ok(pages) => Ok(pages > 0),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Ok(false),
        Err(error) => match failed(error) {
            RepositoryError::Corrupt => Ok(true),
            error => Err(error),
        },
    }
}
