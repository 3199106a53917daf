//! A build without the cipher: it says so, and nothing is ever stored in plain instead.

use std::path::Path;

use rusqlite::Connection;

use crate::domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult};

/// What is said where a store is encrypted and there is no key.
pub(super) const CLOSED: RepositoryError = RepositoryError::NoCipher;

pub(super) const fn must_be_there() -> RowResult<()> {
    Err(RepositoryError::NoCipher)
}

pub(super) fn unlock(_: &Connection, _: &StoreKey) -> RowResult<()> {
    must_be_there()
}

pub(super) fn proves(_: &Path, _: &StoreKey) -> RowResult<bool> {
    Err(RepositoryError::NoCipher)
}

pub(super) fn copy(_: &Connection, _: &Path, _: &StoreKey) -> RowResult<()> {
    must_be_there()
}

/// There is none.
#[derive(Debug)]
pub(in super::super) enum LineCipher {}

impl LineCipher {
    pub(in super::super) const fn new(_: &StoreKey) -> RowResult<Self> {
        Err(RepositoryError::NoCipher)
    }

    pub(in super::super) const fn seal(&self, _: &[u8]) -> Option<String> {
        match *self {}
    }

    pub(in super::super) const fn open(&self, _: &[u8]) -> Option<Vec<u8>> {
        match *self {}
    }
}
