//! Frames and bodies of any make: many, broken, strange, huge, deep, not text.

use serde_json::json;
use tidings::{
    domain::{connection::ConnectionState, event::ClientEvent, outbox::SendMode},
    error::ChatError,
};
use tidings_backend::{Action, On, Rule};

use crate::{
    device::{Device, Setup, backend, held, posts, spoil, upgrades},
    raw::Reply,
    server::{Stub, chat, is_history},
};

/// Frames that no client should fall over, and none of which means anything here.
const STRANGE: [&str; 14] = [
    "",
    "\n\n",
    "null",
    "[]",
    "\"text\"",
    "{",
    "}{",
    "{\"type\":7}",
    "{\"type\":null}",
    "{\"no\":\"type\"}",
    "{\"type\":\"stream_chunk\"}",
    "{\"type\":\"message\",\"message\":null}",
    "{\"type\":\"message\",\"message\":{\"id\":{}}}",
    "{\"type\":\"unheard_of\",\"content\":\"?\",\"timestamp\":\"not a time\"}",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f35_f36_broken_and_unknown_frames_cost_neither_the_socket_nor_their_neighbours() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    for frame in STRANGE {
        assert_eq!(backend.push(id.as_str(), frame), 1);
    }
    for number in ["-1", "1e999", "18446744073709551616", "0.1"] {
        let frame = format!("{{\"type\":\"stream_complete\",\"tokens_used\":{number}}}");
        backend.push(id.as_str(), frame);
    }
    let meal = "{\"type\":\"meal_log.completed\",\"data\":{\"id\":1}}";
    backend.push(id.as_str(), format!("{meal}\nnot json\n{meal}"));
    backend.push(id.as_str(), "{\"type\":\"strange_news\"}");
    let name = device
        .event("the unknown frame", |event| match event {
            ClientEvent::Unknown { name, .. } if name == "strange_news" => Some(name.clone()),
            _ => None,
        })
        .await;
    assert_eq!(name, "strange_news");
    chat.send("still there").await.unwrap();
    let rows = device.answered(&id, "still there").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(upgrades(&backend), 1, "the same socket all along");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f35_documents_of_one_frame_are_all_read_and_a_lost_one_is_made_up_for() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    let merged = Rule::new(On::WsOut, Action::MergeFrames).frame_type("stream_chunk");
    let merged = spoil(&backend, merged.times(5));
    let text = Some("{\"type\":\"stream_chunk\",\"content\":\"tor\u{2028}n \\".to_owned());
    let torn = Action::Replace { text, base64: None };
    let torn = spoil(
        &backend,
        Rule::new(On::WsOut, torn).frame_type("stream_chunk").nth(3),
    );
    let split = Rule::new(On::WsOut, Action::SplitFrame { parts: 3 });
    let split = spoil(&backend, split.frame_type("stream_complete"));
    chat.send("many in one").await.unwrap();
    let rows = device.answered(&id, "many in one").await;
    assert_eq!(rows[1].text, backend.messages(id.as_str())[1].content);
    for rule in [merged, torn, split] {
        assert!(backend.faults().applied(&rule) > 0, "{rule}");
    }
    assert_eq!(upgrades(&backend), 1);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f37_oversize_frame_is_refused_and_the_chat_goes_on() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    let huge = Rule::new(On::WsOut, Action::Oversize { bytes: 8 << 20 });
    let huge = spoil(&backend, huge.frame_type("stream_chunk").nth(2));
    chat.send("big").await.unwrap();
    let rows = device.answered(&id, "big").await;
    assert_eq!(rows[1].text, backend.messages(id.as_str())[1].content);
    assert_eq!(backend.faults().applied(&huge), 1);
    device
        .event("the reason", |event| match event {
            ClientEvent::Connection { status, .. } => status
                .reason
                .as_deref()
                .is_some_and(|reason| reason == "connection.violation")
                .then_some(()),
            _ => None,
        })
        .await;
    device.state(&id, ConnectionState::Live).await;
    assert_eq!(held(&backend, &id), ["big"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f37_deep_nesting_is_a_bad_frame_and_nothing_worse() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            backend.push(
                id.as_str(),
                format!("{{\"type\":\"stream_complete\",\"x\":{deep}}}"),
            );
            backend.push(id.as_str(), deep);
            backend.push(id.as_str(), open.repeat(depth));
        }
    }
    chat.send("still there").await.unwrap();
    device.answered(&id, "still there").await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f37_huge_or_deep_body_is_a_typed_error_without_a_loop() {
    let backend = backend();
    let device = Setup::at(&backend.url()).without_socket().start().await;
    let id = device.create().await;
    let everything = || Rule::new(On::Http, Action::Oversize { bytes: 64 << 20 }).times(0);
    spoil(&backend, everything().method("GET"));
    let error = device.client.refresh_conversations().await.unwrap_err();
    assert_eq!(error.code(), "service.protocol", "{error:?}");
    let error = device.client.synchronise(id.clone()).await.unwrap_err();
    assert!(
        matches!(error, ChatError::ServiceUnavailable { .. }),
        "{error:?}"
    );
    assert_eq!(
        backend.requests().len(),
        3,
        "one request each: {:#?}",
        backend.requests()
    );
    backend.faults().clear();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep = Action::Replace {
        text: Some(format!("{{\"data\":{deep}}}")),
        base64: None,
    };
    spoil(&backend, Rule::new(On::Http, deep).times(0));
    let error = device.client.synchronise(id.clone()).await.unwrap_err();
    assert_eq!(error.code(), "service.protocol", "{error:?}");
    backend.faults().clear();
    device.client.synchronise(id).await.unwrap();
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f36_strange_bodies_are_typed_errors_and_never_success() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "0",
        "{\"data\":null}",
        "{\"data\":[]}",
        "{\"data\":",
    ] {
        let backend = backend();
        let device = Setup::at(&backend.url()).without_socket().start().await;
        let id = device.create().await;
        let strange = Action::Replace {
            text: Some(body.to_owned()),
            base64: None,
        };
        spoil(
            &backend,
            Rule::new(On::Http, strange).method("GET").times(0),
        );
        let error = device.client.refresh_conversations().await.unwrap_err();
        assert_eq!(error.code(), "service.protocol", "{body:?}: {error:?}");
        let error = device.client.synchronise(id).await.unwrap_err();
        assert_eq!(error.code(), "service.protocol", "{body:?}: {error:?}");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f38_bytes_that_are_no_text_end_the_socket_and_lose_nothing() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    let invalid = Action::Replace {
        text: None,
        base64: Some("//79eyJ0eXBlIjp9".to_owned()),
    };
    let invalid = Rule::new(On::WsOut, invalid)
        .frame_type("stream_chunk")
        .nth(2);
    let invalid = spoil(&backend, invalid);
    chat.send("mind the bytes").await.unwrap();
    let rows = device.answered(&id, "mind the bytes").await;
    assert_eq!(rows[1].text, backend.messages(id.as_str())[1].content);
    assert_eq!(backend.faults().applied(&invalid), 1);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f38_texts_of_every_kind_come_back_as_they_went() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    let texts = [
        "a \0 in the middle".to_owned(),
        "\u{85} \u{2028} \u{2029} \u{feff} \u{200f}short".to_owned(),
        "line\nline\r\n\ttab \"quoted\" \\ / <b>&amp;</b> short".to_owned(),
        "\u{1f469}\u{200d}\u{1f680}".repeat(1_666),
        "{\"type\":\"stream_complete\"}\n{\"type\":\"error\"} short".to_owned(),
    ];
    for text in &texts {
        chat.send(text).await.unwrap();
        device.answered(&id, text).await;
    }
    assert_eq!(held(&backend, &id), texts);
    device.client.synchronise(id.clone()).await.unwrap();
    let rows = device
        .until(&id, "all of it", |rows| rows.len() == 2 * texts.len())
        .await;
    let own = rows.iter().filter(|row| row.own);
    assert_eq!(own.map(|row| row.text.clone()).collect::<Vec<_>>(), texts);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f38_length_is_counted_in_characters_before_anything_leaves() {
    let backend = backend();
    let device = Setup::at(&backend.url()).without_socket().start().await;
    let id = device.create().await;
    for mode in [SendMode::Durable, SendMode::Direct] {
        for (text, code) in [
            ("🦀".repeat(5_001), "send.too_long"),
            (" \n\t ".to_owned(), "send.blank"),
            (String::new(), "send.blank"),
        ] {
            let refused = device
                .client
                .send(id.clone(), text, mode)
                .await
                .unwrap_err();
            assert_eq!(refused.error.code(), code);
        }
    }
    assert_eq!(posts(&backend), 0);
    let longest = "🦀".repeat(5_000);
    let chat = device.client.open(id.clone());
    chat.send(&longest).await.unwrap();
    device.answered(&id, &longest).await;
    assert_eq!(held(&backend, &id), [longest]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l52_frame_belongs_to_the_conversation_of_its_socket() {
    let many = tidings_backend::BackendConfig {
        conflicts: tidings_backend::ConflictPolicy::Many,
        ..tidings_backend::BackendConfig::default()
    };
    let backend = crate::device::backend_with(many);
    let device = Device::start(&backend.url()).await;
    let (a, b) = (device.create().await, device.create().await);
    let one = device.open(&a, ConnectionState::Live).await;
    let two = device.open(&b, ConnectionState::Live).await;
    // No frame names a conversation: only the socket tells.
    let (left, right) = tokio::join!(one.send("in a"), two.send("in b"));
    left.unwrap();
    right.unwrap();
    for (id, text, other) in [(&a, "in a", "in b"), (&b, "in b", "in a")] {
        let rows = device.answered(id, text).await;
        assert!(
            rows.iter().all(|row| !row.text.contains(other)),
            "{rows:#?}"
        );
    }
    // One that names another conversation than its socket's is not believed.
    let stray = json!({"type": "message", "message": {"id": "stray", "role": "assistant",
        "consultation_id": b.as_str(), "content": "stray"}});
    backend.push(a.as_str(), stray.to_string());
    let chunk = json!({"type": "stream_chunk", "consultation_id": b.as_str(), "content": "stray"});
    backend.push(a.as_str(), chunk.to_string());
    one.send("again").await.unwrap();
    device.answered(&a, "again").await;
    for id in [&a, &b] {
        let rows = device.until(id, "the rows", |rows| !rows.is_empty()).await;
        assert!(rows.iter().all(|row| row.text != "stray"), "{rows:#?}");
    }
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f36_odd_rows_in_a_history_spoil_no_other() {
    let stub = Stub::start(|seen, _| {
        let odd = json!({"data": {"messages": [
            {"id": "m1", "role": "user", "content": "one", "created_at": "yesterday"},
            {"no": "id"}, 7, null, "row", {"id": null, "content": "nameless"},
            {"id": 12, "role": "assistant", "content": "a number for an id"},
            {"id": "m3", "role": "oracle", "content": "unknown role", "created_at": null},
            {"id": "m4", "role": "assistant", "content": null},
            {"id": "m5", "role": "assistant", "content": "five", "timestamp": "2025-11-20T09:00:00.123456789+02:00",
             "tokens_used": -1, "metadata": [], "function_args": {"a": 1}},
            {"id": "m1", "role": "user", "content": "one", "created_at": "2025-11-20T09:00:00Z"}
        ], "total_count": 11}});
        is_history(seen).then(|| Reply::json(200, odd))
    })
    .await;
    let device = Setup::at(&stub.url()).without_socket().start().await;
    device.client.synchronise(chat()).await.unwrap();
    let rows = device
        .until(&chat(), "the good ones", |rows| rows.len() >= 4)
        .await;
    let texts: Vec<_> = rows.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts, ["one", "a number for an id", "unknown role", "five"]);
    let asked = stub.count(is_history);
    assert!(asked <= 3, "{asked} requests for one page");
    device.stop().await;
}
