//! A damaged index is found, costs nothing but itself, and is made again.

use std::path::Path;

use rusqlite::Connection;
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::RepositoryError,
};

use crate::{
    searching::{entries, find, hits, indexed, put, rebuilt, said, try_find},
    support::{Store, accept_into, contents, home, open, soon},
};

/// A store whose index has 300 messages with "same" in it, and is damaged.
async fn damaged(path: &Path) -> Store {
    let store = open(path);
    put(
        &store,
        (1..=300)
            .map(|n| said(n, &format!("word{n} same")))
            .collect(),
    )
    .await;
    indexed(path).await;
    store.close().await;
    let db = Connection::open(path).expect("a file");
    db.execute_batch("UPDATE search_data SET block = x'ffffffffffffffff' WHERE id > 10")
        .expect("damaged");
    open(path)
}

/// Who searches first is told that not all is found, and later searches find it.
#[tokio::test]
async fn a_damaged_index_is_made_again() {
    let (_home, path) = home();
    let store = damaged(&path).await;
    let found = find(&store, "same").await;
    assert_eq!((found.messages.len(), found.complete), (0, false));
    soon(async {
        while !find(&store, "same").await.complete {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(hits(&store, "same").await, 300);
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}

/// Damage inside the index costs the index, not the message that is being changed.
#[tokio::test]
async fn a_damaged_index_loses_no_message() {
    let (_home, path) = home();
    let store = damaged(&path).await;
    put(&store, vec![said(7, "changed"), said(301, "more")]).await;
    indexed(&path).await;
    assert_eq!(hits(&store, "same").await, 299);
    assert_eq!(hits(&store, "changed").await, 1);
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}

/// Writes noise over the first page of one of the file's tables.
fn ruin(path: &Path, table: &str) {
    let db = Connection::open(path).expect("a file");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let root: i64 = db
        .query_row(sql, [table], |row| row.get(0))
        .expect("a table");
    drop(db);
    let mut bytes = std::fs::read(path).expect("a file");
    let end = usize::try_from(root).expect("a page") * 4096;
    bytes[end - 4096..end].fill(0xa5);
    std::fs::write(path, bytes).expect("written");
}

/// The pages of the index are no reason to give up a store that is whole otherwise.
#[tokio::test]
async fn f43_ruined_pages_of_the_index_cost_the_index_and_not_the_store() {
    for table in ["search_data", "search_idx", "search_config", "search_late"] {
        let (home, path) = home();
        let store = damaged(&path).await;
        accept_into(&store, 400).await.expect("accepted");
        store.close().await;
        ruin(&path, table);
        let sqlite = SqliteRepository::open(SqliteOptions::new(&path)).expect("a store");
        assert_eq!(
            sqlite.verify().await,
            Err(RepositoryError::Corrupt),
            "{table}"
        );
        assert_eq!(sqlite.verify().await, Ok(()), "{table}");
        let store: Store = sqlite;
        let waiting = store.view(|rows| rows.outbox(None)).await;
        assert_eq!(waiting.map(|entries| entries.len()), Ok(1), "{table}");
        let word = store.view(tidings::domain::rules::salvage::word).await;
        assert_eq!((word, store.salvages()), (Ok(None), 0), "{table}");
        indexed(&path).await;
        assert_eq!(hits(&store, "same").await, 300, "{table}");
        assert_eq!(entries(&path), rebuilt(&path), "{table}");
        store.close().await;
        let aside = |path: &&std::path::PathBuf| path.to_string_lossy().contains("damaged");
        assert_eq!(contents(home.path()).keys().filter(aside).count(), 0);
    }
}

/// A search that meets them is told so, or finds less; a later one finds all.
#[tokio::test]
async fn a_search_over_ruined_pages_makes_the_index_again() {
    let (_home, path) = home();
    damaged(&path).await.close().await;
    ruin(&path, "search_data");
    let store = open(&path);
    let first = try_find(&store, "same").await;
    assert!(
        !first.is_ok_and(|found| found.complete),
        "not all can be found"
    );
    indexed(&path).await;
    assert_eq!((hits(&store, "same").await, store.salvages()), (300, 0));
    store.close().await;
}

/// An index of another version's words is made again by itself, the newest rows first.
#[tokio::test]
async fn an_index_of_other_words_is_made_again() {
    let (_home, path) = home();
    let store = open(&path);
    put(&store, (1..=300).map(|n| said(n, "same")).collect()).await;
    indexed(&path).await;
    store.close().await;
    let db = Connection::open(&path).expect("a file");
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all');
         INSERT INTO search (rowid, body, conversation) SELECT pk, 'other', '1' FROM message;
         UPDATE counter SET value = 0 WHERE name = 'search_words'",
    )
    .expect("an index of other words");
    drop(db);
    let store = open(&path);
    soon(async {
        while hits(&store, "same").await < 300 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}
