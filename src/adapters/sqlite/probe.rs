//! A look at a file that must not change it: is it ours, and can this version read it?
//!
//! SQLite itself looks, never `std::fs`: on Unix, closing any other handle of the file drops every
//! lock that this process holds on it, those of another open store included.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{cipher, error::failed, migrate, options::SqliteOptions};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Marks the file as ours: "TDNG".
pub(super) const APPLICATION_ID: i64 = 0x5444_4E47;

/// The smallest page that SQLite knows.
const SMALLEST_PAGE: u64 = 512;

/// What a file says of itself.
#[derive(Debug, PartialEq, Eq)]
struct Label {
    application: i64,
    version: i64,
    objects: i64,
    /// How many of its tables have names of ours.
    ours: i64,
    /// The version as counted among the rows, where it is.
    counted: Option<i64>,
}

/// Tables that only a store of ours has together.
const OURS: &str = "SELECT count(*) FROM sqlite_schema
    WHERE type = 'table' AND name IN ('conversation', 'message', 'outbox', 'journal', 'counter')";

/// Passes where the file is missing, empty or a store that this version can read.
///
/// # Errors
/// `Corrupt` for what is no database or a damaged store, `Foreign` for another program's database,
/// `Newer` for a later version's store; the file, its log and its directory are as they were.
pub(super) fn check(options: &SqliteOptions) -> RowResult<()> {
    if size(&options.path) == 0 {
        return Ok(());
    }
    judge(&label(options)?)
}

fn judge(label: &Label) -> RowResult<()> {
    match label {
        // A kill between creating the file and its first migration leaves it blank.
        Label {
            application: 0,
            version: 0,
            objects: 0,
            ..
        } => Ok(()),
        Label {
            application: APPLICATION_ID,
            version,
            ..
        // A header that says otherwise than the rows was damaged.
        } if label.counted.is_some_and(|counted| counted != *version) => {
            Err(RepositoryError::Corrupt)
        }
        Label {
            application: APPLICATION_ID,
            version,
            ..
        } if *version > migrate::latest() => Err(RepositoryError::Newer),
        Label {
            application: APPLICATION_ID,
            ..
        } => Ok(()),
        Label { ours: 5, .. } => Err(RepositoryError::Corrupt),
        _ => Err(RepositoryError::Foreign),
    }
}

fn label(options: &SqliteOptions) -> RowResult<Label> {
    let path = &options.path;
    let read = |db: RowResult<Connection>| {
        let db = db?;
        cipher::unlock(&db, options)?;
        read(&db)
    };
    if has_log(path) {
        return read(with_log(path));
    }
    match read(without_log(path)) {
        // Another process may have begun to write between the look at the log and ours at the
        // file; what was half of a checkpoint is whole when seen with the log.
        Err(_) if has_log(path) => read(with_log(path)),
        // SQLite takes any file that is shorter than its smallest page for an empty database.
        Ok(_) if size(path) < SMALLEST_PAGE => Err(RepositoryError::Corrupt),
        outcome => outcome,
    }
}

fn read(db: &Connection) -> RowResult<Label> {
    read_label(db).map_err(|error| match failed(error) {
        // These statements fit every database: where one does not work, the file is none.
        RepositoryError::Internal(_) => RepositoryError::Corrupt,
        error => error,
    })
}

fn read_label(db: &Connection) -> rusqlite::Result<Label> {
    let number = |sql: &str| db.query_row(sql, (), |row| row.get(0));
    Ok(Label {
        // Reading the schema makes SQLite check the header first.
        objects: number("SELECT count(*) FROM sqlite_schema")?,
        ours: number(OURS)?,
        counted: counted(db)?,
        application: number("PRAGMA application_id")?,
        version: number("PRAGMA user_version")?,
    })
}

/// Stores of the first version do not count it; what is no store has no such table.
fn counted(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT value FROM counter WHERE name = 'schema'";
    let counted = db.query_row(sql, (), |row| row.get(0)).optional();
    match counted {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => Ok(None),
        counted => counted,
    }
}

/// The newest word may be in the log, so it has to be read; who cannot write cannot fold it in.
fn with_log(path: &Path) -> RowResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(failed)
}

/// `immutable` makes SQLite take no lock and create no file beside it.
pub(super) fn without_log(path: &Path) -> RowResult<Connection> {
    let unreachable = || RepositoryError::Unavailable("its path cannot be named".to_owned());
    let absolute = std::path::absolute(path).map_err(|_| unreachable())?;
    let mut uri = url::Url::from_file_path(absolute).map_err(|()| unreachable())?;
    uri.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri.as_str(), flags).map_err(failed)
}

fn has_log(path: &Path) -> bool {
    size(&beside(path, "-wal")) > 0 || size(&beside(path, "-journal")) > 0
}

pub(super) fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// The path with something appended to its last part.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
