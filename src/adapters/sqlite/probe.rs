//! A look at a file that must not change it: is it ours, and can this version read it?
//!
//! SQLite itself looks: on Unix, closing any other handle of the file drops every lock that this
//! process holds on it, those of another open store included. Only who knows that nobody has it
//! open may read its first bytes, which costs a tenth.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{cipher, error::failed, migrate, options::SqliteOptions};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Marks the file as ours: "TDNG".
pub(super) const APPLICATION_ID: i64 = 0x5444_4E47;

/// The smallest page that SQLite knows.
const SMALLEST_PAGE: u64 = 512;

/// What a file says of itself, at more length than a store of ours is asked for.
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
    look(options, |db| {
        let (application, version) = header(db)?;
        // The schema is read by who opens it, and the version that is counted is compared there.
        let ours = application == APPLICATION_ID && version <= migrate::latest();
        if ours {
            Ok(Ok(()))
        } else {
            read_label(db).map(|label| judge(&label))
        }
    })?
}

/// As [`check`], for who knows that nobody has the file open.
///
/// # Errors
/// As [`check`].
pub(super) fn check_alone(options: &SqliteOptions) -> RowResult<()> {
    let path = &options.path;
    // The newest word may be in a log.
    if !has_log(path) && first_bytes(path).is_some_and(|bytes| is_ours(&bytes)) {
        return Ok(());
    }
    check(options)
}

/// The header of a database file: <https://www.sqlite.org/fileformat.html>, section 1.3.
const HEADER: usize = 100;

fn first_bytes(path: &Path) -> Option<[u8; HEADER]> {
    let mut bytes = [0; HEADER];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.ok().map(|()| bytes)
}

/// A store of ours that this version can read, by what it says of itself.
fn is_ours(header: &[u8; HEADER]) -> bool {
    let number = |at| {
        let bytes = header.get(at..at + 4)?.try_into().ok()?;
        Some(i64::from(u32::from_be_bytes(bytes)))
    };
    header.starts_with(b"SQLite format 3\0")
        && number(68) == Some(APPLICATION_ID)
        && number(60).is_some_and(|version| version <= migrate::latest())
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

/// Asks the file something, in the way that leaves it as it is.
fn look<T>(
    options: &SqliteOptions,
    ask: impl Fn(&Connection) -> rusqlite::Result<T>,
) -> RowResult<T> {
    let path = &options.path;
    let read = |db: RowResult<Connection>| {
        let db = db?;
        cipher::unlock(&db, options)?;
        answered(ask(&db))
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

/// The answer to a statement that fits every database.
///
/// # Errors
/// `Corrupt` where it does not work: the file is none.
pub(super) fn answered<T>(answer: rusqlite::Result<T>) -> RowResult<T> {
    answer.map_err(|error| match failed(error) {
        RepositoryError::Internal(_) => RepositoryError::Corrupt,
        error => error,
    })
}

/// Whose it says it is, and of which version.
fn header(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let number = |sql: &str| db.query_row(sql, (), |row| row.get(0));
    Ok((
        number("PRAGMA application_id")?,
        number("PRAGMA user_version")?,
    ))
}

fn read_label(db: &Connection) -> rusqlite::Result<Label> {
    let number = |sql: &str| db.query_row(sql, (), |row| row.get(0));
    let (application, version) = header(db)?;
    Ok(Label {
        // Reading the schema makes SQLite check the header first.
        objects: number("SELECT count(*) FROM sqlite_schema")?,
        ours: number(OURS)?,
        counted: counted(db)?,
        application,
        version,
    })
}

/// The version as counted among the rows. Stores of the first version do not count it; what is no
/// store has no such table.
///
/// # Errors
/// What SQLite said.
pub(super) fn counted(db: &Connection) -> rusqlite::Result<Option<i64>> {
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
