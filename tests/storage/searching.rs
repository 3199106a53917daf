//! The full-text index: it follows the rows, survives kills, forgets at once, and is never waited
//! for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use proptest::{collection::vec, prelude::*};
use rusqlite::Connection;
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::{
        delivery::DeliveryState,
        message::{Completeness, Message},
        ports::{Durability, Rows, chat_repository::RowResult},
        search::{Found, Search, SearchKey, query::Query, words::Words},
        time::WallTime,
    },
    testing::repository_contract::samples,
};

use crate::{
    kill::Victim,
    support::{Store, home, open, soon},
};

/// A word of the index: the word, the row's key, the column, the place.
type Entry = (String, i64, String, i64);

/// Everything that the index holds, and nothing that it should not.
pub(crate) fn entries(path: &Path) -> BTreeSet<Entry> {
    let db = Connection::open(path).expect("a file");
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('integrity-check');
         CREATE VIRTUAL TABLE temp.words USING fts5vocab(main, search, 'instance')",
    )
    .expect("a sound index");
    let mut statement = db
        .prepare("SELECT term, doc, col, offset FROM temp.words")
        .expect("its words");
    let rows = statement.query_map((), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn number(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, (), |row| row.get(0)).expect(sql)
}

fn count(path: &Path, sql: &str) -> i64 {
    number(&Connection::open(path).expect("a file"), sql)
}

const PASSED: &str = "pk BETWEEN (SELECT value FROM counter WHERE name = 'search_low')
    AND (SELECT value FROM counter WHERE name = 'search_high')";

/// What the index would hold, were it made anew of the rows that it is said to have.
pub(crate) fn rebuilt(path: &Path) -> BTreeSet<Entry> {
    let db = Connection::open(path).expect("a file");
    let sql = format!(
        "SELECT pk, conversation, created_at, body FROM message
         WHERE deleted = 0 AND {PASSED} AND pk NOT IN (SELECT message FROM search_late)"
    );
    let mut statement = db.prepare(&sql).expect("the rows");
    let mut rows = statement.query(()).expect("rows");
    let mut entries = BTreeSet::new();
    while let Some(row) = rows.next().expect("a row") {
        let pk: i64 = row.get(0).expect("a number");
        let at: Option<i64> = row.get(2).expect("a time");
        let key = SearchKey::new(at.map(WallTime::from_millis), pk).as_i64();
        let words = Words::of(&row.get::<_, String>(3).expect("a text"));
        for (place, at) in (0..words.len()).zip(0..) {
            entries.insert((words.word(place).to_owned(), key, "body".into(), at));
        }
        if !words.is_empty() {
            let conversation: i64 = row.get(1).expect("a number");
            entries.insert((conversation.to_string(), key, "conversation".into(), 0));
        }
    }
    entries
}

pub(crate) async fn find(store: &Store, query: &str) -> Found {
    try_find(store, query).await.expect("found")
}

pub(crate) async fn try_find(store: &Store, query: &str) -> RowResult<Found> {
    let search = Search {
        query: Query::parse(query),
        conversation: None,
        before: None,
        limit: usize::MAX,
    };
    store.view(move |rows| rows.search(&search)).await
}

pub(crate) async fn hits(store: &Store, query: &str) -> usize {
    find(store, query).await.messages.len()
}

