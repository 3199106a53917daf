//! The newest page of a long conversation against that of a short one.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, params};
use tempfile::TempDir;
use tidings::{
    adapters::sqlite::Executor,
    domain::{message::Message, ports::ChatRepository},
};
use tokio::runtime::Runtime;

use crate::{
    measure::{in_turn, ratio, timed},
    report::Finding,
    store::{self, conversation},
};

const SHORT: usize = 1_000;
const LONG: usize = 1_000_000;
pub(crate) const PAGE: usize = 50;

/// On the caller's thread, so that no hop hides a difference.
pub(crate) fn newest() -> Vec<Finding> {
    const ROUNDS: usize = 2000;
    let runtime = store::runtime();
    let (short_home, short) = filled(SHORT, &runtime);
    let (long_home, long) = filled(LONG, &runtime);
    let mut of_short = || read(&runtime, &short, SHORT);
    let mut of_long = || read(&runtime, &long, LONG);
    let ratio = ratio(&in_turn(ROUNDS, [&mut of_long, &mut of_short]));
    drop((short_home, long_home));
    vec![Finding::at_most("newest_page", ratio, 1.2, ROUNDS).note("messages", LONG as f64)]
}

fn read(runtime: &Runtime, store: &Arc<dyn ChatRepository>, of: usize) -> Duration {
    let mut page = Vec::new();
    let took = timed(|| page = newest_page(runtime, store));
    assert_eq!(page.len(), PAGE);
    assert_eq!(page[PAGE - 1].text, store::text(of - 1));
    took
}

/// What opening a conversation reads.
fn newest_page(runtime: &Runtime, store: &Arc<dyn ChatRepository>) -> Vec<Message> {
    let read = store.view(|rows| {
        let known = rows.conversation(&conversation())?;
        assert!(known.is_some_and(|known| known.stored > 0));
        rows.page(&conversation(), None, PAGE, false)
    });
    runtime.block_on(read).unwrap()
}

/// The same, closed.
pub(crate) fn closed(count: usize, runtime: &Runtime) -> TempDir {
    let (home, store) = filled(count, runtime);
    runtime.block_on(store.close());
    home
}

/// A store whose conversation has that many messages. The last ones came through the front door,
/// those before were put under them, and the full-text index is told that it has them: nobody
/// searches here, and the background is to be as quiet as in a store of some days.
fn filled(count: usize, runtime: &Runtime) -> (TempDir, Arc<dyn ChatRepository>) {
    let home = store::directory();
    let store = store::open(&home, Executor::Inline, runtime);
    runtime.block_on(store.close());
    drop(store);
    fill(&home.path().join("chat.db"), count - PAGE);
    let store = store::open(&home, Executor::Inline, runtime);
    let newest = (count - PAGE..count).map(store::history_row).collect();
    let merged = store::merge_page(&store, newest, count - PAGE);
    runtime.block_on(merged).unwrap();
    (home, store)
}

/// Plain SQL without waiting for the disk; the indexes are built at the end.
fn fill(path: &Path, count: usize) {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN")
        .unwrap();
    let indexes: Vec<(String, String)> = {
        let sql = "SELECT name, sql FROM sqlite_schema
                   WHERE type = 'index' AND tbl_name = 'message' AND sql IS NOT NULL";
        let mut statement = db.prepare(sql).unwrap();
        let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    };
    for (name, _) in &indexes {
        db.execute_batch(&format!("DROP INDEX {name}")).unwrap();
    }
    insert(&db, count);
    for (_, sql) in &indexes {
        db.execute_batch(sql).unwrap();
    }
    db.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
}

fn insert(db: &Connection, count: usize) {
    let sql = "INSERT INTO message (id, conversation, server_id, role, own, body, sort_key, state,
        attempts, created_at, completeness, deleted, unread, revision, version)
        VALUES (?1, 1, ?2, 'user', 1, ?3, ?4, 3, 0, ?5, 0, 0, 0, 0, 1)";
    let mut statement = db.prepare(sql).unwrap();
    for number in 0..count {
        let place = i64::try_from(number).unwrap() << 20;
        let key = store::key(number);
        let row = params![
            key.as_bytes(),
            store::server_id(number),
            store::text(number),
            place,
            store::at(number).as_millis()
        ];
        statement.execute(row).unwrap();
    }
    let stored = i64::try_from(count).unwrap();
    db.execute("UPDATE conversation SET stored = ?1", [stored])
        .unwrap();
    db.execute(
        "UPDATE counter SET value = ?1 WHERE name = 'search_high'",
        [stored],
    )
    .unwrap();
}
