//! Each action on upgrades.

use serde_json::{Value, json};
use tidings_backend::Backend;

use crate::support::{Http, Socket, rule, silent, start};

async fn spoiled(action: Value) -> (Backend, String) {
    let backend = start();
    let id = Http::new(&backend).create().await;
    rule(
        &backend,
        json!({ "on": "upgrade", "conversation": id }),
        action,
    );
    (backend, id)
}

#[tokio::test]
async fn refuse_and_reset_cut_the_connection() {
    for kind in ["refuse", "reset"] {
        let (backend, id) = spoiled(json!({ "kind": kind })).await;
        assert!(Socket::dial(&backend, &id, "").await.is_err());
        drop(Socket::open(&backend, &id).await);
    }
}

#[tokio::test]
async fn status_refuses_the_upgrade() {
    for code in [400, 401, 403, 404, 503] {
        let (backend, id) = spoiled(json!({ "kind": "status", "code": code })).await;
        let refused = Socket::dial(&backend, &id, "")
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(refused.contains(&code.to_string()), "{refused}");
    }
}

#[tokio::test]
async fn captive_and_redirect_refuse_the_upgrade() {
    for (kind, code) in [("captive", "200"), ("redirect", "302")] {
        let (backend, id) = spoiled(json!({ "kind": kind })).await;
        let refused = Socket::dial(&backend, &id, "")
            .await
            .err()
            .expect("refused")
            .to_string();
        assert!(refused.contains(code), "{refused}");
    }
}

#[tokio::test]
async fn drop_and_freeze_leave_the_upgrade_unanswered() {
    for kind in ["drop", "freeze"] {
        let (backend, id) = spoiled(json!({ "kind": kind })).await;
        assert!(silent(Socket::dial(&backend, &id, "")).await, "{kind}");
    }
}

#[tokio::test]
async fn delay_holds_the_upgrade_back() {
    let (backend, id) = spoiled(json!({ "kind": "delay", "ms": 150 })).await;
    let started = std::time::Instant::now();
    drop(Socket::open(&backend, &id).await);
    assert!(started.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn no_connected_upgrades_and_says_nothing() {
    let (backend, id) = spoiled(json!({ "kind": "no_connected" })).await;
    let mut socket = Socket::dial(&backend, &id, "").await.expect("an upgrade");
    assert!(socket.is_silent().await);
    socket.send(json!({ "type": "ping" })).await;
    assert_eq!(socket.next().await["type"], "pong", "it works all the same");
}

#[tokio::test]
async fn close_ends_the_socket_as_soon_as_it_is_open() {
    let (backend, id) = spoiled(json!({ "kind": "close", "code": 1013, "reason": "later" })).await;
    let mut socket = Socket::dial(&backend, &id, "").await.expect("an upgrade");
    assert_eq!(socket.end().await, Some(1013));
}
