//! Who has the key gets in; who has not is told why, and changes nothing (F-50).

use std::path::Path;

use tidings::{
    adapters::sqlite::SqliteOptions,
    domain::ports::{KeyError, RepositoryError},
    testing::ScriptedKeys,
};

use crate::{
    filled, key, keys, must_have, open, options, refusal,
    support::{accept_into, accepted, contents, home},
};

/// Opening must fail so, alone and shared, and leave every byte of the directory as it was.
fn refused(directory: &Path, options: &SqliteOptions, why: &RepositoryError) {
    for shared in [false, true] {
        let before = contents(directory);
        let outcome = refusal(SqliteOptions {
            shared,
            ..options.clone()
        });
        assert_eq!(&outcome, why);
        assert!(before == contents(directory), "a refused file was changed");
    }
}

#[tokio::test]
async fn what_was_stored_is_there_with_the_key() {
    let (_home, path) = home();
    let keys = keys(1);
    filled(&path, &keys, 50).await;
    must_have(&path, &keys, 50).await;
}

#[tokio::test]
async fn a_wrong_key_is_told_and_nothing_is_touched() {
    let (home, path) = home();
    filled(&path, &keys(1), 50).await;
    refused(
        home.path(),
        &options(&path, &keys(2)),
        &RepositoryError::WrongKey,
    );
    must_have(&path, &keys(1), 50).await;
}

/// A process that was killed leaves a log; a wrong key must not fold it in, nor clear it.
#[tokio::test]
async fn a_wrong_key_leaves_a_log_as_it_is() {
    let (home, path) = home();
    let store = open(&path, &keys(1)).expect("a store");
    for n in 1..=20 {
        accept_into(&store, n).await.expect("accepted");
    }
    let (copy, copied) = crate::support::home();
    for (file, bytes) in contents(home.path()) {
        let name = file.file_name().expect("a name");
        std::fs::write(copy.path().join(name), bytes).expect("copied");
    }
    store.close().await;
    refused(
        copy.path(),
        &options(&copied, &keys(2)),
        &RepositoryError::WrongKey,
    );
    refused(
        copy.path(),
        &SqliteOptions::new(&copied),
        &RepositoryError::NoKey,
    );
    must_have(&copied, &keys(1), 20).await;
}

#[tokio::test]
async fn without_a_key_an_encrypted_store_is_refused() {
    let (home, path) = home();
    let app = keys(1);
    filled(&path, &app, 5).await;
    refused(
        home.path(),
        &SqliteOptions::new(&path),
        &RepositoryError::NoKey,
    );
    app.refuse(Some(KeyError::Missing));
    refused(home.path(), &options(&path, &app), &RepositoryError::NoKey);
    must_have(&path, &keys(1), 5).await;
}

/// A process woken before the first unlock: no fresh store may take the place of the old one.
#[tokio::test]
async fn f50_on_a_locked_device_the_store_waits_for_its_key() {
    let (home, path) = home();
    let app = keys(1);
    app.refuse(Some(KeyError::Locked));
    refused(home.path(), &options(&path, &app), &RepositoryError::Locked);
    assert!(
        contents(home.path()).is_empty(),
        "not even a new one begins"
    );
    filled(&path, &keys(1), 5).await;
    refused(home.path(), &options(&path, &app), &RepositoryError::Locked);
    assert_eq!(RepositoryError::Locked.code(), "store.locked");
    app.refuse(None);
    must_have(&path, &app, 5).await;
}

#[tokio::test]
async fn f50_who_returns_to_a_locked_device_goes_on_when_it_is_unlocked() {
    let (_home, path) = home();
    let app = keys(1);
    let store = open(&path, &app).expect("a store");
    accept_into(&store, 1).await.expect("accepted");
    assert_eq!(app.asked(), 1, "once for all connections");
    assert!(store.suspend().await);
    app.refuse(Some(KeyError::Locked));
    assert_eq!(store.resume().await, Err(RepositoryError::Locked));
    let waiting = accept_into(&store, 2).await;
    assert!(matches!(waiting, Err(RepositoryError::Unavailable(_))));
    app.refuse(None);
    store.resume().await.expect("open again");
    assert_eq!(app.asked(), 3, "once more for each opening");
    accept_into(&store, 2).await.expect("accepted");
    assert_eq!(accepted(&store).await, [1, 2]);
    store.close().await;
}

#[tokio::test]
async fn what_nothing_proves_to_be_under_the_key_is_left_alone() {
    let noise: Vec<u8> = (0..12_288_u32).map(|n| (n * 7919 % 251) as u8).collect();
    for bytes in [vec![0; 8_192], noise] {
        let (home, path) = home();
        std::fs::write(&path, bytes).expect("written");
        refused(
            home.path(),
            &options(&path, &keys(1)),
            &RepositoryError::WrongKey,
        );
    }
}

#[tokio::test]
async fn a_newer_version_is_refused_before_it_is_encrypted() {
    let (home, path) = home();
    crate::support::filled(&path).await;
    let later = rusqlite::Connection::open(&path).expect("a file");
    later
        .execute_batch(
            "PRAGMA user_version = 99;
             UPDATE counter SET value = 99 WHERE name = 'schema'",
        )
        .expect("set");
    drop(later);
    refused(
        home.path(),
        &options(&path, &keys(1)),
        &RepositoryError::Newer,
    );
}

#[test]
fn no_debug_print_has_a_key() {
    let app = ScriptedKeys::new(key(3));
    let options = options(Path::new("chat.db"), &app);
    let printed = format!("{options:?} {:?}", key(3));
    for part in key(3).expose().windows(2) {
        assert!(!printed.contains(&format!("{}, {}", part[0], part[1])));
        assert!(!printed.contains(&format!("{:02x}{:02x}", part[0], part[1])));
    }
}
