//! Somebody else holds the file (F-42).

use std::time::Duration;

use rusqlite::Connection;
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions},
    domain::ports::RepositoryError,
};

use crate::support::{accept_into, accepted, home, open, open_with, soon};

#[tokio::test]
async fn f42_a_held_file_is_unavailable_for_writing_and_readable() {
    for executor in [Executor::Thread, Executor::Inline] {
        let (_home, path) = home();
        let options = SqliteOptions {
            executor,
            busy_timeout: Duration::from_millis(20),
            ..SqliteOptions::new(&path)
        };
        let store = open_with(options).expect("a store");
        accept_into(&store, 1).await.expect("accepted");
        let holder = Connection::open(&path).expect("a file");
        holder.execute_batch("BEGIN IMMEDIATE").expect("held");
        let outcome = accept_into(&store, 2).await;
        assert!(
            matches!(outcome, Err(RepositoryError::Unavailable(_))),
            "{outcome:?}"
        );
        assert_eq!(accepted(&store).await, [1]);
        holder.execute_batch("ROLLBACK").expect("let go");
        accept_into(&store, 3).await.expect("accepted");
        assert_eq!(accepted(&store).await, [1, 3]);
        store.close().await;
    }
}

#[tokio::test]
async fn f42_a_write_waits_for_the_holder_to_let_go() {
    let (_home, path) = home();
    let store = open(&path);
    accept_into(&store, 1).await.expect("accepted");
    let holder = Connection::open(&path).expect("a file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    // The write is handed over first; however late its thread tries, it gets its turn.
    let let_go = async { holder.execute_batch("ROLLBACK").expect("let go") };
    let (outcome, ()) = futures_util::future::join(accept_into(&store, 2), let_go).await;
    assert_eq!(outcome, Ok(()));
    store.close().await;
}

#[tokio::test]
async fn a_store_opens_and_closes_while_another_writes() {
    let (_home, path) = home();
    let first = open(&path);
    accept_into(&first, 1).await.expect("accepted");
    let holder = Connection::open(&path).expect("a file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let second = open(&path);
    assert_eq!(accepted(&second).await, [1]);
    second.close().await;
    first.close().await;
    holder.execute_batch("ROLLBACK").expect("let go");
}

/// A reader elsewhere may stay as long as it likes: the close does not wait for it.
#[tokio::test]
async fn f48_close_does_not_wait_for_a_reader_elsewhere() {
    let (_home, path) = home();
    let patient = SqliteOptions {
        busy_timeout: Duration::from_secs(3_600),
        ..SqliteOptions::new(&path)
    };
    let store = open_with(patient).expect("a store");
    accept_into(&store, 1).await.expect("accepted");
    let reader = Connection::open(&path).expect("a file");
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM message")
        .expect("a view");
    accept_into(&store, 2).await.expect("accepted");
    soon(store.close()).await;
    drop(reader);
    let store = open(&path);
    assert_eq!(accepted(&store).await, [1, 2]);
    store.close().await;
}
