//! The store encrypted at rest: what opens it, how it comes under a key, and what is never on disk.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

mod changing;
mod contract;
mod killed;
mod opening;
mod salvage;
mod sharing;
#[path = "../storage/support.rs"]
#[allow(dead_code, reason = "of what the storage tests have, this uses a part")]
mod support;
mod traces;

use std::{path::Path, sync::Arc};

use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        ports::{RepositoryError, StoreKey},
        search::{Search, query::Query},
    },
    testing::ScriptedKeys,
};

use support::Store;

/// A key of random-looking bytes, the same for the same number.
pub(crate) fn key(number: u8) -> StoreKey {
    let mut bytes = [0; StoreKey::LENGTH];
    let mut state = u32::from(number) + 1;
    for byte in &mut bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    StoreKey::from_slice(&bytes).expect("a key")
}

pub(crate) fn keys(number: u8) -> ScriptedKeys {
    ScriptedKeys::new(key(number))
}

pub(crate) fn options(path: &Path, keys: &ScriptedKeys) -> SqliteOptions {
    SqliteOptions {
        keys: Some(Arc::new(keys.clone())),
        ..SqliteOptions::new(path)
    }
}

pub(crate) fn open(path: &Path, keys: &ScriptedKeys) -> Result<Store, RepositoryError> {
    support::open_with(options(path, keys))
}

/// A question for messages with that word.
pub(crate) fn search(word: &str) -> Search {
    Search {
        query: Query::parse(word),
        conversation: None,
        before: None,
        limit: 10,
    }
}

/// How the opening of that store fails.
pub(crate) fn refusal(options: SqliteOptions) -> RepositoryError {
    match SqliteRepository::open(options) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

/// A closed store under that key with the accepted messages `1..=count`.
pub(crate) async fn filled(path: &Path, keys: &ScriptedKeys, count: u32) {
    let store = open(path, keys).expect("a store");
    for n in 1..=count {
        support::accept_into(&store, n).await.expect("accepted");
    }
    store.close().await;
}

/// Whether the store opens so and has just the messages `1..=count`.
pub(crate) async fn must_have(path: &Path, keys: &ScriptedKeys, count: u32) {
    let store = open(path, keys).expect("a store");
    let all: Vec<u32> = (1..=count).collect();
    assert_eq!(support::accepted(&store).await, all);
    store.close().await;
}
