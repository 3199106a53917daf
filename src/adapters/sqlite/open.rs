//! Connections with our settings.

use std::{path::Path, thread, time::Duration};

use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, config::DbConfig};

use super::{
    cipher,
    cipher::Found,
    error::failed,
    housekeeping, migrate,
    options::SqliteOptions,
    probe, salvage,
    salvage::compare,
    search_repair,
    spare::{Contents, Ledger, Spare},
    users::Users,
};
use crate::domain::ports::{RepositoryError, chat_repository::RowResult};

/// Every statement of the store stays prepared.
const STATEMENTS: usize = 128;

/// Settings of every connection, set and not assumed: other builds of SQLite have other defaults.
///
/// `temp_store`: no text of a message goes to a temporary file.
const COMMON: &str = "PRAGMA temp_store = MEMORY";

/// The same, as switches: no statement has to be parsed for them.
///
/// `ENABLE_QPSG`: a plan depends on the statement alone. Else SQLite looks at the values bound to
/// it first, to see whether a partial index would do, and prepares the statement a second time.
const SWITCHES: [(DbConfig, bool); 3] = [
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
    (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
];

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

/// A store that is open for writing.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) spare: Spare,
    pub(super) ledger: Ledger,
}

/// Opens, creates, migrates or salvages the file. The lock tells others that it is in use.
///
/// # Errors
/// `Newer` and `Foreign` leave it as it was; `Corrupt` where it is damaged and another process has
/// it open; `Unavailable` where it cannot be written.
pub(super) fn store(options: &SqliteOptions) -> RowResult<(Opened, Users)> {
    // Before anything is made beside a file that is not for us.
    let look = match Users::were_here(&options.path) {
        true => Look::Brief,
        false => admitted(options)?,
    };
    let (users, alone) = Users::enter(&options.path, options.busy_timeout)?;
    let opened = if alone {
        whole(options, look)
    } else {
        beside_others(options)
    };
    let opened = match opened {
        Err(RepositoryError::Corrupt) if !alone => users.alone(|| whole(options, Look::Due)),
        other => other,
    }?;
    users.share()?;
    Ok((opened, users))
}

/// Whether the file has been looked at as it will be opened. A look costs a connection and its
/// schema, as much as the opening itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Due,
    /// Due, and nobody has the file open, in this process either: its first bytes may tell.
    Brief,
    Done,
}

/// Whether this version may read it, with this key; what is damaged is looked at again.
fn admitted(options: &SqliteOptions) -> RowResult<Look> {
    if housekeeping::is_wiping(&options.path) || cipher::is_moving(&options.path) {
        return Ok(Look::Due);
    }
    let look = match cipher::look(options)? {
        Found::Fits => probe::check(options).map(|()| Look::Done),
        Found::Other(old) => probe::check(&old).map(|()| Look::Due),
    };
    match look {
        Err(RepositoryError::Corrupt) => Ok(Look::Due),
        look => look,
    }
}

/// Opens what nobody else has open: finishes what a kill left half done, salvages what is damaged.
///
/// # Errors
/// As [`store`], without `Corrupt`.
fn whole(options: &SqliteOptions, look: Look) -> RowResult<Opened> {
    housekeeping::finish_wipe(&options.path)?;
    salvage::finish(&options.path)?;
    cipher::finish(&options.path)?;
    match cipher::look(options)? {
        Found::Fits => cipher::mark(options)?,
        Found::Other(_) if options.passive => return Err(to_be_encrypted()),
        Found::Other(old) => {
            // As what it is: nothing of it gets lost on the way.
            let opened = settled(&old, Look::Due)?;
            fold_at_end(&opened.db, false)?;
            cipher::seal(options, &old, opened.db)?;
            return settled(options, Look::Due);
        }
    }
    settled(options, look)
}

/// Opens it, salvaged where it is damaged.
fn settled(options: &SqliteOptions, look: Look) -> RowResult<Opened> {
    let opened = compared(options, look);
    match opened {
        Err(RepositoryError::Corrupt) => replaced(options).map(|(opened, _)| opened),
        other => other,
    }
}

/// Opens, and compares with the spare.
fn compared(options: &SqliteOptions, look: Look) -> RowResult<Opened> {
    let mut db = writer(options, look)?;
    let (spare, ledger) = compare::agree(&mut db, options)?;
    fold_at_end(&db, true)?;
    Ok(Opened { db, spare, ledger })
}

