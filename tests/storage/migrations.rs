//! Every released schema still opens, with all that was in it. Fixtures are kept for ever.

use std::{fmt::Write as _, path::Path};

use rusqlite::{Connection, types::ValueRef};
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        conversation::Conversation,
        cursor::{Gap, SyncCursor},
        message::Message,
        outbox::{Action, OutboxEntry},
        ports::{Durability, RepositoryError, chat_repository::ConversationFilter},
    },
    testing::repository_contract::samples,
};

use crate::support::{home, open};

const FIXTURES: [(&str, &str); 6] = [
    ("v1", include_str!("fixtures/v1.sql")),
    ("v2", include_str!("fixtures/v2.sql")),
    ("v3", include_str!("fixtures/v3.sql")),
    ("v4", include_str!("fixtures/v4.sql")),
    ("v5", include_str!("fixtures/v5.sql")),
    ("v6", include_str!("fixtures/v6.sql")),
];

/// The file that the dump describes.
fn restore(dump: &str, path: &Path) {
    let db = Connection::open(path).expect("a file");
    db.execute_batch("PRAGMA foreign_keys = OFF; BEGIN")
        .expect("begun");
    db.execute_batch(dump).expect("the dump");
    db.execute_batch("COMMIT").expect("restored");
}

/// What is in the schema, without white space and comments of its text.
fn schema(path: &Path) -> Vec<(String, String)> {
    let db = Connection::open(path).expect("a file");
    let sql = "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name";
    let mut statement = db.prepare(sql).expect("the schema");
    let rows = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

#[tokio::test]
async fn f44_every_released_schema_opens_with_all_that_was_in_it() {
    for (version, dump) in FIXTURES {
        let (_home, path) = home();
        restore(dump, &path);
        let store = open(&path);
        store
            .view(|rows| {
                let all = ConversationFilter {
                    include_archived: true,
                    limit: 0,
                };
                let listed = rows.conversations(all)?;
                assert!(
                    listed
                        == [
                            full_conversation(version),
                            samples::bare_conversation("bare")
                        ]
                );
                for n in [1, 2] {
                    assert!(rows.message(samples::key(n))?.is_some(), "message {n}");
                }
                assert!(rows.message(samples::key(1))? == Some(full_message(version)));
                assert!(rows.message(samples::key(2))? == Some(samples::message("full", 2)));
                let holes = if is_new(version) {
                    vec![hollow()]
                } else {
                    vec![]
                };
                assert!(rows.gaps(&samples::conversation_id("full"))? == holes);
                assert!(rows.outbox(None)? == waiting(version));
                assert_eq!(rows.journal_head()?, 2);
                assert_eq!(rows.journal_of(samples::key(1))?.len(), 1);
                assert_eq!(rows.setting("account")?.as_deref(), Some("u-1"));
                Ok(())
            })
            .await
            .unwrap_or_else(|error| panic!("{version}: {error}"));
        let order = store
            .transact(Durability::Normal, |rows| rows.next_order())
            .await;
        assert_eq!(order, Ok(3), "{version} had given two");
        store.close().await;
    }
}

/// What waits in the fixture: from the third version on, every kind of action.
fn waiting(version: &str) -> Vec<OutboxEntry> {
    let messages = [samples::entry("full", 2), samples::full_entry("full", 3)];
    let others = samples::actions().into_iter().filter(|action| {
        let opposite = |archived: bool, beneath: bool| archived != beneath;
        match action {
            Action::Send { .. } => false,
            // Versions that did not write what was beneath it took it for the opposite.
            Action::Archive { archived, beneath } => {
                is_new(version) || opposite(*archived, *beneath)
            }
            _ => true,
        }
    });
    let entries = (10..).zip(others).map(|(n, action)| OutboxEntry {
        action,
        order: i64::from(n),
        ..samples::full_entry("full", n)
    });
    let count = match version {
        "v1" | "v2" => 0,
        _ => usize::MAX,
    };
    messages.into_iter().chain(entries.take(count)).collect()
}

/// The fixtures up to the fifth lack what no older version had.
fn is_new(version: &str) -> bool {
    !["v1", "v2", "v3", "v4", "v5"].contains(&version)
}

/// A message with a hole right behind it.
fn hollow() -> Message {
    Message {
        gap: Some(Gap::before(SyncCursor::new("before 4"))),
        ..samples::message("full", 3)
    }
}

/// The message with a value in every field that this version had.
/// What an older version did not know, it does not give.
fn full_message(version: &str) -> Message {
    let whole = samples::full_message("full", 1);
    match version {
        "v1" => Message {
            left_above: None,
            overlay: None,
            ..whole
        },
        "v2" => Message {
            overlay: None,
            ..whole
        },
        _ => whole,
    }
}

fn full_conversation(version: &str) -> Conversation {
    let whole = samples::full_conversation("full");
    match version {
        "v1" | "v2" => Conversation {
            completing: false,
            ..whole
        },
        _ => whole,
    }
}

#[tokio::test]
async fn a_migrated_store_has_the_schema_of_a_new_one() {
    let (_home, new) = home();
    open(&new).close().await;
    for (version, dump) in FIXTURES {
        let (_home, old) = home();
        restore(dump, &old);
        open(&old).close().await;
        assert_eq!(schema(&old), schema(&new), "{version}");
    }
}

/// What the fixture of the current version holds.
async fn fill(path: &Path) {
    let store = open(path);
    let job = store.transact(Durability::Normal, |rows| {
        rows.put_conversation(&samples::bare_conversation("bare"))?;
        rows.put_conversation(&samples::full_conversation("full"))?;
        rows.insert_message(&samples::full_message("full", 1))?;
        rows.insert_message(&samples::message("full", 2))?;
        rows.insert_message(&hollow())?;
        for entry in waiting("new") {
            rows.put_outbox(&entry)?;
        }
        rows.append_journal(&samples::full_journal_entry("full", 1))?;
        rows.append_journal(&samples::journal_entry("full", 2))?;
        rows.next_order()?;
        rows.next_order()?;
        rows.put_setting("account", "u-1")
    });
    job.await.expect("filled");
    store.close().await;
}

/// Run by hand when a schema is released; a fixture that is there is never written again.
#[tokio::test]
#[ignore = "writes the fixture of a new schema"]
async fn write_the_fixture_of_this_version() {
    let (_home, path) = home();
    fill(&path).await;
    let db = Connection::open(&path).expect("a file");
    let version: i64 = pragma(&db, "user_version");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/storage/fixtures");
    let fixture = folder.join(format!("v{version}.sql"));
    assert!(!fixture.exists(), "released: it stays as it is");
    std::fs::write(fixture, dump(&db)).expect("written");
}

fn pragma(db: &Connection, name: &str) -> i64 {
    let sql = format!("PRAGMA {name}");
    db.query_row(&sql, (), |row| row.get(0)).expect(name)
}

fn dump(db: &Connection) -> String {
    let mut text = String::new();
    // A virtual table makes its own: they are described by it, and filled like any other.
    let schema = strings(
        db,
        "SELECT sql FROM sqlite_schema AS s JOIN pragma_table_list AS t USING (name)
        WHERE t.type IN ('table', 'virtual') AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'
        ORDER BY s.rowid",
    );
    let indexes = strings(
        db,
        "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL
        ORDER BY rowid",
    );
    for statement in schema {
        let _ = writeln!(text, "{statement};");
    }
    for kind in ["table", "shadow"] {
        let sql = format!(
            "SELECT name FROM sqlite_schema AS s JOIN pragma_table_list AS t USING (name)
            WHERE t.type = '{kind}' AND s.type = 'table' ORDER BY s.rowid"
        );
        for table in strings(db, &sql) {
            if kind == "shadow" {
                // What it was made with.
                let _ = writeln!(text, "DELETE FROM {table};");
            }
            dump_rows(db, &table, &mut text);
        }
    }
    for statement in indexes {
        let _ = writeln!(text, "{statement};");
    }
    for name in ["application_id", "user_version"] {
        let _ = writeln!(text, "PRAGMA {name} = {};", pragma(db, name));
    }
    text
}

fn strings(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).expect(sql);
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a text")).collect()
}

