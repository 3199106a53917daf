//! Turns that do not go as they should: silent, endless, broken off, overlapping, late.

use serde_json::json;
use tidings::domain::{
    connection::ConnectionState,
    event::{ClientEvent, StreamPhase},
    ids::ConversationId,
    message::Completeness,
};
use tidings_backend::{Action, On, Rule};
use tokio::sync::watch;

use crate::{
    device::{Device, Setup, backend, held, spoil},
    raw::Reply,
    server::{Stub, chat, chunk, hear, is_history, is_post, posted, say},
};

fn on_message(action: Action) -> Rule {
    Rule::new(On::WsIn, action).frame_type("message")
}

fn phase(wanted: StreamPhase) -> impl Fn(&ClientEvent) -> Option<String> {
    move |event| match event {
        ClientEvent::Stream { phase, text, .. } if *phase == wanted => Some(text.clone()),
        _ => None,
    }
}

/// The text of a streamed answer as an app shows it: each piece at its place.
fn streamed(device: &Device) -> Vec<String> {
    let mut shown: Vec<(_, String)> = Vec::new();
    for event in device.events() {
        let ClientEvent::Stream {
            id,
            phase: StreamPhase::Delta,
            offset,
            text,
            ..
        } = event
        else {
            continue;
        };
        if shown.last().is_none_or(|(last, _)| *last != id) {
            shown.push((id, String::new()));
        }
        let (_, whole) = shown.last_mut().unwrap();
        assert_eq!(whole.len(), offset, "a hole or an overlap in the stream");
        whole.push_str(&text);
    }
    shown.into_iter().map(|(_, text)| text).collect()
}

