//! No file of an encrypted store has a byte of a text or of the key, at any moment.

use std::path::Path;

use tidings::{domain::ports::Durability, testing::repository_contract::samples};

use crate::{
    key, keys, open, search,
    support::{accept_into, contents, home},
};

/// What people wrote, as the samples have it.
const CANARY: &[u8] = b"text 1";

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Looks into every file.
pub(crate) fn must_tell_nothing(directory: &Path, when: &str) {
    let raw = key(1);
    let hex = data_encoding::HEXLOWER.encode(raw.expose());
    for (file, bytes) in contents(directory) {
        let name = file.display();
        for canary in [CANARY, b"SQLite format 3", b"conversation", b"CREATE TABLE"] {
            assert!(!has(&bytes, canary), "{name} is readable, {when}");
        }
        for part in raw.expose().windows(8) {
            assert!(!has(&bytes, part), "{name} has the key, {when}");
        }
        for text in [hex.clone(), hex.to_uppercase()] {
            assert!(
                !has(&bytes, &text.as_bytes()[..16]),
                "{name} has the key, {when}"
            );
        }
    }
}

#[tokio::test]
async fn no_file_has_a_text_or_the_key_while_open_suspended_or_closed() {
    let (home, path) = home();
    let app = keys(1);
    let store = open(&path, &app).expect("a store");
    for n in 100..=199 {
        accept_into(&store, n).await.expect("accepted");
    }
    // Sorted in memory, indexed, looked for: none of it may go through a file.
    let found = store.view(|rows| rows.search(&search("text"))).await;
    found.expect("found");
    must_tell_nothing(home.path(), "while open");
    assert!(store.suspend().await);
    must_tell_nothing(home.path(), "suspended");
    store.resume().await.expect("open again");
    let chat = samples::conversation_id("c");
    let removed = store.transact(Durability::Full, move |rows| {
        rows.remove_conversation(&chat)
    });
    removed.await.expect("removed");
    store.close().await;
    must_tell_nothing(home.path(), "closed");
}

/// What this test looks for is there in a plain store: else it could find nothing.
#[tokio::test]
async fn a_plain_store_is_readable() {
    let (home, path) = home();
    crate::support::filled(&path).await;
    let files = contents(home.path());
    assert!(files.values().any(|bytes| has(bytes, CANARY)));
}
