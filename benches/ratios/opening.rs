//! From the closed file to the first page on the screen, against the bare connection and the same
//! two questions.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::{ChatRepository, chat_repository::ConversationFilter},
};
use tokio::runtime::Runtime;

use crate::{
    measure::{in_turn, ratio, timed},
    pages::{self, PAGE},
    report::Finding,
    store::{self, conversation},
};

const SHORT: usize = 10_000;
const LONG: usize = 1_000_000;

/// In a conversation of ten thousand messages, and in one of a million.
pub(crate) fn first_page() -> Vec<Finding> {
    vec![of("open_10000", SHORT), of("open_1000000", LONG)]
}

fn of(name: &'static str, messages: usize) -> Finding {
    const ROUNDS: usize = 300;
    let runtime = store::runtime();
    let home = pages::closed(messages, &runtime);
    let path = home.path().join("chat.db");
    let mut ours = || opened(&path, &runtime);
    let mut floor = || bare(&path);
    let ratio = ratio(&in_turn(ROUNDS, [&mut ours, &mut floor]));
    Finding::at_most(name, ratio, 2.0, ROUNDS).note("messages", messages as f64)
}

fn opened(path: &Path, runtime: &Runtime) -> Duration {
    let mut store = None;
    let took = timed(|| {
        let opened = SqliteRepository::open(SqliteOptions::new(path)).unwrap();
        let shown = opened.clone() as std::sync::Arc<dyn ChatRepository>;
        let page = shown.view(|rows| {
            let all = ConversationFilter {
                include_archived: false,
                limit: 50,
            };
            assert_eq!(rows.conversations(all)?.len(), 1);
            rows.page(&conversation(), None, PAGE, false)
        });
        assert_eq!(runtime.block_on(page).unwrap().len(), PAGE);
        store = Some(shown);
    });
    runtime.block_on(store.unwrap().close());
    took
}

fn bare(path: &Path) -> Duration {
    let mut db = None;
    let took = timed(|| {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags).unwrap();
        opened
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
                 PRAGMA temp_store = MEMORY",
            )
            .unwrap();
        assert_eq!(
            rows(
                &opened,
                "SELECT * FROM conversation WHERE hidden = 0
            ORDER BY activity_at DESC, id LIMIT 50"
            ),
            1
        );
        assert_eq!(
            rows(
                &opened,
                "SELECT * FROM message WHERE conversation = 1 AND deleted = 0
            ORDER BY sort_key DESC LIMIT 50"
            ),
            PAGE
        );
        db = Some(opened);
    });
    // Closing folds the log in, on both sides, and is not measured.
    drop(db);
    took
}

/// Reads every column of every row.
fn rows(db: &Connection, sql: &str) -> usize {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let read = statement.query_map((), |row| {
        for at in 0..columns {
            std::hint::black_box(row.get::<_, rusqlite::types::Value>(at)?);
        }
        Ok(())
    });
    read.unwrap().count()
}