async fn quick_turns(url: &str) -> Device {
    Setup::at(url).set("turn.inactivity", "1s").start().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_answer_without_chunks_is_found_in_the_history_while_the_socket_stays_live() {
    let backend = backend();
    let device = quick_turns(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    spoil(&backend, on_message(Action::NoAnswer { stored: true }));
    device.forget();
    chat.send("silent").await.unwrap();
    let rows = device.answered(&id, "silent").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[1].completeness, Completeness::Complete);
    let left = |event: &ClientEvent| matches!(event, ClientEvent::Connection { .. });
    assert!(!device.events().iter().any(left), "the socket stays");
    chat.send("and on").await.unwrap();
    device.answered(&id, "and on").await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_answer_that_never_comes_unlocks_sending() {
    let backend = backend();
    let device = quick_turns(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    spoil(&backend, on_message(Action::NoAnswer { stored: false }));
    chat.send("into the void").await.unwrap();
    chat.send("next").await.unwrap();
    let rows = device.answered(&id, "next").await;
    assert_eq!(rows.len(), 3, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["into the void", "next"]);
    assert!(
        rows.iter().all(|row| !row.text.trim().is_empty()),
        "{rows:#?}"
    );
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_answer_without_an_end_is_one_row_and_becomes_the_servers() {
    let backend = backend();
    let device = quick_turns(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    spoil(&backend, on_message(Action::NoTerminator));
    device.forget();
    chat.send("endless").await.unwrap();
    chat.send("next").await.unwrap();
    device.answered(&id, "next").await;
    let rows = device.answered(&id, "endless").await;
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let said = backend.messages(id.as_str());
    assert_eq!(rows[1].text, said[1].content);
    assert_eq!(
        streamed(&device),
        [said[1].content.clone(), said[3].content.clone()]
    );
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_l72_error_frame_ends_the_turn_keeps_the_text_and_the_socket() {
    for after_chunks in [0, 3] {
        let backend = backend();
        let device = quick_turns(&backend.url()).await;
        let id = device.create().await;
        let chat = device.open(&id, ConnectionState::Live).await;
        let code = Some("AI_SERVICE_UNAVAILABLE".to_owned());
        let text = "the coach is tired".to_owned();
        spoil(
            &backend,
            on_message(Action::ErrorFrame {
                code,
                text,
                after_chunks,
            }),
        );
        device.forget();
        chat.send("tell me").await.unwrap();
        let words = device.event("the error", phase(StreamPhase::Failed)).await;
        assert_eq!(words, "the coach is tired");
        chat.send("next").await.unwrap();
        let rows = device.answered(&id, "next").await;
        assert_eq!(held(&backend, &id), ["tell me", "next"]);
        let partial = rows
            .iter()
            .filter(|row| row.completeness == Completeness::Failed);
        assert_eq!(partial.count(), usize::from(after_chunks > 0), "{rows:#?}");
        let left = |event: &ClientEvent| matches!(event, ClientEvent::Connection { .. });
        assert!(!device.events().iter().any(left), "the socket stays");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_second_message_during_an_answer_waits_and_follows() {
    let backend = backend();
    backend.set_word_delay(std::time::Duration::from_millis(100));
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("slow").await.unwrap();
    device.event("a piece", phase(StreamPhase::Delta)).await;
    chat.send("patient").await.unwrap();
    device.waits_for("turn_open").await;
    let direct = device.client.send(
        id.clone(),
        "pushy",
        tidings::domain::outbox::SendMode::Direct,
    );
    let refused = direct.await.unwrap_err();
    assert_eq!(refused.draft.as_deref(), Some("pushy"));
    let rows = device.answered(&id, "patient").await;
    let texts: Vec<_> = rows.iter().map(|row| row.text.clone()).collect();
    let there: Vec<_> = backend
        .messages(id.as_str())
        .into_iter()
        .map(|m| m.content)
        .collect();
    assert_eq!(texts, there);
    assert_eq!(held(&backend, &id), ["slow", "patient"]);
    device.stop().await;
}

/// A server that streams as the test says: each number rung is one more step.
async fn stepwise(steps: Vec<serde_json::Value>, go: watch::Receiver<usize>) -> Stub {
    Stub::start(move |seen, rows| {
        let (rows, steps, mut go) = (rows.clone(), steps.clone(), go.clone());
        seen.wants_socket().then(|| {
            Reply::socket(move |mut socket| async move {
                say(&mut socket, &json!({"type": "connected"})).await;
                let Some(text) = hear(&mut socket).await else {
                    return;
                };
                rows.say("user", &text);
                say(&mut socket, &json!({"type": "message_received"})).await;
                for (number, step) in steps.iter().enumerate() {
                    if go.wait_for(|go| *go > number).await.is_err() {
                        return;
                    }
                    if step["type"] == "stream_complete" {
                        rows.say("assistant", "all of it");
                    }
                    say(&mut socket, step).await;
                }
                while hear(&mut socket).await.is_some() {}
            })
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_l20_late_chunk_after_the_deadline_joins_the_row_it_belongs_to() {
    let (go, going) = watch::channel(0);
    let steps = vec![
        chunk("all "),
        chunk("of it"),
        json!({"type": "stream_complete"}),
    ];
    let stub = stepwise(steps, going).await;
    let device = quick_turns(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    handle.send("slowly").await.unwrap();
    go.send_replace(1);
    device
        .event("the deadline", phase(StreamPhase::Incomplete))
        .await;
    let rows = device
        .until(&chat(), "the half", |rows| rows.len() == 2)
        .await;
    let half = rows[1].id;
    go.send_replace(2);
    device
        .until(&chat(), "the rest", |rows| rows[1].text == "all of it")
        .await;
    go.send_replace(3);
    let rows = device.answered(&chat(), "slowly").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!((rows[1].id, rows[1].text.as_str()), (half, "all of it"));
    assert_eq!(rows[1].completeness, Completeness::Complete);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_answer_in_the_posts_answer_and_in_chunks_is_one() {
    let (asked, hears) = watch::channel(0);
    let (kept, streamed_out) = (asked.clone(), watch::Sender::new(0));
    let stub = Stub::start(move |seen, rows| {
        if seen.wants_socket() {
            let (mut hears, streamed_out) = (hears.clone(), streamed_out.clone());
            return Some(Reply::socket(move |mut socket| async move {
                let ready = json!({"type": "connected"});
                say(&mut socket, &ready).await;
                while hears.changed().await.is_ok() {
                    for text in ["re: ", "hello"] {
                        say(&mut socket, &chunk(text)).await;
                    }
                    say(&mut socket, &json!({"type": "stream_complete"})).await;
                    streamed_out.send_modify(|n| *n += 1);
                }
            }));
        }
        is_post(seen).then(|| {
            let asked = rows.say("user", &posted(seen));
            let answer = rows.say("assistant", "re: hello");
            kept.send_modify(|n| *n += 1);
            Reply::json(
                201,
                json!({"data": {"user_message": asked, "assistant_message": answer}}),
            )
        })
    })
    .await;
    let mut setup = Setup::at(&stub.url());
    // The socket is for listening only, as one version of the server has it.
    setup.service.dialect = tidings::adapters::consultations::Dialect::S34;
    let device = setup.start().await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    for turn in 1..=3 {
        handle.send("hello").await.unwrap();
        let rows = device
            .until(&chat(), "the answer", |rows| {
                rows.iter()
                    .filter(|row| !row.own && row.server_id.is_some())
                    .count()
                    == turn
            })
            .await;
        assert!(rows.len() <= 2 * turn + 1, "{rows:#?}");
    }
    device.client.synchronise(chat()).await.unwrap();
    let rows = device
        .until(&chat(), "three turns", |rows| rows.len() == 6)
        .await;
    let own: Vec<_> = rows.iter().map(|row| row.own).collect();
    assert_eq!(own, [true, false, true, false, true, false], "{rows:#?}");
    drop(asked);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l71_full_message_after_a_stream_supplies_the_id_and_no_second_row() {
    let stub = Stub::start(|seen, rows| {
        let rows = rows.clone();
        if is_history(seen) && rows.all().len() > 1 {
            // Nothing but the frame can tell the id.
            return Some(Reply::status(503));
        }
        seen.wants_socket().then(|| {
            Reply::socket(move |mut socket| async move {
                say(&mut socket, &json!({"type": "connected"})).await;
                while let Some(text) = hear(&mut socket).await {
                    rows.say("user", &text);
                    say(&mut socket, &json!({"type": "message_received"})).await;
                    say(&mut socket, &chunk("whole ")).await;
                    say(&mut socket, &chunk("answer")).await;
                    say(&mut socket, &json!({"type": "stream_complete"})).await;
                    let row = rows.say("assistant", "whole answer");
                    say(&mut socket, &json!({"type": "message", "message": row})).await;
                }
            })
        })
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    handle.send("hello").await.unwrap();
    let rows = device
        .until(&chat(), "the id", |rows| {
            rows.iter().any(|r| !r.own && r.server_id.is_some())
        })
        .await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[1].text, "whole answer");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_server_that_restarts_in_the_middle_of_an_answer_is_caught_up_with() {
    let store = tempfile::tempdir().unwrap();
    let backend = crate::device::backend_with(tidings_backend::BackendConfig {
        store: Some(store.path().join("server.db")),
        ..tidings_backend::BackendConfig::default()
    });
    backend.set_word_delay(std::time::Duration::from_millis(50));
    let device = quick_turns(&backend.url()).await;
    let id: ConversationId = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("before the restart").await.unwrap();
    device.event("a piece", phase(StreamPhase::Delta)).await;
    let backend = backend.restart().await.unwrap();
    chat.send("after the restart").await.unwrap();
    device.answered(&id, "after the restart").await;
    assert_eq!(
        held(&backend, &id),
        ["before the restart", "after the restart"]
    );
    device.client.synchronise(id.clone()).await.unwrap();
    let rows = device
        .client
        .history(id.clone(), None, 100, false)
        .await
        .unwrap();
    let server: Vec<_> = backend
        .messages(id.as_str())
        .into_iter()
        .map(|m| m.content)
        .collect();
    let ours = rows
        .messages
        .iter()
        .filter(|(_, row)| row.server_id.is_some());
    assert_eq!(
        ours.map(|(_, row)| row.text.clone()).collect::<Vec<_>>(),
        server
    );
    device.stop().await;
}
