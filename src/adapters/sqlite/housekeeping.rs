//! What a user or an app asks of the file as a whole: how large it is, to make it small, to leave
//! nothing of it.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, types::Value};

use super::{
    cipher,
    error::{failed, io_failed},
    probe::beside,
};
use crate::domain::ports::chat_repository::RowResult;

/// How large a store is, and what is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StorageStatistics {
    /// Bytes of the database, its log and the spare.
    pub bytes: u64,
    /// Bytes within the database that hold nothing and that a vacuum gives back.
    pub free_bytes: u64,
    /// Stored conversations.
    pub conversations: u64,
    /// Stored messages, deleted ones too.
    pub messages: u64,
    /// Unsent actions.
    pub unsent: u64,
    /// Conversations with a draft.
    pub drafts: u64,
    /// Entries of the delivery journal, which nothing removes but the end of their conversation.
    pub journal: u64,
    /// Known holes in the stored history.
    pub gaps: u64,
}

/// What belongs to a store beside the database; what was moved aside comes in addition.
const PARTS: [&str; 8] = [
    "", "-wal", "-shm", "-journal", ".spare", ".fresh", ".ready", ".cipher",
];

/// Stands beside a store that is being wiped, so that a kill does not leave half of it.
const WIPING: &str = ".wiping";

/// Overwritten in pieces of this many bytes.
const PIECE: usize = 64 * 1024;

pub(super) fn statistics(db: &Connection, store: &Path) -> RowResult<StorageStatistics> {
    let number = |sql: &str| {
        let number = db.query_row(sql, (), |row| row.get::<_, i64>(0));
        number.map(i64::cast_unsigned).map_err(failed)
    };
    let size = |part: &&str| fs::metadata(beside(store, part)).map_or(0, |found| found.len());
    Ok(StorageStatistics {
        bytes: ["", "-wal", ".spare"].iter().map(size).sum(),
        free_bytes: number("PRAGMA freelist_count")? * page_size(db).map_err(failed)?,
        conversations: number("SELECT count(*) FROM conversation")?,
        messages: number("SELECT count(*) FROM message")?,
        unsent: number("SELECT count(*) FROM outbox")?,
        drafts: number("SELECT count(*) FROM conversation WHERE draft IS NOT NULL")?,
        journal: number("SELECT count(*) FROM journal")?,
        gaps: number("SELECT count(*) FROM message WHERE gap IS NOT NULL")?,
    })
}

/// Bytes of the pages that hold something.
pub(super) fn size(db: &Connection) -> rusqlite::Result<u64> {
    let number = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0));
    let pages = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
    Ok(pages.cast_unsigned() * page_size(db)?)
}

/// An encrypted database tells it as a text.
fn page_size(db: &Connection) -> rusqlite::Result<u64> {
    let told = db.query_row("PRAGMA page_size", (), |row| row.get::<_, Value>(0))?;
    Ok(match told {
        Value::Integer(size) => size.cast_unsigned(),
        Value::Text(size) => size.parse().unwrap_or_default(),
        _ => 0,
    })
}

/// Writes the file anew without its holes. What was deleted is gone from it afterwards.
pub(super) fn vacuum(db: &Connection) -> RowResult<()> {
    let fold = || db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    let run = || {
        db.execute_batch("VACUUM")?;
        fold()
    };
    run().map_err(failed)
}

/// Overwrites and removes every file of the store, those moved aside too. The caller is alone.
///
/// # Errors
/// Where a file cannot be written or removed; the next opening goes on.
pub(super) fn wipe(store: &Path) -> RowResult<()> {
    let marker = beside(store, WIPING);
    let run = || -> io::Result<()> {
        fs::File::create(&marker)?.sync_all()?;
        for file in files(store)? {
            erase(&file)?;
        }
        fs::remove_file(&marker)
    };
    run().map_err(|error| io_failed(&error))
}

/// Whether a wipe was killed.
pub(super) fn is_wiping(store: &Path) -> bool {
    beside(store, WIPING).exists()
}

/// Goes on with a wipe that was killed.
///
/// # Errors
/// As [`wipe`].
pub(super) fn finish_wipe(store: &Path) -> RowResult<()> {
    match is_wiping(store) {
        true => wipe(store),
        false => Ok(()),
    }
}

fn files(store: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = PARTS.iter().map(|part| beside(store, part)).collect();
    files.extend(cipher::files(store));
    files.extend(aside(store)?);
    Ok(files)
}

/// What was moved aside.
pub(super) fn aside(store: &Path) -> io::Result<Vec<PathBuf>> {
    let directory = match store.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = beside(store, ".damaged-");
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&*name) {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// The bytes are overwritten first: a file that is only removed leaves them on the disk. Flash may
/// keep old ones all the same; against that only encryption helps.
pub(super) fn erase(path: &Path) -> io::Result<()> {
    let mut file = match fs::File::options().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut left = file.metadata()?.len();
    let blank = vec![0; PIECE];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let piece = blank.get(..most).unwrap_or_default();
        file.write_all(piece)?;
        left -= piece.len() as u64;
    }
    file.sync_all()?;
    fs::remove_file(path)
}
