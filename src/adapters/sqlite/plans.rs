//! Proof that the hot questions are index lookups, whatever the history's size.

use rusqlite::{Connection, StatementStatus, params};

use super::{
    conversation_rows, journal_rows, message_rows, migrate, open, outbox_rows, search_index,
    search_rows,
};

/// Every statement that reads or finds rows by more than the order of the table.
const LOOKUPS: [(&str, &str); 29] = [
    ("conversation", conversation_rows::ONE),
    ("conversations", conversation_rows::LISTED),
    ("message", message_rows::ONE),
    ("message by number", message_rows::BY_NUMBER),
    ("message by server id", message_rows::BY_SERVER_ID),
    ("unplaced", message_rows::UNPLACED),
    ("gaps", message_rows::GAPS),
    ("page", message_rows::PAGE),
    ("page with deleted", message_rows::PAGE_WITH_DELETED),
    ("page after", message_rows::PAGE_AFTER),
    ("oldest", message_rows::OLDEST),
    ("unread", message_rows::UNREAD),
    ("key above", message_rows::KEY_ABOVE),
    ("key below", message_rows::KEY_BELOW),
    ("outbox entry", outbox_rows::ONE),
    ("outbox head", outbox_rows::NEXT_HEAD),
    ("outbox track", outbox_rows::OF_TRACK),
    ("outbox changes", outbox_rows::CHANGES),
    ("counter", outbox_rows::COUNT),
    ("counter's number", outbox_rows::COUNTED),
    ("journal of message", journal_rows::OF),
    ("journal head", journal_rows::HEAD),
    ("setting", journal_rows::SETTING),
    ("row before its change", search_index::ONE),
    ("rows before their removal", search_index::OF_CONVERSATION),
    ("new rows for the index", search_index::NEW),
    ("old rows for the index", search_index::OLD),
    ("rows above the index", search_rows::TAIL),
    ("rows below the index", search_rows::BEHIND),
];

fn store() -> Connection {
    let mut db = Connection::open_in_memory().expect("a database");
    open::configure(&db).expect("our settings");
    migrate::run(&mut db).expect("the schema");
    db
}

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect(sql);
    // Unbound parameters are null; a plan does not depend on them.
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("a step") {
        steps.push(row.get(3).expect("its words"));
    }
    steps
}

#[test]
fn hot_questions_are_index_lookups() {
    let db = store();
    for (name, sql) in LOOKUPS {
        let steps = plan(&db, sql);
        assert!(
            steps.iter().any(|step| step.starts_with("SEARCH")),
            "{name}: {steps:?}"
        );
        // Of an index by conversation, the part that is read is one conversation's.
        if sql.contains("INDEXED BY message_") {
            assert!(steps[0].contains("(conversation=?"), "{name}: {steps:?}");
        }
        for step in &steps {
            assert!(
                !step.contains("SCAN") || step == "SCAN CONSTANT ROW",
                "{name}: {steps:?}"
            );
            assert!(!step.contains("TEMP B-TREE"), "{name}: {steps:?}");
        }
    }
}

#[test]
fn every_update_finds_its_row_by_the_key() {
    let db = store();
    let updates = [
        conversation_rows::TABLE.widest_update(),
        message_rows::TABLE.widest_update(),
        outbox_rows::TABLE.widest_update(),
    ];
    for sql in updates {
        let steps = plan(&db, &sql);
        assert!(steps[0].starts_with("SEARCH"), "{sql}: {steps:?}");
        assert!(steps.iter().all(|step| !step.contains("SCAN")), "{steps:?}");
    }
}

#[test]
fn lists_walk_an_index_in_order() {
    let db = store();
    let walk = "SEARCH conversation USING INDEX conversation_listed (hidden=?)";
    assert_eq!(plan(&db, conversation_rows::LISTED), [walk]);
    let walk = "SEARCH journal USING INTEGER PRIMARY KEY (rowid>?)";
    assert_eq!(plan(&db, journal_rows::AFTER)[0], walk);
}

