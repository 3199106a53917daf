//! Documents made by hand: rows into holes, keys that are taken, and what is wrong in one place.

use serde_json::{Value, json};
use tidings::{
    domain::{
        conversation::Conversation,
        cursor::{Gap, SyncCursor, SyncPosition},
        delivery::DeliveryState,
        message::Message,
        order::SortKey,
        outbox::Action,
    },
    testing::repository_contract::samples,
    usecases::document,
};

use super::{Store, Stored, filled, import, random, run, seen};

/// A row that the server told of, at its number.
fn told(n: u32) -> Message {
    Message {
        server_id: Some(samples::server_id(&format!("s-{n}"))),
        key: SortKey::server(i64::from(n)),
        ..samples::message(random::NAME, n)
    }
}

/// A store that has read these rows, and knows that there is more before them or not.
async fn having(rows: Vec<Message>, oldest: Option<SyncCursor>) -> Store {
    let stored = Stored {
        conversation: Conversation {
            sync: SyncPosition {
                newest: Some(SyncCursor::new("here")),
                oldest,
                listed: None,
            },
            stored: rows.len() as u64,
            ..samples::bare_conversation(random::NAME)
        },
        rows,
        entries: Vec::new(),
    };
    filled(&stored).await
}

fn row(n: u32, place: Value) -> Value {
    let mut row = json!({
        "id": samples::key(n).to_string(), "role": "user", "text": format!("text {n}"), "state": "sent",
    });
    if !place.is_null() {
        row["place"] = place;
        row["server_id"] = json!(format!("s-{n}"));
    }
    row
}

fn at(n: u32) -> Value {
    json!(SortKey::server(i64::from(n)).as_i64())
}

fn document(messages: Vec<Value>) -> String {
    let chat = json!({"id": random::NAME, "local": {}, "server": {}});
    let whole = json!({
        "format": "tidings.conversation", "version": 1, "conversation": chat, "messages": messages,
    });
    whole.to_string()
}

/// The document's rows fill a hole here in part; nobody but the server may say that it is closed.
#[test]
fn rows_that_go_into_a_hole_keep_its_mark_where_the_document_does_not_join_them() {
    let mark = Some(Gap::before(SyncCursor::new("before 9")));
    let hole = Message {
        gap: mark.clone(),
        ..told(1)
    };
    let store = run(having(vec![hole, told(9)], None));
    let mut rows: Vec<_> = [1, 4, 5, 7, 9].map(|n| row(n, at(n))).into();
    rows[2]["gap"] = json!(true);
    let done = run(import(&store, &document(rows)))
        .expect("stored")
        .expect("here");
    assert_eq!((done.added, done.known, done.left), (3, 2, 0));
    let marks = run(seen(&store))
        .rows
        .into_iter()
        .map(|row| (row.key, row.gap));
    let at = |n| SortKey::server(n);
    let wanted = [
        (at(1), mark.clone()),
        (at(4), None),
        (at(5), mark.clone()),
        (at(7), mark),
        (at(9), None),
    ];
    assert_eq!(marks.collect::<Vec<_>>(), wanted);
}

#[test]
fn rows_before_the_beginning_come_only_where_the_server_has_nothing_there() {
    let rows = || document([2, 3, 7].map(|n| row(n, at(n))).into());
    let store = run(having(vec![told(7)], None));
    let done = run(import(&store, &rows())).expect("stored").expect("here");
    assert_eq!((done.added, done.known, done.left), (2, 1, 0));
    let store = run(having(vec![told(7)], Some(SyncCursor::new("more"))));
    let done = run(import(&store, &rows())).expect("stored").expect("here");
    assert_eq!((done.added, done.known, done.left), (0, 1, 2));
    let store = run(having(vec![told(1)], None));
    let done = run(import(&store, &rows())).expect("stored").expect("here");
    assert_eq!((done.added, done.left), (0, 3), "no neighbour in common");
}

