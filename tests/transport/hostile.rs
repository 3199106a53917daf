//! Servers, proxies and networks at their worst.

use std::{sync::Arc, time::Duration};

use futures_util::SinkExt;
use serde_json::json;
use tidings::{
    adapters::{
        consultations::{ConsultationsConfig, ConsultationsService, WsAuth},
        http::StaticToken,
    },
    domain::{
        cursor::HistoryRange,
        event::{CloseReason, SessionEvent},
        ports::ChatService,
        retry::{FailureKind as K, Outcome, RetryClass, ServiceError},
    },
};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Reply, Server, config, connect, id, outgoing, service, service_with, within};

fn impatient(mut config: ConsultationsConfig) -> ConsultationsService {
    config.dial_timeout = Duration::from_millis(150);
    config.http_timeout = Duration::from_millis(150);
    service_with(config, Arc::new(StaticToken::new("secret-token")))
}

async fn read_error(server: &Server) -> ServiceError {
    within(service(server).conversation(&id("c1")))
        .await
        .expect_err("error")
}

async fn send_error(server: &Server) -> ServiceError {
    within(service(server).send(&outgoing("hi")))
        .await
        .expect_err("error")
}

async fn dial_error(server: &Server) -> ServiceError {
    within(service(server).connect(&id("c1")))
        .await
        .expect_err("error")
}

#[tokio::test]
async fn f01_refused_and_unknown_hosts_are_unreachable_and_nothing_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let origin = format!("http://{}", listener.local_addr().expect("address"));
    drop(listener);
    for origin in [origin, "http://nowhere.invalid".to_owned()] {
        let service = service_with(
            ConsultationsConfig::new(origin),
            Arc::new(StaticToken::new("t")),
        );
        let sent = within(service.send(&outgoing("hi")))
            .await
            .expect_err("unreachable");
        assert_eq!(
            (sent.kind, sent.outcome),
            (K::Unreachable, Outcome::NotApplied)
        );
        let dialled = within(service.connect(&id("c1")))
            .await
            .expect_err("unreachable");
        assert_eq!(
            (dialled.kind, dialled.outcome),
            (K::Unreachable, Outcome::NotApplied)
        );
    }
}

#[tokio::test]
async fn f02_tls_that_stalls_ends_with_the_dial_deadline() {
    // Accepts by its backlog, and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    let mut settings = ConsultationsConfig::new(format!("https://{address}"));
    settings.trust = tidings::adapters::net::TrustRoots::Webpki;
    let service = impatient(settings);
    let dialled = within(service.connect(&id("c1")))
        .await
        .expect_err("deadline");
    assert_eq!(
        (dialled.kind, dialled.outcome),
        (K::TimedOut, Outcome::NotApplied)
    );
    let called = within(service.conversation(&id("c1")))
        .await
        .expect_err("deadline");
    assert_eq!(called.kind, K::TimedOut);
}

#[tokio::test]
async fn f02_upgrade_that_stalls_ends_with_the_dial_deadline() {
    let server = Server::start(|_| Reply::Stall(b"HTTP/1.1 101 Swit".to_vec())).await;
    let error = within(impatient(config(&server)).connect(&id("c1")))
        .await
        .expect_err("late");
    assert_eq!(
        (error.kind, error.outcome),
        (K::TimedOut, Outcome::NotApplied)
    );
}

#[tokio::test]
async fn l11_refused_upgrade_tells_its_status() {
    let kinds = [
        (400, K::Invalid),
        (403, K::NotAllowed),
        (404, K::NotFound),
        (503, K::Unavailable),
    ];
    for (status, kind) in kinds {
        let server = Server::start(move |_| {
            Reply::json(status, json!({"error": {"message": "no", "code": "NO"}}))
                .with("retry-after", "7")
        })
        .await;
        let error = dial_error(&server).await;
        assert_eq!((error.status, error.kind), (Some(status), kind));
        if status == 503 {
            assert_eq!(error.retry, RetryClass::After(Duration::from_secs(7)));
        }
    }
}

#[tokio::test]
async fn l11_token_travels_where_the_configuration_says() {
    for (auth, header, query) in [
        (WsAuth::Header, true, false),
        (WsAuth::Query, false, true),
        (WsAuth::Both, true, true),
    ] {
        let server = Server::start(|_| Reply::socket(|_| async {})).await;
        let mut settings = config(&server);
        settings.ws_auth = auth;
        settings.api_key = Some("the-key".into());
        let service = service_with(settings, Arc::new(StaticToken::new("tok+en")));
        within(service.connect(&id("7F3C0000-0000-4000-8000-00000000000A")))
            .await
            .expect("session");
        let seen = &server.seen()[0];
        assert_eq!(
            seen.path(),
            "/api/v1/consultations/7f3c0000-0000-4000-8000-00000000000a/ws"
        );
        assert_eq!(
            seen.header("authorization"),
            header.then_some("Bearer tok+en")
        );
        assert_eq!(seen.query("token").as_deref(), query.then_some("tok+en"));
        assert_eq!(seen.header("x-api-key"), Some("the-key"));
    }
}

#[tokio::test]
async fn f12_captive_portals_are_recognised_on_every_call() {
    let server = Server::start(|_| Reply::html(200)).await;
    let read = read_error(&server).await;
    assert_eq!(
        (read.kind, read.outcome),
        (K::CaptivePortal, Outcome::NotApplied)
    );
    let sent = send_error(&server).await;
    assert_eq!(
        (sent.kind, sent.outcome),
        (K::CaptivePortal, Outcome::Unknown)
    );
    assert_eq!(dial_error(&server).await.kind, K::CaptivePortal);

    let server = Server::start(|_| Reply::status(302).with("location", "http://portal/")).await;
    let sent = send_error(&server).await;
    assert_eq!(
        (sent.kind, sent.outcome),
        (K::CaptivePortal, Outcome::NotApplied)
    );
    assert_eq!(dial_error(&server).await.kind, K::CaptivePortal);
    assert_eq!(server.seen().len(), 2);

    let server = Server::start(|_| Reply::html(404)).await;
    let deleted = within(service(&server).delete_conversation(&id("c1"))).await;
    assert_eq!(deleted.expect_err("portal").kind, K::CaptivePortal);
}

