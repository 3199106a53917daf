//! Several processes on one encrypted store: each has the key, or stays outside.

use tidings::{adapters::sqlite::SqliteOptions, domain::ports::RepositoryError};

use crate::{
    filled, keys, open, options, refusal,
    support::{self, accept_into, accepted, home, open_with, soon},
};

#[tokio::test]
async fn each_process_needs_the_key_the_passive_one_too() {
    let (_home, path) = home();
    let shared = |number, passive| SqliteOptions {
        shared: true,
        passive,
        ..options(&path, &keys(number))
    };
    let owner = open_with(shared(1, false)).expect("a store");
    soon(owner.became_owner()).await;
    let passive = open_with(shared(1, true)).expect("the same store");
    accept_into(&passive, 1).await.expect("accepted");
    assert_eq!(accepted(&owner).await, [1]);
    for passive in [false, true] {
        assert_eq!(refusal(shared(2, passive)), RepositoryError::WrongKey);
        let without = SqliteOptions {
            keys: None,
            ..shared(1, passive)
        };
        assert_eq!(refusal(without), RepositoryError::NoKey);
    }
    assert_eq!(accepted(&passive).await, [1]);
    owner.close().await;
    passive.close().await;
}

/// Who has the plain file open would go on writing into a file that is no longer the store.
#[tokio::test]
async fn nothing_is_encrypted_under_another_process() {
    let (_home, path) = home();
    support::filled(&path).await;
    let plain = open_with(SqliteOptions::new(&path)).expect("a store");
    let outcome = refusal(options(&path, &keys(1)));
    assert!(matches!(outcome, RepositoryError::Unavailable(_)));
    accept_into(&plain, 51).await.expect("accepted");
    plain.close().await;
    let store = open(&path, &keys(1)).expect("a store");
    assert_eq!(accepted(&store).await.len(), 51);
    store.close().await;
}

/// An extension has neither the time nor the memory for it.
#[tokio::test]
async fn a_passive_process_encrypts_nothing() {
    let (_home, path) = home();
    filled(&path, &keys(1), 5).await;
    let app = keys(1);
    app.change(crate::key(2));
    let passive = SqliteOptions {
        shared: true,
        passive: true,
        ..options(&path, &app)
    };
    assert!(matches!(refusal(passive), RepositoryError::Unavailable(_)));
    crate::must_have(&path, &keys(1), 5).await;
}
