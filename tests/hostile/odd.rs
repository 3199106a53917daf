//! Servers that do their job in a way of their own.

use serde_json::{Value, json};
use tidings::{
    domain::{
        connection::ConnectionState, delivery::DeliveryState, event::ClientEvent, outbox::SendMode,
    },
    usecases::wait_for_delivery::Delivery,
};
use tidings_backend::{Action, On, Rule};

use crate::{
    device::{Device, Setup, backend, held, soon, spoil},
    raw::{Reply, Seen},
    server::{Rows, Stub, chat, chunk, hear, is_history, is_post, posted, say},
};

/// A socket on which each message is answered with the given documents.
async fn saying(
    documents: impl Fn(&Rows, &str) -> Vec<Value> + Clone + Send + Sync + 'static,
) -> Stub {
    Stub::start(move |seen, rows| {
        let (rows, documents) = (rows.clone(), documents.clone());
        seen.wants_socket().then(|| {
            Reply::socket(move |mut socket| async move {
                say(&mut socket, &json!({"type": "connected"})).await;
                while let Some(text) = hear(&mut socket).await {
                    for document in documents(&rows, &text) {
                        say(&mut socket, &document).await;
                    }
                }
            })
        })
    })
    .await
}

fn answer(rows: &Rows, text: &str) -> [Value; 2] {
    rows.say("user", text);
    rows.say("assistant", &format!("re: {text}"));
    [
        chunk(&format!("re: {text}")),
        json!({"type": "stream_complete"}),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_answer_without_a_confirmation_confirms() {
    let stub = saying(|rows, text| answer(rows, text).to_vec()).await;
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    for text in ["one", "two", "three"] {
        let sent = handle.send(text).await.unwrap();
        device.answered(&chat(), text).await;
        let story = device.story(sent.id).await;
        assert!(!story.contains(&DeliveryState::Uncertain), "{story:?}");
    }
    assert_eq!(stub.rows.asked(), ["one", "two", "three"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_confirmation_after_the_answer_is_fine() {
    let stub = saying(|rows, text| {
        let [piece, end] = answer(rows, text);
        let ack = json!({"type": "message_received"});
        vec![piece, ack.clone(), end, ack]
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    for text in ["one", "two", "three"] {
        handle.send(text).await.unwrap();
    }
    let rows = device.answered(&chat(), "three").await;
    assert_eq!(rows.len(), 6, "{rows:#?}");
    assert_eq!(stub.rows.asked(), ["one", "two", "three"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_message_that_an_error_frame_calls_wrong_fails_alone() {
    for (code, said) in [
        ("VALIDATION_ERROR", "rejected"),
        ("BAD_REQUEST", "rejected"),
        ("CONSULTATION_NOT_ACTIVE", "conversation.not_active"),
    ] {
        let stub = saying(move |rows, text| {
            if text == "unwelcome" {
                return vec![json!({"type": "error", "error": "no", "code": code})];
            }
            let mut all = vec![json!({"type": "message_received"})];
            all.extend(answer(rows, text));
            all
        })
        .await;
        let device = Device::start(&stub.url()).await;
        let handle = device.open(&chat(), ConnectionState::Live).await;
        let bad = handle.send("unwelcome").await.unwrap();
        handle.send("welcome").await.unwrap();
        let Delivery::Failed(reason) = device.fate(bad.id).await else {
            panic!("{code}");
        };
        assert_eq!(reason.code, said, "{code}");
        device.answered(&chat(), "welcome").await;
        assert_eq!(stub.rows.asked(), ["welcome"]);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_message_met_by_an_error_frame_without_a_meaning_gets_through_later() {
    let tries = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let stub = saying(move |rows, text| {
        if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
            return vec![json!({"type": "error", "error": "try later"})];
        }
        let mut all = vec![json!({"type": "message_received"})];
        all.extend(answer(rows, text));
        all
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let handle = device.open(&chat(), ConnectionState::Live).await;
    handle.send("patience").await.unwrap();
    device.answered(&chat(), "patience").await;
    assert_eq!(stub.rows.asked(), ["patience"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_socket_that_opens_and_closes_for_ever_still_brings_the_reply() {
    let stub = Stub::start(|seen, _| {
        seen.wants_socket().then(|| {
            Reply::socket(|mut socket| async move {
                say(&mut socket, &json!({"type": "connected"})).await;
                let _ = socket.close(None).await;
            })
        })
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let handle = device.client.open(chat());
    for text in ["one", "two"] {
        handle.send(text).await.unwrap();
        device.answered(&chat(), text).await;
    }
    assert_eq!(stub.rows.asked(), ["one", "two"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_upgrade_refused_with_401_while_requests_are_taken_is_polled_beside() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let refused = Action::Status {
        code: 401,
        headers: [].into(),
        body: "unauthorized".to_owned(),
        content_type: "text/plain".to_owned(),
    };
    spoil(&backend, Rule::new(On::Upgrade, refused).times(0));
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("ping").await.unwrap();
    device.answered(&id, "ping").await;
    let out = |event: &ClientEvent| matches!(event, ClientEvent::SignInRequired);
    assert!(!device.events().iter().any(out));
    device.stop().await;
}

/// What a server may answer to a good POST.
fn answers(seen: &Seen, rows: &Rows) -> [(&'static str, Reply); 7] {
    let text = posted(seen);
    let asked = rows.say("user", &text);
    let answer = rows.say("assistant", &format!("re: {text}"));
    let json = |status, body: Value| Reply::json(status, body);
    [
        ("bare", json(202, asked.clone())),
        (
            "enveloped",
            json(202, json!({"success": true, "data": asked, "error": null})),
        ),
        (
            "both",
            json(
                201,
                json!({"data": {"user_message": asked, "assistant_message": answer}}),
            ),
        ),
        (
            "old",
            json(200, json!({"data": {"message": asked, "response": answer}})),
        ),
        (
            "many",
            json(
                201,
                json!({"data": {"user_message": asked, "assistant_messages": [answer]}}),
            ),
        ),
        ("nothing", Reply::status(204)),
        ("empty", Reply::json(200, "")),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l06_every_answer_to_a_post_confirms_it_and_doubles_nothing() {
    for number in 0..7 {
        let stub = Stub::start(move |seen, rows| {
            is_post(seen).then(|| answers(seen, rows).into_iter().nth(number).unwrap().1)
        })
        .await;
        for mode in [SendMode::Durable, SendMode::Direct] {
            let device = Setup::at(&stub.url()).without_socket().start().await;
            let _handle = device.open(&chat(), ConnectionState::Polling).await;
            let text = format!("in mode {mode:?}");
            let sending = device.client.send(chat(), &text, mode);
            let sent = soon("its fate", sending).await.unwrap();
            assert!(
                matches!(device.fate(sent.id).await, Delivery::OnServer(_)),
                "{number}"
            );
            device.answered(&chat(), &text).await;
            device.client.synchronise(chat()).await.unwrap();
            let all = stub.rows.all().len();
            let rows = device.until(&chat(), "all", |rows| rows.len() >= all).await;
            assert_eq!(rows.len(), all, "answer {number}: {rows:#?}");
            device.stop().await;
        }
        assert_eq!(stub.rows.asked().len(), 2);
        assert_eq!(stub.count(is_post), 2, "answer {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f08_answer_that_trickles_is_given_up_at_the_deadline() {
    let backend = backend();
    let setup = Setup::at(&backend.url()).set("http.timeout", "1s");
    let device = setup.without_socket().start().await;
    let id = device.create().await;
    let slow = Action::SlowBody { bytes_per_sec: 1 };
    spoil(&backend, Rule::new(On::Http, slow.clone()).method("GET"));
    let error = device.client.synchronise(id.clone()).await.unwrap_err();
    assert_eq!(error.code(), "network.timeout");
    spoil(
        &backend,
        Rule::new(On::Http, slow).method("POST").path("*/messages"),
    );
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("slowly").await.unwrap();
    device.answered(&id, "slowly").await;
    assert_eq!(held(&backend, &id), ["slowly"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_reply_that_comes_minutes_of_polls_later_is_shown() {
    // The answer is stored only after the client has looked for it in vain a few times.
    let looks = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let stub = Stub::start(move |seen, rows| {
        use std::sync::atomic::Ordering::SeqCst;
        if is_post(seen) {
            looks.store(1, SeqCst);
            let asked = rows.say("user", &posted(seen));
            return Some(Reply::json(201, json!({"data": {"user_message": asked}})));
        }
        if is_history(seen) && looks.load(SeqCst) > 0 && looks.fetch_add(1, SeqCst) == 5 {
            rows.say("assistant", "at last");
        }
        None
    })
    .await;
    let setup = Setup::at(&stub.url()).set("turn.inactivity", "1s");
    let device = setup.without_socket().start().await;
    let handle = device.open(&chat(), ConnectionState::Polling).await;
    handle.send("are you there").await.unwrap();
    let rows = device.answered(&chat(), "are you there").await;
    assert_eq!(rows[1].text, "at last");
    assert_eq!(rows.len(), 2, "{rows:#?}");
    device.stop().await;
}
