//! Answers that say no: slow down, wrong, not allowed, gone, in trouble.

use std::{collections::BTreeMap, time::Duration};

use tidings::domain::{
    connection::ConnectionState, delivery::DeliveryState, event::ClientEvent, ids::ConversationId,
    outbox::SendMode,
};
use tidings_backend::{Action, Backend, On, RequestRecord, Rule};

use crate::device::{Device, Setup, backend, held, posts, soon, spoil};

fn status(code: u16, headers: &[(&str, &str)], body: &str) -> Action {
    let owned = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Action::Status {
        code,
        headers: owned.collect::<BTreeMap<_, _>>(),
        body: body.to_owned(),
        content_type: "application/json".to_owned(),
    }
}

fn on_post(action: Action) -> Rule {
    Rule::new(On::Http, action)
        .method("POST")
        .path("*/messages")
}

/// A device that only polls, with an open conversation: every send is a request.
async fn polling(backend: &Backend) -> (Device, ConversationId, tidings::ConversationHandle) {
    let device = Setup::at(&backend.url()).without_socket().start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Polling).await;
    (device, id, chat)
}

fn posted_at(backend: &Backend) -> Vec<jiff::Timestamp> {
    let is_post = |seen: &&RequestRecord| seen.method == "POST" && seen.path.ends_with("/messages");
    let requests = backend.requests();
    requests
        .iter()
        .filter(is_post)
        .map(|seen| seen.at.parse().unwrap())
        .collect()
}

