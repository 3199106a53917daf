use std::time::Duration;

use serde_json::{Value, json};
use tidings_backend::Backend;

use crate::support::{
    CONSULTATIONS, Http, Socket, id_of, messages, start, start_with, streamed, text, within,
};

fn extended() -> Backend {
    start_with(|config| config.extensions = true)
}

async fn keyed(http: &Http, id: &str, key: &str, content: &str) -> crate::support::Answer {
    let request = http
        .request("POST", &messages(id))
        .header("idempotency-key", key)
        .body(json!({ "content": content }).to_string());
    Http::send(request).await.expect("an answer")
}

async fn answered(backend: &Backend, id: &str, rows: usize) {
    within(
        backend
            .wait_until(|backend| backend.messages(id).len() == rows && !backend.is_answering(id)),
    )
    .await;
}

#[tokio::test]
async fn capabilities_are_listed_only_when_there_are_any() {
    let path = "/api/v1/tidings/capabilities";
    let plain = start();
    assert_eq!(Http::new(&plain).get(path).await.status, 404);
    let backend = extended();
    let listed = Http::new(&backend).get(path).await.data();
    let listed = listed["extensions"].as_array().expect("a list").clone();
    for name in [
        "idempotency_key",
        "seq",
        "resume",
        "stop",
        "edit",
        "read_marker",
        "idempotent_create",
    ] {
        assert!(listed.contains(&json!(name)), "{name}");
    }
}

#[tokio::test]
async fn the_same_key_stores_one_row_and_gets_one_answer() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    let first = keyed(&http, &id, "k-1", "hello").await;
    let second = keyed(&http, &id, "k-1", "hello").await;
    assert_eq!((first.status, second.status), (201, 200));
    assert_eq!(
        first.data()["user_message"]["id"],
        second.data()["user_message"]["id"]
    );
    assert_eq!(first.data()["user_message"]["client_id"], "k-1");
    answered(&backend, &id, 2).await;
}

#[tokio::test]
async fn a_key_cannot_be_used_for_another_text() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    keyed(&http, &id, "k-1", "hello").await;
    assert_eq!(keyed(&http, &id, "k-1", "other").await.status, 422);
}

#[tokio::test]
async fn without_extensions_a_key_means_nothing() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    assert_eq!(keyed(&http, &id, "k-1", "hello").await.status, 201);
    assert_eq!(keyed(&http, &id, "k-1", "hello").await.status, 201);
    answered(&backend, &id, 4).await;
}

#[tokio::test]
async fn the_acknowledgement_over_the_socket_names_the_row() {
    let backend = extended();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let message = json!({ "type": "message", "content": "hello", "client_id": "c-1" });
    socket.send(message.clone()).await;
    let ack = socket.next().await;
    let row = &backend.messages(&id)[0];
    assert_eq!(ack["type"], "message_received");
    assert_eq!(
        (text(&ack["message_id"]), &ack["seq"]),
        (row.id.clone(), &json!(1))
    );
    assert_eq!(ack["client_id"], "c-1");
    let turn = socket.until("stream_complete").await;
    assert_eq!(turn.last().expect("an end")["seq"], 2);

    socket.send(message).await;
    let again = socket.next().await;
    assert_eq!(
        (&again["message_id"], &again["duplicate"]),
        (&json!(row.id), &json!(true))
    );
    answered(&backend, &id, 2).await;
}

#[tokio::test]
async fn numbers_are_dense_and_pages_can_start_after_one() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    for n in 1..=2 {
        http.say(&id, &format!("message {n}")).await;
        answered(&backend, &id, 2 * n).await;
    }
    let page = http
        .get(&format!("{}?after_seq=2", messages(&id)))
        .await
        .data();
    let seqs: Vec<_> = page["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["seq"].clone())
        .collect();
    assert_eq!(seqs, [json!(3), json!(4)]);
    assert_eq!(page["messages"][0]["content"], "message 2");
}

#[tokio::test]
async fn resuming_replays_what_was_missed_after_connected() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    http.say(&id, "hello").await;
    answered(&backend, &id, 2).await;
    let mut socket = Socket::dial(&backend, &id, "?resume=1")
        .await
        .expect("an upgrade");
    assert_eq!(socket.next().await["type"], "connected");
    let replayed = socket.next().await;
    assert_eq!(
        (&replayed["type"], &replayed["message"]["seq"]),
        (&json!("message"), &json!(2))
    );
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await["type"], "pong", "and nothing else");
}

#[tokio::test]
async fn other_sockets_see_the_users_message() {
    let backend = extended();
    let id = Http::new(&backend).create().await;
    let mut one = Socket::open(&backend, &id).await;
    let mut two = Socket::open(&backend, &id).await;
    one.say("hello from one").await;
    let seen = two.next().await;
    assert_eq!(seen["message"]["content"], "hello from one");
    assert_eq!(one.next().await["type"], "message_received");
}

#[tokio::test]
async fn stopping_keeps_what_was_streamed_and_says_so() {
    let backend = start_with(|config| {
        config.extensions = true;
        config.word_delay = Duration::from_millis(20);
    });
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    for by_frame in [true, false] {
        socket.say("a long one").await;
        let mut turn = socket.until("stream_chunk").await;
        if by_frame {
            socket.send(json!({ "type": "stop" })).await;
        } else {
            let stopped = http
                .post(&format!("{CONSULTATIONS}/{id}/stop"), json!({}))
                .await;
            assert_eq!(stopped.data()["stopped"], true);
        }
        turn.extend(socket.until("stream_complete").await);
        assert_eq!(turn.last().expect("an end")["metadata"]["stopped"], true);
        let stored = backend.messages(&id).pop().expect("a row");
        assert_eq!(stored.content, streamed(&turn));
        assert!(!stored.content.ends_with("That is all for now."));
    }
    let idle = http
        .post(&format!("{CONSULTATIONS}/{id}/stop"), json!({}))
        .await;
    assert_eq!(idle.data()["stopped"], false);
}

