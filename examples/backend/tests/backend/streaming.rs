use serde_json::json;
use tidings_backend::BackendConfig;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::support::{Http, Socket, kinds, start, start_with, streamed, within};

#[tokio::test]
async fn a_turn_is_acknowledged_streamed_and_completed() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("ping 42").await;
    let turn = socket.until("stream_complete").await;
    assert_eq!(
        kinds(&turn),
        ["message_received", "stream_chunk", "stream_complete"]
    );
    assert!(streamed(&turn).contains("42"));
    assert!(
        turn.iter()
            .all(|document| document["consultation_id"] == id.as_str())
    );
    let metadata = &turn.last().expect("a terminator")["metadata"];
    assert_eq!(metadata["function_calls"], 0);
    assert!(
        turn.iter()
            .all(|document| document.get("message_id").is_none())
    );
}

#[tokio::test]
async fn the_answer_in_history_is_the_answer_streamed() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("ping 42").await;
    let turn = socket.until("stream_complete").await;
    let history = http.history(&id).await;
    assert_eq!(
        history,
        [
            ("user".to_owned(), "ping 42".to_owned()),
            ("assistant".to_owned(), streamed(&turn)),
        ]
    );
}

#[tokio::test]
async fn several_documents_sometimes_share_a_frame() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("hello").await;
    loop {
        let frame = socket.text_frame().await;
        assert!(
            frame.ends_with('\n'),
            "each document ends its line: {frame:?}"
        );
        if frame.lines().count() > 1 {
            return;
        }
        assert!(!frame.contains("stream_complete"), "no frame was shared");
    }
}

#[tokio::test]
async fn a_ping_gets_a_pong_even_while_an_answer_streams() {
    let backend = start_with(|config| config.word_delay = std::time::Duration::from_millis(20));
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("hello").await;
    socket.until("stream_chunk").await;
    socket.send(json!({ "type": "ping" })).await;
    socket.until("pong").await;
    socket.until("stream_complete").await;
}

#[tokio::test]
async fn a_native_ping_gets_a_native_pong() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.raw(Message::Ping("x".into())).await;
    assert!(matches!(socket.frame().await, Some(Ok(Message::Pong(payload))) if payload == "x"));
}

#[tokio::test]
async fn an_answer_is_finished_and_stored_though_its_socket_went_away() {
    let backend = start_with(|config| config.word_delay = std::time::Duration::from_millis(20));
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("a long one 7").await;
    socket.until("stream_chunk").await;
    drop(socket);
    within(backend.wait_until(|backend| backend.sockets().is_empty())).await;
    assert_eq!(
        backend.messages(&id).len(),
        1,
        "the answer is still being written"
    );
    backend.set_word_delay(std::time::Duration::ZERO);
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    assert!(
        backend.messages(&id)[1]
            .content
            .ends_with("That is all for now.")
    );
}

#[tokio::test]
async fn a_posted_message_is_answered_on_the_socket_too() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    assert_eq!(http.say(&id, "by post 9").await.status, 201);
    let turn = socket.until("stream_complete").await;
    assert_eq!(kinds(&turn), ["stream_chunk", "stream_complete"]);
    assert!(streamed(&turn).contains("by post 9"));
}

#[tokio::test]
async fn a_second_message_waits_for_the_first_answer() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("first").await;
    socket.say("second").await;
    let first = socket.until("stream_complete").await;
    let second = socket.until("stream_complete").await;
    assert!(streamed(&first).contains("first") && !streamed(&first).contains("second"));
    assert!(streamed(&second).contains("second"));
    let roles: Vec<_> = backend
        .messages(&id)
        .into_iter()
        .map(|row| row.role)
        .collect();
    assert_eq!(roles.iter().filter(|role| *role == "assistant").count(), 2);
}

#[tokio::test]
async fn a_bad_frame_is_answered_by_an_error_and_the_socket_lives() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    for frame in [
        "nonsense",
        r#"{"type":"dance"}"#,
        r#"{"type":"message","content":"  "}"#,
    ] {
        socket.raw(Message::text(frame)).await;
        assert_eq!(socket.next().await["type"], "error");
    }
    socket.say("hello").await;
    socket.until("stream_complete").await;
}

#[tokio::test]
async fn the_senders_extra_fields_are_ignored() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let extra = json!({ "type": "message", "content": "hi", "conversationId": id.to_uppercase() });
    socket.send(extra).await;
    socket.until("stream_complete").await;
}

#[tokio::test]
async fn messages_after_completion_get_an_error_frame_or_a_refused_upgrade() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    http.post(&format!("/api/v1/consultations/{id}/complete"), json!({}))
        .await;
    assert_eq!(
        socket.end().await,
        Some(1000),
        "a socket ends with its consultation"
    );
    let refused = Socket::dial(&backend, &id, "")
        .await
        .err()
        .expect("refused");
    assert!(refused.to_string().contains("400"), "{refused}");
}

#[tokio::test]
async fn a_client_that_closes_gets_its_close_frame_back() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let going_away = CloseFrame {
        code: CloseCode::Away,
        reason: "".into(),
    };
    socket.raw(Message::Close(Some(going_away))).await;
    assert_eq!(socket.end().await, Some(1001));
    within(backend.wait_until(|backend| backend.sockets().is_empty())).await;
}

#[tokio::test]
async fn a_deleted_consultation_ends_its_sockets() {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let mut socket = Socket::open(&backend, &id).await;
    socket.say("a long one").await;
    socket.until("stream_chunk").await;
    http.delete(&format!("/api/v1/consultations/{id}")).await;
    assert_eq!(socket.end().await, Some(1000));
    within(backend.wait_until(|backend| !backend.is_answering(&id))).await;
    assert!(backend.messages(&id).is_empty());
}

#[tokio::test]
async fn a_socket_that_says_nothing_is_cut() {
    let backend = start_with(|config: &mut BackendConfig| {
        config.read_idle = std::time::Duration::from_millis(100);
    });
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    assert_eq!(socket.end().await, None);
}
