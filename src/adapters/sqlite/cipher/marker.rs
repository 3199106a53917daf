//! Says beside a store that it is encrypted. Without a key an encrypted file cannot be told from
//! noise, and noise is taken for damage.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use super::moves::sync_directory;
use crate::{
    adapters::sqlite::{error::io_failed, probe::beside},
    domain::ports::chat_repository::RowResult,
};

/// For people; what counts is that it is there.
const WORDS: &[u8] = b"This store is encrypted with SQLCipher 4. Keep this file beside it.\n";

/// Whether it is there.
pub(super) fn is_there(store: &Path) -> bool {
    place(store).exists()
}

/// Puts it there, to stay.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn put(store: &Path) -> RowResult<()> {
    let write = |mut file: File| -> io::Result<()> {
        file.write_all(WORDS)?;
        file.sync_all()
    };
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).open(place(store));
    match made.and_then(write) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io_failed(&error)),
        Ok(()) => {
            sync_directory(store);
            Ok(())
        }
    }
}

fn place(store: &Path) -> PathBuf {
    beside(store, ".cipher")
}
