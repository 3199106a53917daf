//! The upgrade: refused, left without a greeting, ended by every close code.

use std::time::Duration;

use serde_json::json;
use tidings::{
    adapters::consultations::WsAuth,
    domain::{connection::ConnectionState, event::ClientEvent, time::WallTime},
};
use tidings_backend::{Action, AuthPlacement, Backend, On, Rule};

use crate::{
    device::{Device, Setup, backend, held, soon, spoil, upgrades},
    raw::Reply,
    server::{Stub, chat, converse},
};

fn status(code: u16) -> Action {
    Action::Status {
        code,
        headers: [].into(),
        body: r#"{"error":{"message":"no"}}"#.to_owned(),
        content_type: "application/json".to_owned(),
    }
}

fn now() -> WallTime {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    WallTime::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn polls(backend: &Backend) -> usize {
    let requests = backend.requests();
    let polls = requests
        .iter()
        .filter(|seen| seen.method == "GET" && seen.path.ends_with("/messages"));
    polls.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_refused_upgrade_that_rest_confirms_closes_the_conversation() {
    for code in [400, 403, 404] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        spoil(&backend, Rule::new(On::Upgrade, status(code)).times(0));
        let path = format!("*/consultations/{id}*");
        spoil(
            &backend,
            Rule::new(On::Http, status(code)).path(path).times(0),
        );
        let _chat = device.open(&id, ConnectionState::Closed).await;
        assert_eq!(upgrades(&backend), 1, "{code}");
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
async fn f03_refused_upgrade_of_a_finished_conversation_closes_it() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    device.complete(&id).await;
    let _chat = device.client.open(id.clone());
    let closed = device.state(&id, ConnectionState::Closed).await;
    assert_eq!(closed.reason.as_deref(), Some("conversation.not_active"));
    assert_eq!(upgrades(&backend), 1);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_refused_upgrade_that_rest_denies_is_polled_beside_and_redialled_late() {
    for code in [400, 403, 404] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        spoil(&backend, Rule::new(On::Upgrade, status(code)).times(0));
        let asked = now();
        let chat = device.open(&id, ConnectionState::Polling).await;
        chat.send("ping").await.unwrap();
        device.answered(&id, "ping").await;
        let before = polls(&backend);
        soon(
            "more polls",
            backend.wait_until(|seen| polls(seen) > before + 1),
        )
        .await;
        assert_eq!(upgrades(&backend), 1, "{code}: redialled before its time");
        let status = chat.connection().await.unwrap();
        assert_eq!(status.state, ConnectionState::Polling);
        let wait = asked.until(status.retry_at.expect("a redial is planned"));
        assert!(wait >= Duration::from_secs(60), "{code}: {wait:?}");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_upgrade_refused_by_a_broken_server_is_polled_beside_and_redialled() {
    for code in [426, 429, 500, 502, 503] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        let refused = spoil(&backend, Rule::new(On::Upgrade, status(code)).times(3));
        let chat = device.open(&id, ConnectionState::Polling).await;
        chat.send("ping").await.unwrap();
        device.answered(&id, "ping").await;
        if code != 426 {
            device.state(&id, ConnectionState::Live).await;
            assert_eq!(backend.faults().applied(&refused), 3, "{code}");
        }
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l11_refused_upgrade_tells_its_status() {
    for (code, reason) in [
        (400, "rejected"),
        (403, "not_allowed"),
        (404, "not_found"),
        (503, "service.unavailable"),
    ] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        spoil(&backend, Rule::new(On::Upgrade, status(code)).times(0));
        let _chat = device.client.open(id.clone());
        device
            .event(reason, |event| match event {
                ClientEvent::Connection { status, .. } => {
                    (status.reason.as_deref() == Some(reason)).then_some(())
                }
                _ => None,
            })
            .await;
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l11_token_travels_where_the_setting_says() {
    for (setting, expected) in [
        (WsAuth::Header, AuthPlacement::Header),
        (WsAuth::Query, AuthPlacement::Query),
        (WsAuth::Both, AuthPlacement::Both),
    ] {
        let backend = backend();
        let token = tidings::adapters::http::StaticToken::new("a.b.c");
        let mut setup = Setup::at(&backend.url()).tokens(std::sync::Arc::new(token));
        setup.service.ws_auth = setting;
        let device = setup.start().await;
        let id = device.create().await;
        let _chat = device.open(&id, ConnectionState::Live).await;
        let requests = backend.requests();
        let upgrade = requests.iter().find(|seen| seen.upgrade).unwrap();
        assert_eq!(upgrade.auth, expected);
        let rest = requests.iter().find(|seen| !seen.upgrade).unwrap();
        assert_eq!(rest.auth, AuthPlacement::Header, "only the socket's moves");
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_upgrade_without_a_greeting_is_redialled() {
    let backend = backend();
    let device = Setup::at(&backend.url()).set("ready.timeout", "300ms");
    let device = device.start().await;
    let id = device.create().await;
    let silent = spoil(
        &backend,
        Rule::new(On::Upgrade, Action::NoConnected).times(2),
    );
    let chat = device.open(&id, ConnectionState::Live).await;
    assert_eq!(backend.faults().applied(&silent), 2);
    chat.send("ping").await.unwrap();
    device.answered(&id, "ping").await;
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_dialect_without_a_greeting_is_live_after_the_upgrade() {
    let stub = Stub::start(|seen, rows| {
        if seen.wants_socket() {
            return Some(Reply::socket(|mut socket| async move {
                while crate::server::hear(&mut socket).await.is_some() {}
            }));
        }
        seen.is("GET", "/api/v1/consultations/c1/messages")
            .then(|| {
                let mut page = rows.page(seen);
                page["success"] = json!(true);
                Reply::json(200, page)
            })
    })
    .await;
    let mut setup = Setup::at(&stub.url());
    setup.service.dialect = tidings::adapters::consultations::Dialect::S34;
    let device = setup.start().await;
    let chat = device.open(&chat(), ConnectionState::Live).await;
    drop(chat);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_f15_f16_every_close_code_is_survived_and_the_open_turn_recovered() {
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 4000, 4401,
    ] {
        let backend = backend();
        let device = Device::start(&backend.url()).await;
        let id = device.create().await;
        let chat = device.open(&id, ConnectionState::Live).await;
        let reason = "bye".to_owned();
        let closed = Rule::new(On::WsOut, Action::Close { code, reason });
        let closed = spoil(&backend, closed.frame_type("stream_chunk").nth(2));
        device.forget();
        chat.send("cut me off").await.unwrap();
        let rows = device.answered(&id, "cut me off").await;
        assert_eq!(rows.len(), 2, "{code}: {rows:#?}");
        assert_eq!(rows[1].text, backend.messages(id.as_str())[1].content);
        let said = format!("connection.closed.{code}");
        device
            .event(&said, |event| match event {
                ClientEvent::Connection { status, .. } => {
                    (status.reason.as_deref() == Some(said.as_str())).then_some(())
                }
                _ => None,
            })
            .await;
        device.state(&id, ConnectionState::Live).await;
        chat.send("again").await.unwrap();
        device.answered(&id, "again").await;
        assert_eq!(held(&backend, &id), ["cut me off", "again"], "{code}");
        assert_eq!(backend.faults().applied(&closed), 1);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f05_second_socket_never_opens_beside_the_first() {
    let stub = Stub::start(|seen, rows| {
        let rows = rows.clone();
        let talk = |socket| converse(socket, rows);
        seen.wants_socket().then(|| Reply::socket(talk))
    })
    .await;
    let device = Device::start(&stub.url()).await;
    let one = device.open(&chat(), ConnectionState::Live).await;
    let two = device.client.open(chat());
    two.send("ping").await.unwrap();
    device.answered(&chat(), "ping").await;
    drop(one);
    two.send("pong").await.unwrap();
    device.answered(&chat(), "pong").await;
    assert_eq!(stub.count(|seen| seen.wants_socket()), 1);
    device.stop().await;
}