async fn patch(http: &Http, id: &str, message: &str, content: &str) -> crate::support::Answer {
    let path = format!("{}/{message}", messages(id));
    let body = json!({ "content": content }).to_string();
    Http::send(http.request("PATCH", &path).body(body))
        .await
        .expect("an answer")
}

#[tokio::test]
async fn an_edit_counts_the_revision_up_and_reaches_the_sockets() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    let message = id_of(&http.say(&id, "helo").await.data()["user_message"]);
    answered(&backend, &id, 2).await;
    let mut socket = Socket::open(&backend, &id).await;
    let edited = patch(&http, &id, &message, "hello").await.data();
    assert_eq!(
        (&edited["content"], &edited["revision"]),
        (&json!("hello"), &json!(2))
    );
    let pushed = socket.next().await;
    assert_eq!(pushed["type"], "message_updated");
    assert_eq!(pushed["message"]["content"], "hello");
    let answer = backend.messages(&id)[1].id.clone();
    assert_eq!(patch(&http, &id, &answer, "mine now").await.status, 403);
    assert_eq!(patch(&http, &id, "none", "x").await.status, 404);
}

#[tokio::test]
async fn a_deleted_message_leaves_a_tombstone() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    let message = id_of(&http.say(&id, "oops").await.data()["user_message"]);
    answered(&backend, &id, 2).await;
    let path = format!("{}/{message}", messages(&id));
    for _ in 0..2 {
        let deleted = http.delete(&path).await.data();
        assert_eq!(
            (
                &deleted["deleted"],
                &deleted["content"],
                &deleted["revision"]
            ),
            (&json!(true), &json!(""), &json!(2)),
        );
    }
    assert_eq!(patch(&http, &id, &message, "back").await.status, 404);
    let page = http.get(&messages(&id)).await.data();
    assert_eq!(page["messages"][0]["deleted"], true);
}

async fn read_up_to(http: &Http, id: &str, seq: u64) -> Value {
    let path = format!("{CONSULTATIONS}/{id}/read");
    let body = json!({ "up_to_seq": seq }).to_string();
    Http::send(http.request("PUT", &path).body(body))
        .await
        .expect("an answer")
        .data()
}

#[tokio::test]
async fn read_markers_move_forward_only_and_are_pushed() {
    let backend = extended();
    let http = Http::new(&backend);
    let id = http.create().await;
    http.say(&id, "hello").await;
    answered(&backend, &id, 2).await;
    let mut socket = Socket::open(&backend, &id).await;
    assert_eq!(read_up_to(&http, &id, 1).await["up_to_seq"], 1);
    assert_eq!(socket.next().await["up_to_seq"], 1);
    assert_eq!(
        read_up_to(&http, &id, 99).await["up_to_seq"],
        2,
        "no further than there are rows"
    );
    assert_eq!(read_up_to(&http, &id, 1).await["up_to_seq"], 2);
    assert_eq!(socket.next().await["up_to_seq"], 2);
    assert!(socket.is_silent().await, "a marker that stays is not news");
    let consultation = http.get(&format!("{CONSULTATIONS}/{id}")).await.data();
    assert_eq!(consultation["read_up_to_seq"], 2);
}

#[tokio::test]
async fn without_extensions_none_of_it_exists() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let message = id_of(&http.say(&id, "hello").await.data()["user_message"]);
    assert_eq!(patch(&http, &id, &message, "x").await.status, 404);
    assert_eq!(
        http.delete(&format!("{}/{message}", messages(&id)))
            .await
            .status,
        404
    );
    assert_eq!(
        http.post(&format!("{CONSULTATIONS}/{id}/stop"), json!({}))
            .await
            .status,
        404
    );
}

async fn create_keyed(http: &Http, key: &str, persona: &str) -> crate::support::Answer {
    let request = http
        .request("POST", CONSULTATIONS)
        .header("idempotency-key", key)
        .body(json!({ "persona": persona }).to_string());
    Http::send(request).await.expect("an answer")
}

#[tokio::test]
async fn the_same_key_creates_one_consultation() {
    let backend = extended();
    let http = Http::new(&backend);
    let first = create_keyed(&http, "k-1", "triage").await;
    let again = create_keyed(&http, "k-1", "triage").await;
    assert_eq!((first.status, again.status), (201, 200));
    let id = |answer: &crate::support::Answer| text(&answer.data()["consultation"]["id"]);
    assert_eq!(id(&first), id(&again));
    let other = create_keyed(&http, "k-2", "nutritionist").await;
    assert_ne!(id(&first), id(&other));
    let long = "k".repeat(201);
    assert_eq!(create_keyed(&http, &long, "triage").await.status, 400);
    let plain = start();
    let http = Http::new(&plain);
    create_keyed(&http, "k-1", "triage").await;
    let second = create_keyed(&http, "k-1", "triage").await;
    assert_eq!(second.status, 409, "no such extension: it is a twin");
}
