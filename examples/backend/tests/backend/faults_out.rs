//! Each action on frames to the client.

use serde_json::{Value, json};
use tidings_backend::Backend;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Http, Socket, rule, start, streamed, within};

/// A conversation in which the first (or nth) frame of a type is spoiled.
async fn spoiled(kind: &str, nth: u32, action: Value) -> (Backend, String, Socket) {
    let backend = start();
    let id = Http::new(&backend).create().await;
    rule(
        &backend,
        json!({ "on": "ws_out", "type": kind, "nth": nth }),
        action,
    );
    let socket = Socket::open(&backend, &id).await;
    (backend, id, socket)
}

async fn answer(backend: &Backend, id: &str) -> String {
    within(backend.wait_until(|backend| backend.messages(id).len() == 2)).await;
    backend.messages(id)[1].content.clone()
}

async fn pong(socket: &mut Socket) {
    socket.send(json!({ "type": "ping" })).await;
}

#[tokio::test]
async fn drop_swallows_a_chunk() {
    let (backend, id, mut socket) = spoiled("stream_chunk", 2, json!({ "kind": "drop" })).await;
    socket.say("hello").await;
    let turn = socket.until("stream_complete").await;
    let whole = answer(&backend, &id).await;
    let words: Vec<_> = whole.split_inclusive(' ').collect();
    let without: String = [&words[..1], &words[2..]].concat().concat();
    assert_eq!(streamed(&turn), without);
}