/// Places of another store: between the same neighbours there is room for as many as there are.
#[test]
fn rows_whose_place_is_taken_are_placed_anew_in_their_order() {
    let store = run(having(vec![told(1), told(2)], None));
    let mut rows: Vec<_> = (3..40).map(|n| row(n, at(n))).collect();
    rows.insert(0, row(1, at(1)));
    rows.push(row(2, at(90)));
    let done = run(import(&store, &document(rows)))
        .expect("stored")
        .expect("here");
    assert_eq!((done.added, done.known), (37, 2));
    let order: Vec<_> = run(seen(&store))
        .rows
        .into_iter()
        .map(|row| row.text)
        .collect();
    let wanted = std::iter::once(1).chain(3..40).chain([2]);
    assert_eq!(
        order,
        wanted.map(|n| format!("text {n}")).collect::<Vec<_>>()
    );
}

/// What is uncertain has left at least once, whatever the document says: else no row of the server's
/// is ever looked for.
#[test]
fn an_uncertain_row_is_one_that_the_server_may_have() {
    let store = run(having(Vec::new(), None));
    let mut lost = row(1, Value::Null);
    (lost["own"], lost["state"]) = (json!(true), json!("uncertain"));
    run(import(&store, &document(vec![lost])))
        .expect("stored")
        .expect("here");
    let seen = run(seen(&store));
    assert!(seen.rows[0].may_be_on_server() && seen.rows[0].attempts == 1);
    assert!(seen.outbox[0].parked);
}

/// The key of an edit that is another row's would take that row's place in the outbox.
#[test]
fn an_edit_under_a_key_that_is_taken_is_left_out() {
    let store = run(having(Vec::new(), None));
    let mut waits = row(2, Value::Null);
    (waits["own"], waits["state"]) = (json!(true), json!("failed"));
    let mut edited = row(1, Value::Null);
    (edited["own"], edited["state"]) = (json!(true), json!("failed"));
    edited["unsent_edit"] = json!({
        "id": samples::key(2).to_string(), "text": "odd",
        "reason": {"code": "rejected", "text": "no"},
    });
    let rows = vec![waits, edited];
    run(import(&store, &document(rows)))
        .expect("stored")
        .expect("here");
    let entries = run(seen(&store)).outbox;
    let send = |n: u32| Action::Send {
        text: format!("text {n}"),
    };
    let held: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry.action, entry.state))
        .collect();
    let failed = DeliveryState::Failed;
    assert!(held == [(send(2), failed), (send(1), failed)], "{held:?}");
}

#[test]
fn f36_one_thing_that_is_wrong_spoils_the_whole_document() {
    let changed = |field: &str, value: Value| {
        let mut row = row(1, at(1));
        row[field] = value;
        vec![row]
    };
    let edge = SortKey::pending(0).as_i64();
    for (what, messages) in [
        ("not in order", vec![row(2, at(2)), row(1, at(1))]),
        ("one place for two", vec![row(1, at(1)), row(2, at(1))]),
        (
            "placed behind those that wait",
            vec![row(1, Value::Null), row(2, at(2))],
        ),
        ("twice by its key", vec![row(1, at(1)), row(1, Value::Null)]),
        (
            "twice by its name",
            vec![row(1, at(1)), {
                let mut again = row(2, at(2));
                again["server_id"] = json!("s-1");
                again
            }],
        ),
        (
            "a place in the half of those that wait",
            changed("place", json!(edge)),
        ),
        (
            "a place at the end of numbers",
            changed("place", json!(i64::MIN)),
        ),
        ("a state that is none", changed("state", json!("lost"))),
        (
            "a moment that is none",
            changed("created_at", json!("yesterday")),
        ),
        ("a blank id", changed("server_id", json!(" "))),
        ("a key that is none", changed("id", json!("1"))),
        ("an end that is none", changed("ended", json!("well"))),
        ("a text that is none", changed("text", json!(7))),
    ] {
        let read = document::read(&document(messages));
        let code = read.map(drop).map_err(|error| error.code().to_owned());
        assert_eq!(code, Err("import.malformed".to_owned()), "{what}");
    }
    assert!(document::read(&document(vec![row(1, at(1))])).is_ok());
}