/// Replaces a damaged file, unless it is only its full-text index; whether it was replaced.
///
/// # Errors
/// As [`store`].
pub(super) fn replaced(options: &SqliteOptions) -> RowResult<(Opened, bool)> {
    if mended(options).unwrap_or(false) {
        match compared(options, Look::Due) {
            // A file can be sound and lack rows that every store has.
            Err(RepositoryError::Corrupt) => {}
            opened => return opened.map(|opened| (opened, false)),
        }
    }
    salvage::replace(options)?;
    compared(options, Look::Due).map(|opened| (opened, true))
}

fn mended(options: &SqliteOptions) -> RowResult<bool> {
    search_repair::mend(&writer(options, Look::Due)?)
}

/// Opens what others have open too: who opened it first has compared.
///
/// # Errors
/// As [`store`].
pub(super) fn beside_others(options: &SqliteOptions) -> RowResult<Opened> {
    if let Found::Other(_) = cipher::look(options)? {
        return Err(to_be_encrypted());
    }
    let db = writer(options, Look::Due)?;
    let spare = Spare::open(options)?;
    fold_at_end(&db, true)?;
    let mut ledger = Ledger::default();
    ledger.learn(&Contents::read(options)?);
    Ok(Opened { db, spare, ledger })
}

/// A connection for writing, the schema being the newest. Should a later version have come between
/// the look and this, the migration meets it, before anything is written.
fn writer(options: &SqliteOptions, look: Look) -> RowResult<Connection> {
    match look {
        Look::Due => probe::check(options)?,
        Look::Brief => probe::check_alone(options)?,
        Look::Done => {}
    }
    let mut db = writing(&options.path, options)?;
    fold_at_end(&db, false)?;
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

/// Whether the end of this connection folds the log in. It does not before the file is known to be
/// whole: what is kept aside is kept as it was.
fn fold_at_end(db: &Connection, fold: bool) -> RowResult<()> {
    let set = db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !fold);
    set.map(drop).map_err(failed)
}

/// A new file for a store that is built before anybody uses it: one file without a log.
///
/// # Errors
/// What SQLite said.
pub(super) fn fresh(options: &SqliteOptions, place: &Path) -> RowResult<Connection> {
    let db = writing(place, options)?;
    db.execute_batch("PRAGMA synchronous = FULL")
        .map_err(failed)?;
    Ok(db)
}

fn writing(path: &Path, options: &SqliteOptions) -> RowResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(path, options, flags)
}

/// Opens the file for reading; the writer must have opened it before.
///
/// # Errors
/// What SQLite said.
pub(super) fn reader(options: &SqliteOptions) -> RowResult<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(&options.path, options, flags)
}

fn connect(path: &Path, options: &SqliteOptions, flags: OpenFlags) -> RowResult<Connection> {
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    // The key comes before all that reads.
    cipher::unlock(&db, options)?;
    db.busy_timeout(options.busy_timeout)
        .and_then(|()| configure(&db))
        .map_err(failed)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(db)
}

/// Gives a connection the settings that all have.
///
/// # Errors
/// What SQLite said.
pub(super) fn configure(db: &Connection) -> rusqlite::Result<()> {
    for (switch, on) in SWITCHES {
        db.set_db_config(switch, on)?;
    }
    db.execute_batch(COMMON)
}

/// Runs a statement that stays prepared.
///
/// # Errors
/// What SQLite said.
pub(super) fn run_cached(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute(()).map(drop)
}

fn to_be_encrypted() -> RepositoryError {
    RepositoryError::Unavailable("it has to be encrypted first, by the app alone".to_owned())
}

/// Looks at every page and every index.
///
/// # Errors
/// `Corrupt` where something does not fit.
pub(super) fn must_be_whole(db: &Connection) -> RowResult<()> {
    let word = db.query_row("PRAGMA integrity_check(1)", (), |row| {
        row.get::<_, String>(0)
    });
    match word.as_deref() {
        Ok("ok") => Ok(()),
        Err(error) if is_interrupted(error) => {
            Err(RepositoryError::Unavailable("the look was ended".into()))
        }
        // The check itself fails on some damage.
        _ => Err(RepositoryError::Corrupt),
    }
}

/// Switches to the write-ahead log. The switch needs the file alone and does not wait by itself,
/// so two processes that create one store at once have to take turns. It is the first statement that
/// reads the schema.
fn use_wal(db: &Connection) -> RowResult<()> {
    for _ in 0..CREATE_ATTEMPTS {
        match try_wal(db) {
            Ok(true) => return Ok(()),
            Ok(false) => break,
            Err(error) if is_busy(&error) => thread::sleep(CREATE_PAUSE),
            Err(error) => return probe::answered(Err(error)),
        }
    }
    Err(RepositoryError::Unavailable("it cannot keep a log".into()))
}

fn try_wal(db: &Connection) -> rusqlite::Result<bool> {
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))?;
    Ok(mode == "wal")
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}
