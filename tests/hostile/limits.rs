//! Asked to wait: on reads, on dials, on creations; and direct sends over a socket.

use std::{collections::BTreeMap, time::Duration};

use tidings::{
    domain::{
        connection::ConnectionState, delivery::DeliveryState, outbox::SendMode,
        ports::NewConversation,
    },
    error::ChatError,
};
use tidings_backend::{Action, Backend, On, RequestRecord, Rule};

use crate::device::{Device, Setup, backend, held, soon, spoil};

fn later(code: u16, seconds: &str) -> Action {
    Action::Status {
        code,
        headers: BTreeMap::from([("retry-after".to_owned(), seconds.to_owned())]),
        body: "slow down".to_owned(),
        content_type: "text/plain".to_owned(),
    }
}

fn times(backend: &Backend, is: impl Fn(&RequestRecord) -> bool) -> Vec<jiff::Timestamp> {
    let requests = backend.requests();
    let those = requests.iter().filter(|seen| is(seen));
    those.map(|seen| seen.at.parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_f26_polls_wait_as_long_as_they_are_asked_to() {
    for code in [429, 503] {
        let backend = backend();
        let device = Setup::at(&backend.url()).without_socket().start().await;
        let id = device.create().await;
        let poll = Rule::new(On::Http, later(code, "3"))
            .method("GET")
            .path("*/messages");
        spoil(&backend, poll);
        let _chat = device.open(&id, ConnectionState::Polling).await;
        let at = times(&backend, |seen| seen.path.ends_with("/messages"));
        assert_eq!(at.len(), 2, "{code}");
        let waited = at[1].duration_since(at[0]);
        assert!(waited.as_millis() >= 3_000, "{code}: {waited:?}");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f21_f26_dial_waits_as_long_as_it_is_asked_to_and_is_polled_beside() {
    for code in [429, 503] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        spoil(&backend, Rule::new(On::Upgrade, later(code, "3")));
        let chat = device.open(&id, ConnectionState::Polling).await;
        chat.send("meanwhile").await.unwrap();
        device.answered(&id, "meanwhile").await;
        device.state(&id, ConnectionState::Live).await;
        let at = times(&backend, |seen| seen.upgrade);
        assert_eq!(at.len(), 2, "{code}");
        let waited = at[1].duration_since(at[0]);
        assert!(waited.as_millis() >= 3_000, "{code}: {waited:?}");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f22_creation_that_is_put_off_tells_the_wait_and_is_not_repeated() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let new = || NewConversation {
        persona: Some("nutritionist".to_owned()),
        ..NewConversation::default()
    };
    spoil(
        &backend,
        Rule::new(On::Http, later(429, "7")).method("POST"),
    );
    let error = device.client.create_conversation(new()).await.unwrap_err();
    let ChatError::RateLimited { retry_after } = error else {
        panic!("{error:?}");
    };
    assert_eq!(retry_after, Some(Duration::from_secs(7)));
    spoil(
        &backend,
        Rule::new(On::Http, later(503, "7")).method("POST"),
    );
    let error = device.client.create_conversation(new()).await.unwrap_err();
    assert_eq!(error.code(), "service.unavailable");
    assert_eq!(times(&backend, |seen| seen.method == "POST").len(), 2);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_direct_send_over_the_socket_is_sent_found_or_given_back() {
    let cases = [
        (None, true),
        (Some(Action::LostAck), true),
        (Some(Action::Drop), false),
        (Some(Action::Reset), false),
    ];
    for (action, arrives) in cases {
        let backend = backend();
        let setup = Setup::at(&backend.url()).set("send.attempt_timeout", "1s");
        let device = setup.start().await;
        let id = device.create().await;
        let _chat = device.open(&id, ConnectionState::Live).await;
        if let Some(action) = action.clone() {
            spoil(&backend, Rule::new(On::WsIn, action).frame_type("message"));
        }
        let sending = device.client.send(id.clone(), "directly", SendMode::Direct);
        match soon("its fate", sending).await {
            Ok(sent) => {
                assert!(arrives, "{action:?}");
                assert!(sent.state.is_on_server(), "{action:?}");
                device.answered(&id, "directly").await;
                assert_eq!(held(&backend, &id), ["directly"]);
            }
            Err(refused) => {
                assert!(!arrives, "{action:?}: {refused:?}");
                assert_eq!(refused.draft.as_deref(), Some("directly"));
                assert!(refused.error.code().starts_with("network."), "{refused:?}");
                device.until(&id, "no row", <[_]>::is_empty).await;
                assert!(held(&backend, &id).is_empty());
            }
        }
        assert!(device.client.outbox().await.unwrap().is_empty());
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_direct_send_that_nobody_can_settle_is_unknown_and_settled_later() {
    let backend = backend();
    let setup = Setup::at(&backend.url()).without_socket();
    let device = setup.set("send.attempt_timeout", "1s").start().await;
    let id = device.create().await;
    let _chat = device.open(&id, ConnectionState::Polling).await;
    // It is applied, and from then on nothing can be read.
    spoil(
        &backend,
        Rule::new(On::Http, Action::LostAck).method("POST"),
    );
    let blind = Rule::new(On::Http, later(500, "1")).method("GET").times(0);
    let blind = spoil(&backend, blind);
    let sending = device
        .client
        .send(id.clone(), "who knows", SendMode::Direct);
    let refused = soon("its fate", sending).await.unwrap_err();
    assert_eq!(refused.error.code(), "send.outcome_unknown");
    assert_eq!(refused.draft.as_deref(), Some("who knows"));
    let row = &device
        .until(&id, "the row stays", |rows| rows.len() == 1)
        .await[0];
    assert_eq!(row.state, DeliveryState::Uncertain);
    backend.faults().remove(&blind);
    let rows = device.answered(&id, "who knows").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["who knows"]);
    device.stop().await;
}
