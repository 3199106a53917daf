//! Tokens on both transports: one refresh, one retry, and never a sign-out by mistake.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::{join, join_all};
use serde_json::json;
use tidings::domain::{
    ports::{ChatService, TokenError},
    retry::{FailureKind, Outcome},
};

use crate::support::{Reply, Seen, Server, Tokens, config, id, service_with, within};

/// Takes `good` only, on both transports.
fn guarded(good: &'static str) -> impl Fn(&Seen) -> Reply + Send + Sync + 'static {
    move |seen| {
        if seen.header("authorization") != Some(&format!("Bearer {good}")) {
            return Reply::Http(401, Vec::new(), "unauthorized".into());
        }
        if seen.wants_socket() {
            return Reply::socket(|_| async {});
        }
        Reply::json(200, json!({"data": {"id": "c1"}}))
    }
}

#[tokio::test]
async fn l53_unauthorised_call_refreshes_once_and_is_tried_once_more() {
    let server = Server::start(guarded("t1")).await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    within(service.conversation(&id("c1")))
        .await
        .expect("conversation");
    assert_eq!((tokens.refreshes(), server.seen().len()), (1, 2));
}

#[tokio::test]
async fn l55_parallel_calls_on_both_transports_share_one_refresh() {
    let server = Server::start(guarded("t1")).await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    let (c1, c2) = (id("c1"), id("c2"));
    let calls = join_all((0..8).map(|_| service.conversation(&c1)));
    let dials = join_all((0..4).map(|_| service.connect(&c2)));
    let (calls, dials) = within(join(calls, dials)).await;
    assert!(calls.iter().all(Result::is_ok) && dials.iter().all(Result::is_ok));
    assert_eq!(tokens.refreshes(), 1);
}

#[tokio::test]
async fn l65_each_dial_takes_the_current_token() {
    let server = Server::start(guarded("t7")).await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    *tokens.current.lock().expect("token") = "t7".into();
    within(service.connect(&id("c1"))).await.expect("session");
    assert_eq!(tokens.refreshes(), 0);
}

#[tokio::test]
async fn l54_refused_refresh_asks_to_sign_in_once_and_stops() {
    let server = Server::start(guarded("never")).await;
    let tokens = Tokens::new();
    tokens.answer_with(Some(TokenError::SignInRequired));
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    for _ in 0..3 {
        let error = within(service.conversation(&id("c1")))
            .await
            .expect_err("signed out");
        assert_eq!(
            (error.kind, error.outcome),
            (FailureKind::SignInRequired, Outcome::NotApplied)
        );
        let refused = within(service.connect(&id("c1")))
            .await
            .expect_err("signed out");
        assert_eq!(refused.kind, FailureKind::SignInRequired);
    }
    assert_eq!((tokens.refreshes(), server.seen().len()), (1, 1));
}

#[tokio::test]
async fn f19_refresh_without_network_backs_off_and_keeps_the_session() {
    let server = Server::start(guarded("t2")).await;
    let tokens = Tokens::new();
    tokens.answer_with(Some(TokenError::Unavailable));
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    let error = within(service.conversation(&id("c1")))
        .await
        .expect_err("not now");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::Unavailable, Outcome::NotApplied)
    );
    tokens.answer_with(None);
    within(service.conversation(&id("c1")))
        .await
        .expect("later");
}

#[tokio::test]
async fn f03_upgrade_refused_with_401_is_renewed_and_dialled_again() {
    let server = Server::start(guarded("t1")).await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    within(service.connect(&id("c1"))).await.expect("session");
    // The upgrade, a request that renews the token and is repeated, the upgrade again.
    assert_eq!((tokens.refreshes(), server.seen().len()), (1, 4));
}

#[tokio::test]
async fn f03_socket_that_refuses_what_requests_are_taken_with_signs_nobody_out() {
    let server = Server::start(|seen| match seen.header("upgrade") {
        Some(_) => Reply::status(401),
        None => Reply::json(200, json!({"data": {"id": "c1"}})),
    })
    .await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    let error = within(service.connect(&id("c1")))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.kind, error.status),
        (FailureKind::NotAllowed, Some(401))
    );
    assert_eq!(tokens.refreshes(), 0);
}

#[tokio::test]
async fn f12_a_portals_401_page_signs_nobody_out() {
    let hits = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hits);
    let server = Server::start(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Reply::html(401)
    })
    .await;
    let tokens = Tokens::new();
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    let error = within(service.conversation(&id("c1")))
        .await
        .expect_err("portal");
    assert_eq!(error.kind, FailureKind::CaptivePortal);
    assert_eq!((tokens.refreshes(), hits.load(Ordering::SeqCst)), (0, 1));
}

#[tokio::test]
async fn l88_refreshed_token_is_kept_before_anything_can_fail() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let server = Server::start(move |seen| {
        let nth = count.fetch_add(1, Ordering::SeqCst);
        match (seen.header("authorization"), nth) {
            (Some("Bearer t1"), 1) => Reply::Raw(Vec::new()),
            (Some("Bearer t1"), _) => Reply::json(200, json!({"data": {"id": "c1"}})),
            _ => Reply::status(401),
        }
    })
    .await;
    // An app that rotates its token and forgets to hand out the new one.
    let tokens = Arc::new(Tokens {
        forgetful: true,
        ..Tokens::starting_with("t0")
    });
    let service = service_with(config(&server), Arc::clone(&tokens) as _);
    let broken = within(service.conversation(&id("c1")))
        .await
        .expect_err("broken off");
    assert_eq!(broken.kind, FailureKind::Interrupted);
    within(service.conversation(&id("c1")))
        .await
        .expect("with the token already renewed");
    assert_eq!(tokens.refreshes(), 1);
}
