//! Damage to an encrypted store is salvaged as that of a plain one; a wrong key never is.

use std::path::Path;

use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::{ChatRepository as _, RepositoryError},
    testing::ScriptedKeys,
};

use crate::{
    filled, key, keys, open, options, refusal,
    support::{self, contents, home},
    traces::must_tell_nothing,
};

/// How many messages are unsent in each store here.
const UNSENT: usize = 50;

/// Opens the store and looks whether all is there that only this device knew.
async fn must_have_unsent(path: &Path, keys: &ScriptedKeys, what: &str) {
    let store = open(path, keys).expect(what);
    let entries = store.view(|rows| rows.outbox(None)).await.expect("entries");
    assert_eq!(entries.len(), UNSENT, "{what}");
    store.close().await;
}

/// Whether a damaged file was moved aside.
fn was_moved(directory: &Path) -> bool {
    let files = contents(directory);
    files
        .keys()
        .any(|file| file.to_string_lossy().contains(".damaged-"))
}

/// A copy of a closed store's directory.
fn copied(from: &Path) -> (tempfile::TempDir, std::path::PathBuf) {
    let (directory, path) = home();
    for (file, bytes) in contents(from) {
        let name = file.file_name().expect("a name");
        std::fs::write(directory.path().join(name), bytes).expect("copied");
    }
    (directory, path)
}

/// A wrong key and none leave the damaged store as it is.
fn must_keep_out_others(directory: &Path, path: &Path) {
    let before = contents(directory);
    let wrong = refusal(options(path, &keys(2)));
    assert_eq!(wrong, RepositoryError::WrongKey);
    let none = refusal(SqliteOptions::new(path));
    assert_eq!(none, RepositoryError::NoKey);
    assert!(before == contents(directory), "a refused file was changed");
}

#[tokio::test]
async fn a_damaged_byte_anywhere_costs_nothing_that_is_unsent() {
    let (origin, path) = home();
    filled(&path, &keys(1), UNSENT as u32).await;
    let whole = std::fs::read(&path).expect("a store");
    let pages = (0..whole.len()).step_by(4096).map(|start| start + 2_000);
    let mut moved = 0;
    for at in [0, 15, 16, 99, 4_095].into_iter().chain(pages) {
        let (home, path) = copied(origin.path());
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        must_keep_out_others(home.path(), &path);
        must_have_unsent(&path, &keys(1), &format!("byte {at}")).await;
        must_tell_nothing(home.path(), "salvaged");
        assert!(at > 15 || !was_moved(home.path()), "the salt is known");
        moved += usize::from(was_moved(home.path()));
    }
    assert!(moved >= 3, "{moved}: page one, and what opening reads");
}

#[tokio::test]
async fn of_a_file_without_a_readable_page_the_spare_has_what_is_unsent() {
    let (origin, path) = home();
    filled(&path, &keys(1), UNSENT as u32).await;
    let length = std::fs::read(&path).expect("a store").len();
    let noise = (0..length as u32).map(|n| (n * 7919 % 251) as u8).collect();
    for bytes in [noise, vec![0; length], vec![0; 4_096], vec![1; 100], vec![]] {
        let (home, path) = copied(origin.path());
        let what = format!("{} bytes", bytes.len());
        std::fs::write(&path, bytes).expect("written");
        must_keep_out_others(home.path(), &path);
        must_have_unsent(&path, &keys(1), &what).await;
        must_tell_nothing(home.path(), "salvaged");
    }
    let (home, path) = copied(origin.path());
    std::fs::remove_file(&path).expect("removed");
    must_keep_out_others(home.path(), &path);
    must_have_unsent(&path, &keys(1), "no file").await;
}

#[tokio::test]
async fn a_store_under_the_key_before_is_salvaged_and_comes_under_the_next() {
    let (home, path) = home();
    filled(&path, &keys(1), UNSENT as u32).await;
    let mut bytes = std::fs::read(&path).expect("a store");
    bytes[..8_192].fill(0);
    std::fs::write(&path, bytes).expect("written");
    let app = keys(1);
    app.change(key(2));
    must_have_unsent(&path, &app, "salvaged").await;
    app.forget_previous();
    must_have_unsent(&path, &app, "under the next key").await;
    must_tell_nothing(home.path(), "under the next key");
}

/// The damaged file is moved aside by the salvage, readable by anybody: it must not stay.
#[tokio::test]
async fn a_damaged_plain_store_is_salvaged_and_nothing_of_it_stays_readable() {
    for damaged in [0..100, 4_096..8_192] {
        let (home, path) = home();
        support::filled(&path).await;
        let mut bytes = std::fs::read(&path).expect("a store");
        bytes[damaged].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");
        must_have_unsent(&path, &keys(1), "salvaged").await;
        must_tell_nothing(home.path(), "encrypted");
        assert!(!was_moved(home.path()));
    }
}

/// Lines that anybody may have written say nothing in an encrypted store.
#[tokio::test]
async fn a_plain_line_beside_an_encrypted_store_is_not_believed() {
    let (plain, theirs) = home();
    support::filled(&theirs).await;
    let lines = std::fs::read(theirs.with_extension("db.spare")).expect("lines");
    let (_home, path) = home();
    filled(&path, &keys(1), 1).await;
    std::fs::write(path.with_extension("db.spare"), lines).expect("written");
    let store = open(&path, &keys(1)).expect("a store");
    let entries = store.view(|rows| rows.outbox(None)).await.expect("entries");
    assert_eq!(entries.len(), 1);
    store.close().await;
    drop(plain);
}

#[tokio::test]
async fn damage_met_in_use_is_salvaged_under_the_same_key() {
    let (home, path) = home();
    filled(&path, &keys(1), UNSENT as u32).await;
    let store = SqliteRepository::open(options(&path, &keys(1))).expect("a store");
    let mut bytes = std::fs::read(&path).expect("a store");
    let last = bytes.len() - 4_096;
    bytes[4_096..last].fill(0x77);
    std::fs::write(&path, bytes).expect("written");
    assert_eq!(store.verify().await, Err(RepositoryError::Corrupt));
    store.close().await;
    must_have_unsent(&path, &keys(1), "salvaged in use").await;
    must_tell_nothing(home.path(), "salvaged in use");
}

#[tokio::test]
async fn a_wipe_leaves_nothing_and_needs_no_key_where_that_is_gone() {
    for open_first in [true, false] {
        let (home, path) = home();
        filled(&path, &keys(1), 5).await;
        match open_first {
            true => {
                let store = SqliteRepository::open(options(&path, &keys(1))).expect("a store");
                store.wipe().await.expect("wiped");
            }
            false => SqliteRepository::erase(&path).expect("wiped"),
        }
        let left: Vec<_> = contents(home.path()).into_iter().collect();
        assert_eq!(left.len(), 1, "the lock alone");
        assert!(left[0].1.is_empty());
        let anew = support::open(&path);
        assert!(support::accepted(&anew).await.is_empty());
        anew.close().await;
    }
}