fn cooldown(event: &ClientEvent) -> Option<()> {
    matches!(event, ClientEvent::Cooldown { .. }).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_durable_send_waits_as_long_as_the_server_asks_and_is_never_failed() {
    // A date has whole seconds: two of them are at least one from now.
    for (value, least) in [("2", 2_000), ("http-date+3", 2_000)] {
        let backend = backend();
        let (device, id, chat) = polling(&backend).await;
        spoil(
            &backend,
            on_post(status(429, &[("retry-after", value)], "{}")),
        );
        let sent = chat.send("patience").await.unwrap();
        device.event("cooldown", cooldown).await;
        let entry = device.waits_for("rate_limited").await;
        assert_eq!(entry.state, DeliveryState::Queued);
        let asked = entry.reason.unwrap().retry_after_ms.unwrap();
        assert!((1_000..=3_000).contains(&asked), "{asked}");
        let also = chat.send("in line").await.unwrap();
        device.client.network_changed(tidings::NetworkChange::Up);
        device.client.foreground();
        device.answered(&id, "in line").await;
        assert_eq!(held(&backend, &id), ["patience", "in line"]);
        let at = posted_at(&backend);
        assert_eq!(at.len(), 3, "nothing left in between: {at:?}");
        let waited = at[1].duration_since(at[0]);
        assert!(waited.as_millis() >= least, "{value}: {waited:?}");
        for id in [sent.id, also.id] {
            let story = device.story(id).await;
            assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
        }
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_direct_send_is_told_at_once_and_keeps_nothing() {
    let backend = backend();
    let (device, id, _chat) = polling(&backend).await;
    spoil(
        &backend,
        on_post(status(429, &[("retry-after", "3000")], "{}")),
    );
    // The second one is not even tried: the server asked for quiet.
    for _ in 0..2 {
        let sending = device
            .client
            .send(id.clone(), "now or never", SendMode::Direct);
        let refused = soon("the refusal", sending).await.unwrap_err();
        assert_eq!(refused.error.code(), "rate_limited");
        let wait = refused.error.retry_after().expect("the wait is told");
        assert!(
            wait > Duration::from_secs(2900) && wait <= Duration::from_secs(3000),
            "{wait:?}"
        );
        assert_eq!(refused.draft.as_deref(), Some("now or never"));
    }
    assert_eq!(posts(&backend), 1);
    assert!(device.client.outbox().await.unwrap().is_empty());
    let rows = device.until(&id, "no row", <[_]>::is_empty).await;
    assert!(rows.is_empty());
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f22_overload_without_a_hint_backs_off_and_gets_through() {
    let backend = backend();
    let (device, id, chat) = polling(&backend).await;
    spoil(&backend, on_post(status(429, &[], "")).times(4));
    let sent = chat.send("patience").await.unwrap();
    device.answered(&id, "patience").await;
    assert_eq!(posts(&backend), 5);
    assert_eq!(held(&backend, &id), ["patience"]);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_f25_refused_message_fails_alone_keeps_its_text_and_is_never_repeated() {
    for (code, reason) in [
        (400, "rejected"),
        (413, "rejected"),
        (422, "rejected"),
        (403, "not_allowed"),
        (404, "not_found"),
        (410, "not_found"),
    ] {
        let backend = backend();
        let (device, id, chat) = polling(&backend).await;
        let refused = spoil(
            &backend,
            on_post(status(code, &[], r#"{"error":{"message":"no"}}"#)),
        );
        let bad = chat.send("unwelcome").await.unwrap();
        chat.send("welcome").await.unwrap();
        device.answered(&id, "welcome").await;
        assert_eq!(held(&backend, &id), ["welcome"], "{code}");
        assert_eq!(posts(&backend), 2, "{code}");
        assert_eq!(backend.faults().applied(&refused), 1);
        let told = device.client.explain(bad.id).await.unwrap();
        let row = told.message.expect("the row stays");
        assert_eq!(
            (row.state, row.text.as_str()),
            (DeliveryState::Failed, "unwelcome")
        );
        let last = told.journal.last().unwrap().reason.clone().unwrap();
        assert_eq!(last.code, reason, "{code}");
        assert!(!last.retryable, "{code}");
        // Its author tries once more, and now it is welcome.
        device.client.retry(bad.id).await.unwrap();
        device.answered(&id, "unwelcome").await;
        assert_eq!(held(&backend, &id), ["welcome", "unwelcome"]);
        assert!(
            backend
                .requests()
                .iter()
                .all(|seen| seen.method != "DELETE")
        );
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f24_direct_send_that_is_refused_returns_the_draft_and_leaves_no_row() {
    for (code, said) in [(400, "rejected"), (403, "not_allowed"), (404, "not_found")] {
        let backend = backend();
        let (device, id, _chat) = polling(&backend).await;
        spoil(&backend, on_post(status(code, &[], "")));
        let sending = device.client.send(id.clone(), "draft", SendMode::Direct);
        let refused = soon("the refusal", sending).await.unwrap_err();
        assert_eq!(refused.error.code(), said);
        assert_eq!(refused.draft.as_deref(), Some("draft"));
        assert!(device.client.outbox().await.unwrap().is_empty());
        device.until(&id, "no row", <[_]>::is_empty).await;
        assert_eq!(posts(&backend), 1);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f25_send_into_a_finished_conversation_is_told_as_such() {
    let backend = backend();
    let (device, id, chat) = polling(&backend).await;
    let other = Device::start(&backend.url()).await;
    other.complete(&id).await;
    let sent = chat.send("too late").await.unwrap();
    let fate = device.fate(sent.id).await;
    let tidings::usecases::wait_for_delivery::Delivery::Failed(reason) = fate else {
        panic!("{fate:?}");
    };
    assert_eq!(reason.code, "conversation.not_active");
    assert_eq!(posts(&backend), 1);
    other.stop().await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_failing_server_leaves_doubt_that_the_history_settles() {
    for (code, body) in [
        (500, ""),
        (502, "<html>bad gateway</html>"),
        (503, "busy"),
        (504, "{}"),
    ] {
        let backend = backend();
        let (device, id, chat) = polling(&backend).await;
        spoil(&backend, on_post(status(code, &[], body)));
        let sent = chat.send("in trouble").await.unwrap();
        let entry = device.waits_for("service.unavailable").await;
        assert_eq!(entry.state, DeliveryState::Uncertain, "{code}");
        device.answered(&id, "in trouble").await;
        assert_eq!(held(&backend, &id), ["in trouble"], "{code}");
        let story = device.story(sent.id).await;
        assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_direct_send_to_a_failing_server_returns_the_draft_after_proof() {
    let backend = backend();
    let (device, id, _chat) = polling(&backend).await;
    spoil(&backend, on_post(status(503, &[], "")));
    let sending = device.client.send(id.clone(), "draft", SendMode::Direct);
    let refused = soon("the refusal", sending).await.unwrap_err();
    assert_eq!(refused.error.code(), "service.unavailable");
    assert!(refused.error.is_retryable());
    assert_eq!(refused.draft.as_deref(), Some("draft"));
    assert_eq!((posts(&backend), held(&backend, &id).len()), (1, 0));
    device.until(&id, "no row", <[_]>::is_empty).await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_hint_of_a_failing_server_is_honoured() {
    let backend = backend();
    let (device, id, chat) = polling(&backend).await;
    spoil(&backend, on_post(status(503, &[("retry-after", "3")], "")));
    chat.send("in trouble").await.unwrap();
    device.client.network_changed(tidings::NetworkChange::Up);
    device.answered(&id, "in trouble").await;
    let at = posted_at(&backend);
    assert_eq!(at.len(), 2);
    let waited = at[1].duration_since(at[0]);
    assert!(waited.as_millis() >= 3_000, "resent after {waited:?}");
    device.stop().await;
}
