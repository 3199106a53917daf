//! The names of the files, and their moves.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    adapters::sqlite::{error::io_failed, probe::beside},
    domain::{ports::chat_repository::RowResult, time::WallTime},
};

/// What belongs to a database file, itself last: a database without its log is whole as of an
/// earlier moment, a log without its database would be taken for another's.
const PARTS: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// The name of the fresh store while it is built; what a kill left of an earlier one is removed.
pub(super) fn stage(store: &Path) -> RowResult<PathBuf> {
    let stage = beside(store, ".fresh");
    for part in PARTS {
        remove(&beside(&stage, part)).map_err(|error| io_failed(&error))?;
    }
    Ok(stage)
}

/// Says that the fresh store is whole.
pub(super) fn ready(store: &Path) -> RowResult<()> {
    let done = fs::rename(beside(store, ".fresh"), ready_name(store));
    done.map_err(|error| io_failed(&error))
}

/// Puts a fresh store that is whole into its place, the damaged files having been moved aside.
/// Without such a store nothing happens.
///
/// # Errors
/// Where a file cannot be moved; called again, it goes on from there.
pub(in super::super) fn finish(store: &Path) -> RowResult<()> {
    let ready = ready_name(store);
    if !ready.exists() {
        return Ok(());
    }
    let aside = aside_of(store, &ready);
    let swap = || -> io::Result<()> {
        for part in PARTS {
            let from = beside(store, part);
            if from.exists() {
                fs::rename(from, beside(&aside, part))?;
            }
        }
        fs::rename(&ready, store)
    };
    swap().map_err(|error| io_failed(&error))?;
    sync_directory(store);
    Ok(())
}

fn ready_name(store: &Path) -> PathBuf {
    beside(store, ".ready")
}

/// The name under which the damaged file will be kept, without its directory.
pub(super) fn name(store: &Path) -> String {
    let aside = aside_of(store, &beside(store, ".fresh"));
    let name = aside.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Named with the moment at which the fresh store was begun; that file keeps it over a kill.
fn aside_of(store: &Path, fresh: &Path) -> PathBuf {
    let begun = fs::metadata(fresh).and_then(|found| found.created().or_else(|_| found.modified()));
    let since = begun
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let millis = since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
    let stamp = WallTime::from_millis(millis)
        .to_string()
        .replace([':', '-'], "");
    beside(store, &format!(".damaged-{stamp}"))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The moves themselves reach the disk. Where a directory cannot be synced, nothing can be done.
fn sync_directory(store: &Path) {
    if let Some(directory) = store.parent()
        && let Ok(directory) = fs::File::open(directory)
    {
        let _ = directory.sync_all();
    }
}