#[tokio::test]
async fn f21_retry_after_is_read_in_all_its_forms() {
    let date = ("date", "Fri, 21 Nov 2025 10:00:00 GMT");
    for (value, seconds) in [
        ("5", 5),
        ("Fri, 21 Nov 2025 10:00:30 GMT", 30),
        ("864000", 3600),
    ] {
        let server = Server::start(move |_| {
            Reply::json(429, json!({"error": {"code": "RATE_LIMIT_EXCEEDED"}}))
                .with("retry-after", value)
                .with(date.0, date.1)
        })
        .await;
        let error = send_error(&server).await;
        assert_eq!(
            error.retry,
            RetryClass::After(Duration::from_secs(seconds)),
            "{value}"
        );
        assert_eq!(
            (error.kind, error.outcome),
            (K::RateLimited, Outcome::NotApplied)
        );
    }
}

#[tokio::test]
async fn f26_server_errors_leave_a_send_unknown_and_a_read_alone() {
    for status in [500, 502, 503, 504] {
        let server = Server::start(move |_| Reply::html(status)).await;
        let sent = send_error(&server).await;
        assert_eq!(
            (sent.kind, sent.outcome),
            (K::Unavailable, Outcome::Unknown)
        );
        assert_eq!(read_error(&server).await.outcome, Outcome::NotApplied);
    }
}

#[tokio::test]
async fn f08_slow_bodies_end_with_the_deadline() {
    let head = b"HTTP/1.1 201 Created\r\ncontent-length: 1000\r\n\r\n{\"data\"";
    let server = Server::start(|_| Reply::Stall(head.to_vec())).await;
    let error = within(impatient(config(&server)).send(&outgoing("hi")))
        .await
        .expect_err("late");
    assert_eq!((error.kind, error.outcome), (K::TimedOut, Outcome::Unknown));
}

#[tokio::test]
async fn f09_resets_leave_a_send_unknown() {
    for bytes in [
        "",
        "HTTP/1.1 201 Cre",
        "HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{\"data\"",
    ] {
        let server = Server::start(move |_| Reply::Raw(bytes.into())).await;
        let error = send_error(&server).await;
        assert_eq!(
            (error.kind, error.outcome),
            (K::Interrupted, Outcome::Unknown),
            "{bytes}"
        );
    }
}

#[tokio::test]
async fn f37_huge_and_deep_bodies_are_refused_before_they_are_kept() {
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n{";
    let server = Server::start(|_| Reply::Stall(announced.to_vec())).await;
    assert_eq!(read_error(&server).await.kind, K::Protocol);

    let endless = || {
        let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n{\"x\":\"".to_vec();
        bytes.resize(9 * 1024 * 1024, b'x');
        bytes
    };
    let server = Server::start(move |_| Reply::Raw(endless())).await;
    assert_eq!(read_error(&server).await.kind, K::Protocol);

    let deep = "[".repeat(500_000);
    let server = Server::start(move |_| Reply::json(200, &deep)).await;
    assert_eq!(read_error(&server).await.kind, K::Protocol);
}

#[tokio::test]
async fn f37_oversize_frame_ends_the_session_as_a_violation() {
    let server = Server::start(|_| {
        Reply::socket(|mut socket| async move {
            let _ = socket
                .send(Message::text("x".repeat(2 * 1024 * 1024)))
                .await;
        })
    })
    .await;
    let session = connect(&server).await;
    assert_eq!(
        within(session.next_event()).await,
        SessionEvent::Undecodable
    );
    let end = within(session.next_event()).await;
    assert_eq!(end, SessionEvent::Closed(CloseReason::Violation));
}

#[tokio::test]
async fn l99_no_error_shows_token_key_address_or_body() {
    let server = Server::start(|_| {
        Reply::json(
            422,
            json!({"error": {"message": "secret-words", "code": "VALIDATION_ERROR"}}),
        )
    })
    .await;
    let service = service(&server);
    let error = within(service.send(&outgoing("secret-body")))
        .await
        .expect_err("refused");
    let shown = format!(
        "{error} {error:?} {service:?} {:?}",
        outgoing("secret-body")
    );
    assert!(
        !shown.contains("secret") && !shown.contains("127.0.0.1"),
        "{shown}"
    );
    assert_eq!(error.server_code.as_deref(), Some("VALIDATION_ERROR"));
    assert_eq!((error.kind, error.retry), (K::Invalid, RetryClass::Never));
}

#[tokio::test]
async fn inv25_answers_of_another_shape_are_protocol_errors_not_panics() {
    for body in [
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "{\"data\":null}",
        "{\"data\":{\"id\":\"\"}}",
        "",
    ] {
        let server = Server::start(move |_| Reply::json(200, body)).await;
        assert_eq!(read_error(&server).await.kind, K::Protocol, "{body}");
        let page = within(service(&server).history(&id("c1"), &HistoryRange::Newest, 50)).await;
        assert_eq!(page.expect_err("no page").kind, K::Protocol, "{body}");
    }
    let server = Server::start(|_| Reply::json(200, "{}")).await;
    assert_eq!(send_error(&server).await.outcome, Outcome::Unknown);
}