/// The index is walked from the newest key down, and only the few rows that still change are read
/// beside it.
#[test]
fn a_search_reads_the_index_in_order_and_little_else() {
    let db = store();
    let found = plan(&db, search_rows::INDEXED);
    assert_eq!(found.len(), 1, "no sort: {found:?}");
    assert!(
        found[0].starts_with("SCAN search VIRTUAL TABLE INDEX"),
        "{found:?}"
    );
    let late = plan(&db, search_rows::LATE);
    let walk = [
        "SCAN search_late",
        "SEARCH message USING INTEGER PRIMARY KEY (rowid=?)",
    ];
    assert_eq!(late, walk);
    let ready = plan(&db, search_index::READY);
    assert_eq!(ready[0], walk[1]);
    assert_eq!(
        ready[2],
        "SCAN search_late USING COVERING INDEX search_ready"
    );
}

/// Rows `from..to` of one conversation: every tenth is deleted, read ones, and a waiting queue.
fn fill(db: &Connection, from: i64, to: i64) {
    let insert =
        "INSERT INTO message (id, conversation, role, own, body, sort_key, state, attempts,
        completeness, deleted, unread, revision, version)
        VALUES (?1, 1, 'user', 0, 'text', ?2, 3, 0, 0, ?2 % 10 = 0, 0, 0, 0)";
    let queue =
        "INSERT INTO outbox (id, conversation, kind, track, body, durable, state, accept_order,
        attempt, failures, accepted_at, expires_at, parked)
        VALUES (?1, 1, 0, 0, 'text', 1, 0, ?2, 0, 0, 0, 0, 0)";
    for n in from..to {
        let id = i128::from(n).to_be_bytes();
        db.execute(insert, params![id, n]).expect("a message");
        db.execute(queue, params![id, n]).expect("an entry");
    }
}

/// Steps of SQLite's machine: a count that no other load on the host disturbs.
fn steps(db: &Connection, sql: &str) -> i32 {
    let mut statement = db.prepare(sql).expect(sql);
    for at in 1..=statement.parameter_count() {
        let value = ["c", "500", "50"].get(at - 1).copied().unwrap_or_default();
        statement.raw_bind_parameter(at, value).expect("a bound");
    }
    let mut rows = statement.raw_query();
    while rows.next().expect("a row").is_some() {}
    drop(rows);
    assert_eq!(statement.get_status(StatementStatus::Sort), 0, "{sql}");
    let again = statement.get_status(StatementStatus::RePrepare);
    assert_eq!(again, 0, "prepared anew for its values: {sql}");
    statement.get_status(StatementStatus::VmStep)
}

#[test]
fn g13_a_page_costs_the_same_in_a_long_history() {
    let db = store();
    db.execute_batch(
        "INSERT INTO conversation (id, archived, server_id, participants, attributes, hidden,
         unread, stored, version) VALUES ('c', 0, 'c', '[]', '{}', 0, 0, 0, 0)",
    )
    .expect("a conversation");
    let hot = [
        message_rows::PAGE,
        message_rows::PAGE_WITH_DELETED,
        message_rows::PAGE_AFTER,
        message_rows::UNREAD,
        message_rows::UNPLACED,
        message_rows::KEY_BELOW,
        message_rows::KEY_ABOVE,
        outbox_rows::NEXT_HEAD,
    ];
    fill(&db, 1, 1_000);
    let short = hot.map(|sql| steps(&db, sql));
    fill(&db, 1_000, 4_000);
    let long = hot.map(|sql| steps(&db, sql));
    assert_eq!(short, long);
}

/// From the head of one track to the next: what waits behind the head is passed over unseen.
#[test]
fn g13_a_head_costs_the_same_before_a_long_queue() {
    let db = store();
    db.execute_batch(
        "INSERT INTO conversation (id, archived, server_id, participants, attributes, hidden,
         unread, stored, version) VALUES ('c', 0, 'c', '[]', '{}', 0, 0, 0, 0)",
    )
    .expect("a conversation");
    let cost = |db: &Connection| {
        let mut next = db.prepare(outbox_rows::NEXT_HEAD).expect("a statement");
        for from in [(1, 0), (1, 1)] {
            let mut rows = next.query(from).expect("rows");
            while rows.next().expect("a row").is_some() {}
        }
        next.get_status(StatementStatus::VmStep)
    };
    fill(&db, 1, 1_000);
    let short = cost(&db);
    fill(&db, 1_000, 4_000);
    assert_eq!(short, cost(&db));
}
