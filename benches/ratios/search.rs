//! Searching a hundred thousand messages, and accepting one while others wait for the index.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{Connection, params};
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{
        message::Message,
        ports::{ChatRepository, Durability},
        rules::accept::accept,
        search::{Search, query::Query, snippet::Snippet},
        time::WallTime,
    },
};
use tokio::runtime::Runtime;

use crate::{
    accept::{accepted, request},
    bare::{self, WriterThread},
    ingest,
    measure::{in_turn, ratio, timed},
    report::Finding,
    store::{self, at, history_row, key},
};

const MESSAGES: usize = 100_000;
const HITS: usize = 20;

/// A common word, a rare one, two that meet seldom, an unfinished one, and words in a row.
const QUESTIONS: [&str; 5] = ["w3 ", "w4000 ", "w20 w45 ", "w31", "\"w1 w2\""];

/// Whole hits with their snippets, against the same question to a bare FTS5 table of the texts
/// with SQLite's own tokenizer and snippets.
pub(crate) fn hundred_thousand() -> Vec<Finding> {
    const ROUNDS: usize = 600;
    let (home, runtime) = (store::directory(), store::runtime());
    let (ours, floor) = (stored(home.path(), &runtime), bare_index(home.path()));
    let (mut asked, mut answered) = (0, 0);
    let mut search = || {
        asked += 1;
        let question = QUESTIONS[asked % QUESTIONS.len()];
        timed(|| assert_eq!(found(&runtime, &ours, question).len(), HITS))
    };
    let mut query = || {
        answered += 1;
        let question = QUESTIONS[answered % QUESTIONS.len()];
        timed(|| assert_eq!(bare_found(&floor, question), HITS))
    };
    let samples = in_turn(ROUNDS, [&mut search, &mut query]);
    let found = Finding::at_most("search_100000", ratio(&samples), 1.5, ROUNDS);
    // To be read, not to be judged: a search is to take fifty milliseconds at most.
    let slow = 1_000.0 * samples[0].below(0.95);
    vec![found.note("messages", MESSAGES as f64).note("p95_ms", slow)]
}

fn found(
    runtime: &Runtime,
    store: &Arc<dyn ChatRepository>,
    question: &str,
) -> Vec<(Message, Snippet)> {
    let query = Query::parse(question);
    let search = store.view(move |rows| {
        let found = rows.search(&Search {
            query: query.clone(),
            conversation: None,
            before: None,
            limit: HITS,
        })?;
        assert!(found.complete);
        let messages = found.messages.into_iter().map(|(_, row)| row);
        Ok(messages
            .map(|row| (row.clone(), Snippet::of(&row.text, &query)))
            .collect())
    });
    runtime.block_on(search).unwrap()
}

fn bare_found(db: &Connection, question: &str) -> usize {
    let mut statement = db
        .prepare_cached(
            "SELECT m.*, snippet(found, 0, '[', ']', '…', 24) FROM found
             JOIN message m ON m.pk = found.rowid
             WHERE found MATCH ?1 ORDER BY found.rowid DESC LIMIT ?2",
        )
        .unwrap();
    // As our query is understood: what is not quoted at the end may be unfinished.
    let question = match question.trim_end() {
        whole if whole.ends_with('"') => whole.to_owned(),
        open => format!("{open}*"),
    };
    let rows = statement.query_map(params![question, HITS as i64], |row| {
        row.get::<_, String>(7)
    });
    rows.unwrap().map(Result::unwrap).count()
}

/// Forty words, the low numbers often and the high ones seldom, as in a language.
fn sentence(number: usize) -> String {
    let mut seed = number as u64 + 1;
    let mut word = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let share = (seed >> 11) as f64 / (1_u64 << 53) as f64;
        format!("w{}", (5_000_f64.powf(share) - 1.0) as u64)
    };
    (0..40).map(|_| word()).collect::<Vec<_>>().join(" ")
}

/// A store with all messages indexed by its own rounds.
fn stored(home: &Path, runtime: &Runtime) -> Arc<dyn ChatRepository> {
    let options = SqliteOptions {
        executor: Executor::Inline,
        ..SqliteOptions::new(home.join("chat.db"))
    };
    let sqlite = SqliteRepository::open(options).unwrap();
    sqlite.index_at_once();
    let store: Arc<dyn ChatRepository> = sqlite;
    let said = tidings::domain::conversation::ServerConversation::bare(store::conversation());
    let created = store.transact(Durability::Normal, move |rows| {
        tidings::domain::rules::conversations::upsert(rows, said, WallTime::from_millis(0))
            .map(drop)
    });
    runtime.block_on(created).unwrap();
    for first in (0..MESSAGES).step_by(100) {
        let page = (first..first + 100).map(|number| {
            let mut row = history_row(number);
            row.text = sentence(number);
            row.created_at = Some(at(number));
            row
        });
        let merged = store::merge_page(&store, page.collect(), first);
        runtime.block_on(merged).unwrap();
    }
    store
}

fn bare_index(home: &Path) -> Connection {
    let db = bare::open(&home.join("bare.db"), "OFF");
    db.execute_batch(
        "CREATE VIRTUAL TABLE found USING fts5(body, content = 'message', content_rowid = 'pk',
         tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'); BEGIN",
    )
    .unwrap();
    let rows: Vec<bare::Row> = (0..MESSAGES)
        .map(|number| bare::Row {
            id: *key(number).as_bytes(),
            server_id: store::server_id(number),
            own: number.is_multiple_of(2),
            text: sentence(number),
            key: (number as i64) << 20,
            at: at(number).as_millis(),
        })
        .collect();
    db.execute_batch("COMMIT").unwrap();
    rows.chunks(100)
        .for_each(|page| bare::ingest(&db, page).unwrap());
    db.execute_batch("INSERT INTO found (found) VALUES ('rebuild')")
        .unwrap();
    db
}

/// A message right behind a page of history that nobody has indexed yet, against the bare accept
/// of a store without an index.
pub(crate) fn accept_pending() -> Vec<Finding> {
    const ROUNDS: usize = 900;
    const PAGE: usize = 20;
    let (home, runtime) = (store::directory(), store::runtime());
    let store = store::open(&home, Executor::Thread, &runtime);
    let bare = WriterThread::start(bare::open(&home.path().join("bare.db"), "NORMAL"));
    let (mut sent, mut committed) = (0, 0);
    let (mut read, mut stored) = (1_000_000, 1_000_000);
    let mut ours = || {
        sent += 1;
        let page = (read..read + PAGE).map(history_row).collect();
        runtime
            .block_on(store::merge_page(&store, page, read))
            .unwrap();
        read += PAGE;
        let request = request(sent);
        timed(|| {
            let accepted = store.transact(Durability::Normal, move |rows| accept(rows, request));
            runtime.block_on(accepted).unwrap();
        })
    };
    let mut floor = || {
        committed += 1;
        let row = accepted(committed);
        // The same page before it, so that the caches are in the same state.
        let page: Vec<bare::Row> = (stored..stored + PAGE).map(ingest::row).collect();
        stored += PAGE;
        runtime
            .block_on(bare.run(move |db| bare::ingest(db, &page)))
            .unwrap();
        timed(|| {
            let commit = bare.run(move |db| bare::accept(db, &row));
            runtime.block_on(commit).unwrap();
        })
    };
    let samples: [_; 2] = in_turn(
        ROUNDS,
        [&mut ours as &mut dyn FnMut() -> Duration, &mut floor],
    );
    vec![Finding::at_most("accept_pending", ratio(&samples), 1.5, ROUNDS).note("page", PAGE as f64)]
}
