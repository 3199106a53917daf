//! The names of the files while a store is written anew under its key, and their moves.
//!
//! | name | what it is |
//! |---|---|
//! | `.sealing` | the new file under way: worth nothing after a kill |
//! | `.sealed` | the new file, whole and on the disk: it takes the place of the old one |
//! | `.unsealed` | the old one and its log, to be overwritten and removed |

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::steps::step;
use crate::{
    adapters::sqlite::{error::io_failed, housekeeping, probe::beside, spare},
    domain::ports::chat_repository::RowResult,
};

/// What belongs to a database file, itself last: as long as it has its name, its log may have too.
const PARTS: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// Whether a kill left moves to be made.
pub(in super::super) fn is_moving(store: &Path) -> bool {
    beside(store, ".sealed").exists() || parts(store, ".unsealed").any(|part| part.exists())
}

/// Every name that is used here.
pub(in super::super) fn files(store: &Path) -> impl Iterator<Item = PathBuf> {
    let names = [".sealing", ".sealed", ".unsealed"];
    names.into_iter().flat_map(move |name| parts(store, name))
}

/// The place for the new file; what a kill left there is removed.
///
/// # Errors
/// The disk's.
pub(super) fn stage(store: &Path) -> RowResult<PathBuf> {
    let removed = parts(store, ".sealing").try_for_each(|part| remove(&part));
    removed.map_err(|error| io_failed(&error))?;
    Ok(beside(store, ".sealing"))
}

/// Removes what stands beside the old file: its spare, of which the new one gets its own, and,
/// where that could be read by anybody, what was moved aside, the salvage having taken from it what
/// there was.
///
/// # Errors
/// The disk's.
pub(super) fn clear(store: &Path, plain: bool) -> RowResult<()> {
    let run = || -> io::Result<()> {
        housekeeping::erase(&spare::place(store))?;
        step("spare cleared");
        match plain {
            true => housekeeping::aside(store)?
                .iter()
                .try_for_each(|file| housekeeping::erase(file)),
            false => Ok(()),
        }
    };
    run().map_err(|error| io_failed(&error))
}

/// Says that the new file is whole.
///
/// # Errors
/// The disk's.
pub(super) fn ready(store: &Path) -> RowResult<()> {
    let run = || -> io::Result<()> {
        let stage = beside(store, ".sealing");
        OpenOptions::new().write(true).open(&stage)?.sync_all()?;
        step("written");
        fs::rename(&stage, beside(store, ".sealed"))
    };
    run().map_err(|error| io_failed(&error))?;
    sync_directory(store);
    step("ready");
    Ok(())
}

/// Gives a new file that is whole its place, and leaves nothing of the old one. The caller is
/// alone. Without such files nothing happens.
///
/// # Errors
/// Where a file cannot be moved; called again, it goes on from there.
pub(in super::super) fn finish(store: &Path) -> RowResult<()> {
    let run = || -> io::Result<()> {
        let sealed = beside(store, ".sealed");
        if sealed.exists() {
            for part in PARTS {
                move_away(store, part)?;
            }
            fs::rename(&sealed, store)?;
            sync_directory(store);
            step("in place");
        }
        parts(store, ".unsealed").try_for_each(|part| {
            step("removed");
            housekeeping::erase(&part)
        })
    };
    run().map_err(|error| io_failed(&error))
}

/// From the store's name to that of what is to be removed.
fn move_away(store: &Path, part: &str) -> io::Result<()> {
    let old = beside(store, part);
    if old.exists() {
        fs::rename(old, beside(&beside(store, ".unsealed"), part))?;
        step("moved");
    }
    Ok(())
}

fn parts(store: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    let file = beside(store, name);
    PARTS.into_iter().map(move |part| beside(&file, part))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The moves themselves reach the disk. Where a directory cannot be synced, nothing can be done.
pub(super) fn sync_directory(store: &Path) {
    let parent = store.parent().filter(|parent| *parent != Path::new(""));
    if let Ok(directory) = File::open(parent.unwrap_or_else(|| Path::new("."))) {
        let _ = directory.sync_all();
    }
}
