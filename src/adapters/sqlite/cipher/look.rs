//! What a file is, told without changing it.

use std::path::Path;

use rusqlite::ErrorCode;

use super::{engine, held::under, key, marker};
use crate::{
    adapters::sqlite::{error::failed, options::SqliteOptions, probe},
    domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult},
};

/// What a file is to who wants to open it.
#[derive(Debug)]
pub(super) enum Found {
    /// It opens so, or it is not there yet.
    Fits,
    /// A plain store, and there is a key.
    Plain,
    /// It opens with the key before this one.
    Previous(StoreKey),
}

/// Looks.
///
/// # Errors
/// `NoKey` (`NoCipher`, in a build without it) for an encrypted store without a key, `WrongKey`
/// where nothing in the file was written with the key, `Corrupt` for damage, `Newer`; the file and
/// its directory are as they were.
pub(super) fn look(options: &SqliteOptions) -> RowResult<Found> {
    let path = &options.path;
    let Some(key) = key(options)? else {
        return match marker::is_there(path) {
            true => Err(engine::CLOSED),
            false => probe::check(options).map(|()| Found::Fits),
        };
    };
    // The log is read only once the key is known to be right: reading it leaves traces.
    if probe::size(path) == 0 || engine::proves(path, &key)? {
        return probe::check(options).map(|()| Found::Fits);
    }
    if is_plain(path)? {
        return probe::check(&under(options, None)).map(|()| Found::Plain);
    }
    match previous(options)? {
        Some(previous) if engine::proves(path, &previous)? => {
            probe::check(&under(options, Some(previous.clone())))?;
            Ok(Found::Previous(previous))
        }
        _ => Err(RepositoryError::WrongKey),
    }
}

fn previous(options: &SqliteOptions) -> RowResult<Option<StoreKey>> {
    let previous = options.keys.as_ref().map(|keys| keys.previous());
    Ok(previous.transpose()?.flatten())
}

/// Whether it begins as a plain database does: an encrypted one has its salt there.
fn is_plain(path: &Path) -> RowResult<bool> {
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