fn dump_rows(db: &Connection, table: &str, text: &mut String) {
    let mut statement = db.prepare(&format!("SELECT * FROM {table}")).expect(table);
    let columns = statement.column_count();
    let mut rows = statement.query(()).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let values: Vec<String> = (0..columns)
            .map(|at| literal(row.get_ref(at).expect("a value")))
            .collect();
        let _ = writeln!(text, "INSERT INTO {table} VALUES ({});", values.join(", "));
    }
}

fn literal(value: ValueRef<'_>) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(bytes) => format!("x'{}'", hex(bytes)),
        // A statement's text ends at a NUL.
        ValueRef::Text(bytes) if bytes.contains(&0) => format!("CAST(x'{}' AS TEXT)", hex(bytes)),
        ValueRef::Text(bytes) => {
            format!("'{}'", String::from_utf8_lossy(bytes).replace('\'', "''"))
        }
    }
}

/// A step that ends half-way, as by a kill, has changed nothing and is made again.
#[tokio::test]
async fn f44_a_step_that_fails_half_way_leaves_nothing_and_runs_again() {
    let (_home, path) = home();
    let (_, first) = FIXTURES[0];
    restore(first, &path);
    let db = Connection::open(&path).expect("a file");
    // In the way of the step's last statement.
    db.execute_batch("CREATE INDEX conversation_drafted ON conversation (draft)")
        .expect("in the way");
    drop(db);
    let outcome = SqliteRepository::open(SqliteOptions::new(&path)).map(drop);
    assert!(
        matches!(outcome, Err(RepositoryError::Internal(_))),
        "{outcome:?}"
    );
    let db = Connection::open(&path).expect("a file");
    assert_eq!(pragma(&db, "user_version"), 5, "the steps before it stay");
    let counters = strings(&db, "SELECT name FROM counter WHERE name = 'spare'");
    assert_eq!(counters, [""; 0], "its first statement is undone");
    db.execute_batch("DROP INDEX conversation_drafted")
        .expect("out of the way");
    drop(db);
    let store = open(&path);
    let entries = store.view(|rows| rows.outbox(None)).await;
    assert_eq!(entries.expect("a view").len(), 2);
    store.close().await;
}