/// Waits until the background has nothing left to do.
pub(crate) async fn indexed(path: &Path) {
    let due = format!(
        "SELECT (SELECT count(*) FROM message WHERE NOT {PASSED})
         + (SELECT count(*) FROM search_late WHERE ready = 1)"
    );
    soon(async {
        while count(path, &due) > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[derive(Clone, Debug)]
enum Step {
    Put(Message),
    Remove(u32),
    RemoveConversation(&'static str),
}

impl Step {
    fn apply(&self, rows: &mut dyn Rows) -> RowResult<()> {
        match self {
            Self::Put(message) => {
                if rows.conversation(&message.conversation)?.is_none() {
                    rows.put_conversation(&samples::bare_conversation(
                        message.conversation.as_str(),
                    ))?;
                }
                match rows.message(message.id)? {
                    Some(_) => rows.update_message(message),
                    None => rows.insert_message(message),
                }
            }
            Self::Remove(n) => rows.remove_message(samples::key(*n)),
            Self::RemoveConversation(name) => {
                rows.remove_conversation(&samples::conversation_id(name))
            }
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let name = || prop::sample::select(["a", "b"].as_slice());
    let text = vec(
        prop::sample::select(["one", "Twö", "three", "東京", "!"].as_slice()),
        0..4,
    );
    let state = prop::sample::select(DeliveryState::ALL.as_slice());
    let completeness = prop::sample::select(Completeness::ALL.as_slice());
    let put = (
        name(),
        1..9_u32,
        text,
        state,
        completeness,
        0..3_i64,
        prop::bool::weighted(0.2),
    );
    let put = put.prop_map(|(name, n, text, state, completeness, second, deleted)| {
        Step::Put(Message {
            text: text.join(" "),
            state,
            completeness,
            deleted,
            created_at: (second > 0).then(|| WallTime::from_millis(second * 1000)),
            ..samples::message(name, n)
        })
    });
    prop_oneof![
        8 => put,
        2 => (1..9_u32).prop_map(Step::Remove),
        1 => name().prop_map(Step::RemoveConversation),
    ]
}

fn inline(path: &Path) -> std::sync::Arc<SqliteRepository> {
    let options = SqliteOptions {
        executor: Executor::Inline,
        synchronous: Synchronous::Off,
        ..SqliteOptions::new(path)
    };
    SqliteRepository::open(options).expect("a store")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is done, in whichever rounds it is indexed, and wherever it gave up.
    #[test]
    fn the_index_is_the_one_that_the_rows_would_make(
        steps in vec((vec(step(), 1..4), prop::bool::weighted(0.1)), 1..25),
        eager in 0..20_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (_home, path) = home();
            let sqlite = inline(&path);
            let store: Store = sqlite.clone();
            for (at, (steps, gives_up)) in steps.into_iter().enumerate() {
                // First nothing is indexed, then everything at once.
                if at == eager {
                    sqlite.index_at_once();
                }
                let job = move |rows: &mut dyn Rows| {
                    for step in &steps {
                        step.apply(rows)?;
                    }
                    match gives_up {
                        true => Err(tidings::domain::ports::RepositoryError::Full),
                        false => Ok(()),
                    }
                };
                let outcome = store.transact(Durability::Normal, job).await;
                prop_assert_eq!(outcome.is_err(), gives_up);
                prop_assert_eq!(entries(&path), rebuilt(&path));
            }
            store.close().await;
            Ok(())
        })?;
    }
}

pub(crate) fn said(n: u32, text: &str) -> Message {
    Message {
        text: text.to_owned(),
        created_at: Some(WallTime::from_millis(i64::from(n) * 1000)),
        ..samples::message("c", n)
    }
}

pub(crate) async fn put(store: &Store, messages: Vec<Message>) {
    let job = move |rows: &mut dyn Rows| {
        let steps = messages.into_iter().map(Step::Put);
        steps.into_iter().try_for_each(|step| step.apply(rows))
    };
    store
        .transact(Durability::Normal, job)
        .await
        .expect("stored");
}

/// The words of a message that is deleted, edited or removed are in no table of the index as soon
/// as that is told to be done, and in no byte of the file once the log is folded in.
#[tokio::test]
async fn inv16_deleted_text_leaves_the_index_in_the_same_commit() {
    let (_home, path) = home();
    let store = open(&path);
    let secrets = ["zanzibar", "quetzal", "xylophone", "wyvern"];
    let mut rows: Vec<Message> = (10..400)
        .map(|n| said(n, &format!("filler {n} words")))
        .collect();
    rows.extend(secrets.iter().zip(1..).map(|(word, n)| said(n, word)));
    rows.push(Message {
        conversation: samples::conversation_id("gone"),
        ..said(5, "yggdrasil")
    });
    put(&store, rows).await;
    indexed(&path).await;
    let job = |rows: &mut dyn Rows| {
        rows.update_message(&Message {
            deleted: true,
            text: String::new(),
            ..said(1, "")
        })?;
        rows.update_message(&said(2, "edited"))?;
        rows.remove_message(samples::key(3))?;
        rows.remove_conversation(&samples::conversation_id("gone"))
    };
    store
        .transact(Durability::Normal, job)
        .await
        .expect("deleted");
    let words: BTreeSet<String> = entries(&path).into_iter().map(|entry| entry.0).collect();
    for gone in ["zanzibar", "quetzal", "xylophone", "yggdrasil"] {
        assert!(!words.contains(gone), "{gone}");
        assert_eq!(hits(&store, gone).await, 0, "{gone}");
        let blocks = format!(
            "SELECT count(*) FROM search_data WHERE instr(block, x'{}') > 0",
            hex(gone)
        );
        assert_eq!(count(&path, &blocks), 0, "{gone}");
    }
    assert!(words.contains("wyvern"));
    assert_eq!(hits(&store, "edited").await, 1);
    indexed(&path).await;
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// An answer that grows four times a second is indexed once, when it is whole.
#[tokio::test]
async fn a_streamed_answer_is_indexed_when_it_is_whole() {
    let (_home, path) = home();
    let sqlite = inline(&path);
    sqlite.index_at_once();
    let store: Store = sqlite;
    let blocks = "SELECT sum(length(block)) FROM search_data";
    let mut text = String::new();
    let answer = |text: &str, completeness| Message {
        completeness,
        ..said(1, text)
    };
    put(&store, vec![answer("first", Completeness::Streaming)]).await;
    let before = count(&path, blocks);
    for n in 0..100 {
        text += &format!("chunk{n} ");
        put(&store, vec![answer(&text, Completeness::Streaming)]).await;
        assert_eq!(hits(&store, &format!("chunk{n}")).await, 1);
    }
    assert_eq!(count(&path, blocks), before, "nothing was written");
    put(&store, vec![answer(&text, Completeness::Complete)]).await;
    assert!(count(&path, blocks) > before);
    assert_eq!(entries(&path), rebuilt(&path));
    assert_eq!(entries(&path).len(), 101);
    store.close().await;
}

/// A conversation so long that word by word would take seconds is forgotten all the same, and the
/// others are found again by and by.
#[tokio::test]
async fn a_long_conversation_is_forgotten_at_once() {
    let (_home, path) = home();
    let store = open(&path);
    let mut rows: Vec<Message> = (10..2_100).map(|n| said(n, "long gone")).collect();
    let kept = |n| Message {
        conversation: samples::conversation_id("d"),
        ..said(n, "kept")
    };
    rows.extend((3_000..3_200).map(kept));
    put(&store, rows).await;
    indexed(&path).await;
    let gone = |rows: &mut dyn Rows| rows.remove_conversation(&samples::conversation_id("c"));
    store
        .transact(Durability::Normal, gone)
        .await
        .expect("removed");
    assert_eq!(hits(&store, "gone").await, 0);
    let left = entries(&path);
    assert!(
        left.iter().all(|entry| entry.0 != "gone"),
        "{} left",
        left.len()
    );
    indexed(&path).await;
    let found = find(&store, "kept").await;
    assert!(found.complete);
    assert_eq!(found.messages.len(), 200);
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}

/// Takes the index away, as if the store were of the version before it.
fn forget_index(path: &Path) {
    let db = Connection::open(path).expect("a file");
    db.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all'); DELETE FROM search_late;
         UPDATE counter SET value = (SELECT max(pk) FROM message) WHERE name = 'search_high';
         UPDATE counter SET value = (SELECT max(pk) + 1 FROM message) WHERE name = 'search_low';",
    )
    .expect("forgotten");
}

const OLD: u32 = 3_000;

async fn old_store(path: &Path) {
    let store = open(path);
    put(
        &store,
        (1..=OLD)
            .map(|n| said(n, &format!("old word{n}")))
            .collect(),
    )
    .await;
    store.close().await;
    forget_index(path);
}

/// What was stored before there was an index joins it in the background, newest first; what is
/// new is found meanwhile, and the answers say that they are not all.
#[tokio::test]
async fn an_existing_store_is_indexed_newest_first() {
    let (_home, path) = home();
    old_store(&path).await;
    let sqlite = inline(&path);
    let store: Store = sqlite.clone();
    put(&store, vec![said(OLD + 1, "new")]).await;
    let found = find(&store, "new").await;
    assert_eq!((found.messages.len(), found.complete), (1, false));
    sqlite.index_at_once();
    let mut before = 0;
    let mut n = OLD + 1;
    while !find(&store, "old").await.complete {
        n += 1;
        put(&store, vec![said(n, "tick")]).await;
        let found = find(&store, "old").await;
        let texts: Vec<&str> = found
            .messages
            .iter()
            .map(|(_, row)| row.text.as_str())
            .collect();
        assert!(texts.len() > before, "each round goes on");
        assert!(texts.len() - before <= 128, "and is short");
        assert_eq!(texts[0], format!("old word{OLD}"), "newest first");
        before = texts.len();
    }
    assert_eq!(hits(&store, "old").await, OLD as usize);
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}

/// Stores and edits for ever, with a round of the index each time.
#[tokio::test]
#[ignore = "the victim of the kill test; does nothing by itself"]
async fn indexes_until_killed() {
    let Some(path) = crate::kill::given(crate::kill::STORE) else {
        return;
    };
    let sqlite = SqliteRepository::open(SqliteOptions::new(&path)).expect("a store");
    sqlite.index_at_once();
    let store: Store = sqlite;
    // Each life has words of its own: a row put again as it is changes nothing.
    let life = std::process::id();
    for n in OLD + 1.. {
        let word = if n % 3 == 0 { "answer" } else { "question" };
        put(&store, vec![said(n, &format!("{word} {life}"))]).await;
        if n % 5 == 0 {
            put(&store, vec![said(n - 2, &format!("edited {life}"))]).await;
        }
        println!("stored:{n}.");
    }
}

/// Wherever the process is killed, in the first indexing or beside new messages, the index has
/// what its marks say, and the next process goes on from there.
#[tokio::test]
async fn f45_an_index_killed_half_way_goes_on_where_it_was() {
    let (_home, path) = home();
    old_store(&path).await;
    let low = "SELECT value FROM counter WHERE name = 'search_low'";
    let mut marks = BTreeMap::new();
    for round in 0..16 {
        let mut victim = Victim::start("searching::indexes_until_killed", &path, 0);
        for _ in 0..=round % 3 {
            victim.next("stored:").expect("alive");
        }
        victim.kill();
        victim.bury();
        assert_eq!(entries(&path), rebuilt(&path), "round {round}");
        marks.insert(round, count(&path, low));
        if round % 4 == 3 {
            forget_index(&path);
        }
    }
    let inside = marks
        .values()
        .filter(|low| (2..=i64::from(OLD)).contains(*low));
    assert!(
        inside.count() > 0,
        "no kill fell into the first indexing: {marks:?}"
    );
    let store = open(&path);
    indexed(&path).await;
    assert_eq!(hits(&store, "old").await, OLD as usize);
    assert_eq!(entries(&path), rebuilt(&path));
    store.close().await;
}
