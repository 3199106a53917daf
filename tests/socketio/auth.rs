//! Tokens that the socket refuses, before or after it let us in.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tidings::{
    adapters::socketio::SocketIoConfig,
    domain::{
        event::SessionEvent,
        ports::ChatService,
        retry::{FailureKind, Outcome, RetryClass},
    },
};

use crate::{
    node::Node,
    support::{Admin, Listener, Tokens, id, make, outgoing, service_with, within},
};

/// A service whose first token the server no longer takes.
async fn stale(node: &Node) -> tidings::adapters::socketio::SocketIoService {
    let admin = Admin::of(node);
    admin.booking("b1", &["ann"]).await;
    let old = admin.token("ann").await;
    admin.tell("revoke", json!({ "token": old })).await;
    let body = json!({ "user": "ann", "lifetime": 7200 });
    let fresh = admin.tell("token", body).await;
    let fresh = fresh["token"].as_str().expect("a token").to_owned();
    let tokens = Tokens::new(&[&old, &fresh]);
    make(SocketIoConfig::new(node.origin()), Arc::new(tokens))
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_socket_opens() {
    for auth in ["--auth=middleware", "--auth=connection"] {
        let node = Node::start(&[auth]);
        let ann = stale(&node).await;
        let at_ann = Listener::at(&ann, "Booking:b1").await;
        within(ann.send(&outgoing("Booking:b1", "in")))
            .await
            .expect("sent");
        assert!(at_ann.message().await.own, "{auth}");
    }
}

#[tokio::test]
async fn a_403_that_names_the_token_renews_it_too() {
    let node = Node::start(&["--stale-status=403"]);
    let ann = stale(&node).await;
    within(ann.send(&outgoing("Booking:b1", "by request")))
        .await
        .expect("sent");
}

#[tokio::test]
async fn a_token_that_nothing_renews_asks_to_sign_in() {
    for auth in ["--auth=middleware", "--auth=connection"] {
        let node = Node::start(&[auth]);
        let tokens = Tokens::new(&["worthless"]);
        let mut config = SocketIoConfig::new(node.origin());
        config.account = Some("ann".into());
        let ann = make(config, Arc::new(tokens));
        let error = within(ann.connect(&id("Booking:b1")))
            .await
            .expect_err("refused");
        assert_eq!(error.kind, FailureKind::SignInRequired, "{auth}");
        assert_eq!(error.outcome, Outcome::NotApplied);
    }
}

#[tokio::test]
async fn who_was_put_out_on_purpose_stays_away_for_a_while_and_requests_go_on() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let held =
        |hold: u64| move |c: &mut SocketIoConfig| c.eviction_hold = Duration::from_secs(hold);
    let ann = service_with(&node, "ann", held(600)).await;
    let bob = service_with(&node, "ann", held(0)).await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    admin.tell("evict", json!({})).await;
    for listener in [&at_ann, &at_bob] {
        let closed = |event| matches!(event, SessionEvent::Closed(_)).then_some(());
        listener.until(closed).await;
    }
    let error = within(ann.connect(&id("Booking:b1")))
        .await
        .expect_err("stays away");
    assert_eq!(
        (error.kind, error.retry),
        (FailureKind::NotAllowed, RetryClass::Backoff)
    );
    within(ann.send(&outgoing("Booking:b1", "by request")))
        .await
        .expect("sent");
    Listener::at(&bob, "Booking:b1").await;
}
