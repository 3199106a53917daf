//! Connections with our settings.

use std::{path::Path, thread, time::Duration};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};

use super::{error::failed, migrate, options::SqliteOptions, probe};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Every statement of the store stays prepared.
const STATEMENTS: usize = 128;

/// Settings of every connection, set and not assumed: other builds of SQLite have other defaults.
///
/// `temp_store`: no text of a message goes to a temporary file.
const COMMON: &str = "
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
";

/// Settings of the writer.
///
/// `wal_autocheckpoint`: twice the default, 8 MB. A checkpoint is the longest wait a commit can
/// meet; half as many make the first synchronisation faster, and a log of that size is still read
/// back within milliseconds after a kill. `journal_size_limit`: a log that a slow reader let grow
/// shrinks again. `secure_delete`: deleted text is overwritten where that costs no extra write.
const WRITER: &str = "
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA journal_size_limit = 8388608;
    PRAGMA secure_delete = FAST;
";

/// Settings of a writer that asks for true barriers.
const BARRIER: &str = "
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
";

/// How often and how long to wait for another process that creates the file at the same moment.
const CREATE_ATTEMPTS: u32 = 100;
const CREATE_PAUSE: Duration = Duration::from_millis(50);

/// Opens, creates or migrates the file.
///
/// # Errors
/// `Corrupt` and `Newer` leave it as it was; `Unavailable` where it cannot be written.
pub(super) fn writer(options: &SqliteOptions) -> RowResult<Connection> {
    probe::check(&options.path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = connect(&options.path, flags, options.busy_timeout)?;
    // SQLite falls back to reading where it may not write; every accept would fail then.
    if db.is_readonly(MAIN_DB).map_err(failed)? {
        return Err(RepositoryError::Unavailable("it cannot be written".into()));
    }
    use_wal(&db)?;
    db.execute_batch(WRITER).map_err(failed)?;
    if options.barrier {
        db.execute_batch(BARRIER).map_err(failed)?;
    }
    migrate::run(&mut db)?;
    Ok(db)
}

/// Opens the file for reading; the writer must have opened it before.
///
/// # Errors
/// What SQLite said.
pub(super) fn reader(options: &SqliteOptions) -> RowResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(&options.path, flags, options.busy_timeout)
}

fn connect(path: &Path, flags: OpenFlags, wait: Duration) -> RowResult<Connection> {
    let open = || {
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(wait)?;
        db.execute_batch(COMMON)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(db)
    };
    open().map_err(failed)
}

/// Switches to the write-ahead log. The switch needs the file alone and does not wait by itself,
/// so two processes that create one store at once have to take turns.
fn use_wal(db: &Connection) -> RowResult<()> {
    for _ in 0..CREATE_ATTEMPTS {
        match try_wal(db) {
            Ok(true) => return Ok(()),
            Ok(false) => break,
            Err(error) if is_busy(&error) => thread::sleep(CREATE_PAUSE),
            Err(error) => return Err(failed(error)),
        }
    }
    Err(RepositoryError::Unavailable("it cannot keep a log".into()))
}

fn try_wal(db: &Connection) -> rusqlite::Result<bool> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))?;
    Ok(mode == "wal")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
