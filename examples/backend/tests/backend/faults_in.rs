//! Each action on frames from the client.

use serde_json::{Value, json};
use tidings_backend::Backend;

use crate::support::{Http, Socket, kinds, rule, start, streamed, within};

async fn spoiled(action: Value) -> (Backend, String, Socket) {
    let backend = start();
    let id = Http::new(&backend).create().await;
    rule(
        &backend,
        json!({ "on": "ws_in", "type": "message" }),
        action,
    );
    let socket = Socket::open(&backend, &id).await;
    (backend, id, socket)
}

fn stored(backend: &Backend, id: &str) -> Vec<String> {
    let rows = backend
        .messages(id)
        .into_iter()
        .filter(|row| row.role == "user");
    rows.map(|row| row.content).collect()
}

async fn ping(socket: &mut Socket) -> Value {
    socket.send(json!({ "type": "ping" })).await;
    socket.next().await
}

#[tokio::test]
async fn drop_swallows_the_frame() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "drop" })).await;
    socket.say("lost").await;
    assert_eq!(ping(&mut socket).await["type"], "pong");
    assert!(stored(&backend, &id).is_empty());
    socket.say("found").await;
    socket.until("stream_complete").await;
    assert_eq!(stored(&backend, &id), ["found"]);
}

#[tokio::test]
async fn delay_holds_the_frame_back() {
    let (_backend, _, mut socket) = spoiled(json!({ "kind": "delay", "ms": 150 })).await;
    let started = std::time::Instant::now();
    socket.say("hello").await;
    socket.until("message_received").await;
    assert!(started.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn freeze_makes_the_socket_deaf_and_dumb() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "freeze" })).await;
    socket.say("lost").await;
    socket.send(json!({ "type": "ping" })).await;
    socket
        .raw(tokio_tungstenite::tungstenite::Message::Ping("x".into()))
        .await;
    assert!(socket.is_silent().await, "not even a pong");
    assert!(stored(&backend, &id).is_empty());
    assert_eq!(backend.sockets_of(&id).len(), 1, "nobody noticed");
}

#[tokio::test]
async fn a_one_way_freeze_hears_but_does_not_answer() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "freeze", "direction": "out" })).await;
    socket.say("swallowed by the rule").await;
    socket.say("heard").await;
    within(backend.wait_until(|backend| stored(backend, &id) == ["heard"])).await;
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn duplicate_applies_the_frame_twice() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "duplicate" })).await;
    socket.say("twice").await;
    socket.until("stream_complete").await;
    socket.until("stream_complete").await;
    assert_eq!(stored(&backend, &id), ["twice", "twice"]);
}

#[tokio::test]
async fn reorder_lets_the_next_frame_pass() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "reorder" })).await;
    socket.say("one").await;
    socket.say("two").await;
    socket.until("stream_complete").await;
    socket.until("stream_complete").await;
    assert_eq!(stored(&backend, &id), ["two", "one"]);
}

#[tokio::test]
async fn replace_changes_what_the_client_said() {
    let text = json!({ "type": "message", "content": "other" }).to_string();
    let (backend, id, mut socket) = spoiled(json!({ "kind": "replace", "text": text })).await;
    socket.say("this").await;
    socket.until("stream_complete").await;
    assert_eq!(stored(&backend, &id), ["other"]);
}

#[tokio::test]
async fn close_answers_with_a_close_frame() {
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 4001,
    ] {
        let (backend, id, mut socket) = spoiled(json!({ "kind": "close", "code": code })).await;
        socket.say("lost").await;
        assert_eq!(socket.end().await, Some(code));
        assert!(stored(&backend, &id).is_empty());
    }
}

#[tokio::test]
async fn reset_breaks_the_socket() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "reset" })).await;
    socket.say("lost").await;
    assert_eq!(socket.end().await, None);
    assert!(stored(&backend, &id).is_empty());
    within(backend.wait_until(|backend| backend.sockets().is_empty())).await;
}

#[tokio::test]
async fn lost_ack_applies_the_frame_and_breaks_the_socket() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "lost_ack" })).await;
    socket.say("applied").await;
    assert!(
        matches!(socket.frame().await, Some(Err(_)) | None),
        "no acknowledgement"
    );
    assert_eq!(stored(&backend, &id), ["applied"]);
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
}

#[tokio::test]
async fn frozen_ack_applies_the_frame_and_falls_silent() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "frozen_ack" })).await;
    socket.say("applied").await;
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    socket.send(json!({ "type": "ping" })).await;
    assert!(socket.is_silent().await);
    assert_eq!(stored(&backend, &id), ["applied"]);
}

#[tokio::test]
async fn late_apply_breaks_the_socket_and_applies_later() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "late_apply", "ms": 150 })).await;
    socket.say("late").await;
    assert!(matches!(socket.frame().await, Some(Err(_)) | None));
    assert!(stored(&backend, &id).is_empty());
    within(backend.wait_until(|backend| stored(backend, &id) == ["late"])).await;
}

#[tokio::test]
async fn no_terminator_streams_and_stores_but_never_ends() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "no_terminator" })).await;
    socket.say("hello").await;
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    let mut turn = socket.until("stream_chunk").await;
    socket.send(json!({ "type": "ping" })).await;
    turn.extend(socket.until("pong").await);
    assert_eq!(kinds(&turn), ["message_received", "stream_chunk", "pong"]);
    assert!(socket.is_silent().await);
    assert_eq!(streamed(&turn), backend.messages(&id)[1].content);
}

#[tokio::test]
async fn no_answer_acknowledges_and_says_no_more() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "no_answer" })).await;
    socket.say("hello").await;
    assert_eq!(socket.next().await["type"], "message_received");
    within(backend.wait_until(|backend| !backend.is_answering(&id))).await;
    assert_eq!(ping(&mut socket).await["type"], "pong");
    assert_eq!(backend.messages(&id).len(), 1);
}

#[tokio::test]
async fn no_answer_can_still_be_found_in_history() {
    let (backend, id, mut socket) = spoiled(json!({ "kind": "no_answer", "stored": true })).await;
    socket.say("hello").await;
    assert_eq!(socket.next().await["type"], "message_received");
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    assert_eq!(ping(&mut socket).await["type"], "pong");
}

#[tokio::test]
async fn an_error_frame_ends_the_turn_after_some_words() {
    let action = json!({ "kind": "error_frame", "code": "AI_SERVICE_UNAVAILABLE",
        "text": "sorry", "after_chunks": 3 });
    let (backend, id, mut socket) = spoiled(action).await;
    socket.say("hello there").await;
    let turn = socket.until("error").await;
    assert_eq!(
        turn.iter()
            .filter(|document| document["type"] == "stream_chunk")
            .count(),
        3
    );
    let error = turn.last().expect("an error");
    assert_eq!(
        (&error["error"], &error["code"]),
        (&json!("sorry"), &json!("AI_SERVICE_UNAVAILABLE"))
    );
    assert_eq!(
        backend.messages(&id).len(),
        1,
        "a failed answer is not stored"
    );
    socket.say("again").await;
    socket.until("stream_complete").await;
}