#[tokio::test]
async fn delay_holds_a_frame_and_those_behind_it_back() {
    let action = json!({ "kind": "delay", "ms": 150 });
    let (_backend, _, mut socket) = spoiled("message_received", 1, action).await;
    let started = std::time::Instant::now();
    socket.say("hello").await;
    assert_eq!(socket.next().await["type"], "message_received");
    assert!(started.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn freeze_cuts_a_stream_off_without_a_word() {
    let (backend, id, mut socket) = spoiled("stream_chunk", 3, json!({ "kind": "freeze" })).await;
    socket.say("hello").await;
    socket.until("stream_chunk").await;
    socket.until("stream_chunk").await;
    answer(&backend, &id).await;
    pong(&mut socket).await;
    assert!(socket.is_silent().await);
}

#[tokio::test]
async fn duplicate_sends_a_frame_twice() {
    let (backend, id, mut socket) =
        spoiled("stream_chunk", 1, json!({ "kind": "duplicate" })).await;
    socket.say("hello").await;
    let turn = socket.until("stream_complete").await;
    let whole = answer(&backend, &id).await;
    let first = whole.split_inclusive(' ').next().expect("a word");
    assert_eq!(streamed(&turn), format!("{first}{whole}"));
}

#[tokio::test]
async fn reorder_swaps_a_frame_with_the_next() {
    let (backend, id, mut socket) = spoiled("stream_chunk", 1, json!({ "kind": "reorder" })).await;
    socket.say("hello").await;
    let turn = socket.until("stream_complete").await;
    let whole = answer(&backend, &id).await;
    let mut words: Vec<_> = whole.split_inclusive(' ').collect();
    words.swap(0, 1);
    assert_eq!(streamed(&turn), words.concat());
}

#[tokio::test]
async fn replace_puts_other_text_in_place() {
    let action = json!({ "kind": "replace", "text": "{\"type\":" });
    let (_backend, _, mut socket) = spoiled("pong", 1, action).await;
    pong(&mut socket).await;
    assert_eq!(socket.text_frame().await, "{\"type\":\n");
}

#[tokio::test]
async fn replace_can_put_bytes_that_are_not_text() {
    let (_backend, _, mut socket) =
        spoiled("pong", 1, json!({ "kind": "replace", "base64": "//4=" })).await;
    pong(&mut socket).await;
    assert!(matches!(socket.frame().await, Some(Err(Error::Utf8(_)))));
}

#[tokio::test]
async fn close_ends_the_socket_in_place_of_a_frame() {
    let (_backend, _, mut socket) =
        spoiled("stream_chunk", 2, json!({ "kind": "close", "code": 1012 })).await;
    socket.say("hello").await;
    assert_eq!(socket.end().await, Some(1012));
}

#[tokio::test]
async fn reset_breaks_off_in_the_middle_of_a_frame() {
    let (_backend, _, mut socket) = spoiled("pong", 1, json!({ "kind": "reset" })).await;
    pong(&mut socket).await;
    let end = socket.frame().await;
    assert!(
        matches!(end, Some(Err(_))),
        "no frame and no close: {end:?}"
    );
}

#[tokio::test]
async fn truncate_ends_the_connection_inside_a_frame() {
    let (_backend, _, mut socket) =
        spoiled("pong", 1, json!({ "kind": "truncate", "bytes": 4 })).await;
    pong(&mut socket).await;
    let end = socket.frame().await;
    assert!(matches!(end, Some(Err(_)) | None), "{end:?}");
}

#[tokio::test]
async fn an_error_frame_stands_in_for_a_frame() {
    let action = json!({ "kind": "error_frame", "text": "broken" });
    let (_backend, _, mut socket) = spoiled("stream_complete", 1, action).await;
    socket.say("hello").await;
    let turn = socket.until("error").await;
    assert_eq!(turn.last().expect("an error")["error"], "broken");
}

#[tokio::test]
async fn split_frame_arrives_as_fragments_of_one_message() {
    let action = json!({ "kind": "split_frame", "parts": 3 });
    let (_backend, _, mut socket) = spoiled("pong", 1, action).await;
    pong(&mut socket).await;
    let mut text = Vec::new();
    for first in [0x01, 0x00, 0x80] {
        let head = socket.bytes(2).await;
        assert_eq!(
            head[0], first,
            "a text frame, a continuation, the final one"
        );
        text.extend(socket.bytes(head[1].into()).await);
    }
    let document: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(document["type"], "pong");
}

#[tokio::test]
async fn merge_frames_lets_a_document_share_the_next_frame() {
    let (_backend, _, mut socket) =
        spoiled("message_received", 1, json!({ "kind": "merge_frames" })).await;
    socket.say("hello").await;
    let frame = socket.text_frame().await;
    let kinds: Vec<Value> = frame
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["type"].clone())
        .collect();
    assert_eq!(kinds, [json!("message_received"), json!("stream_chunk")]);
}

#[tokio::test]
async fn slow_body_trickles_a_frame() {
    let action = json!({ "kind": "slow_body", "bytes_per_sec": 300 });
    let (_backend, _, mut socket) = spoiled("pong", 1, action).await;
    let started = std::time::Instant::now();
    pong(&mut socket).await;
    let frame = socket.text_frame().await;
    let least = (frame.len() as u128 * 1000 / 300).saturating_sub(60);
    assert!(
        started.elapsed().as_millis() >= least,
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_native_pong_waits_for_a_trickling_frame() {
    let action = json!({ "kind": "slow_body", "bytes_per_sec": 300 });
    let (_backend, _, mut socket) = spoiled("pong", 1, action).await;
    pong(&mut socket).await;
    socket.raw(Message::Ping("x".into())).await;
    assert!(socket.text_frame().await.contains("pong"));
    assert!(matches!(socket.frame().await, Some(Ok(Message::Pong(_)))));
}

#[tokio::test]
async fn oversize_blows_a_frame_up_and_leaves_it_valid() {
    let (_backend, _, mut socket) =
        spoiled("pong", 1, json!({ "kind": "oversize", "bytes": 400_000 })).await;
    pong(&mut socket).await;
    let frame = socket.text_frame().await;
    assert!(frame.len() >= 400_000);
    let document: Value = serde_json::from_str(&frame).expect("JSON");
    assert_eq!(document["type"], "pong");
}

#[tokio::test]
async fn a_bad_document_stands_among_good_ones_in_a_shared_frame() {
    // The fourth chunk shares its frame with the fifth.
    let action = json!({ "kind": "replace", "text": "{\"type\":\"stream_chunk\",\"content\":" });
    let (_backend, _, mut socket) = spoiled("stream_chunk", 4, action).await;
    socket.say("hello").await;
    let shared = loop {
        let frame = socket.text_frame().await;
        if frame.lines().count() > 1 {
            break frame;
        }
    };
    let good: Vec<_> = shared
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object()))
        .collect();
    assert_eq!(good, [false, true]);
}

#[tokio::test]
async fn the_admin_can_push_any_frame_and_kick_a_socket() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let admin = Http::at(backend.admin_url());
    let pushed = admin
        .post(
            "/admin/push",
            json!({ "conversation": id, "json": { "type": "meal_log.completed" } }),
        )
        .await;
    assert_eq!(pushed.json()["sockets"], 1);
    assert_eq!(socket.next().await["type"], "meal_log.completed");
    let binary = json!({ "conversation": id, "base64": "AAE=", "binary": true });
    admin.post("/admin/push", binary).await;
    assert!(matches!(socket.frame().await, Some(Ok(Message::Binary(bytes))) if *bytes == [0, 1]));
    let both = json!({ "conversation": id, "text": "x", "base64": "AAE=" });
    assert_eq!(admin.post("/admin/push", both).await.status, 400);
    let kick = json!({ "conversation": id, "code": 4001, "reason": "out" });
    assert_eq!(admin.post("/admin/kick", kick).await.json()["sockets"], 1);
    assert_eq!(socket.end().await, Some(4001));
}
