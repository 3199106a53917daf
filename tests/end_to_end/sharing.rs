//! Two clients on one store: one sends for both.

use tidings::{Config, domain::connection::ConnectionState};

use crate::support::{Device, answered, backend, quick, soon};

#[tokio::test(flavor = "multi_thread")]
async fn second_client_on_a_store_is_answered_through_the_first() {
    let backend = backend();
    let first = Device::start(&backend.url(), quick()).await;
    let id = first.create().await;
    let second = first.second(&backend.url()).await;
    assert!(first.client.is_owner() && !second.client.is_owner());
    let chat = second.client.open(id.clone());
    chat.send("through the other one").await.unwrap();
    let rows = second
        .until(&id, "the answer", |rows| {
            answered(rows, "through the other one")
        })
        .await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(
        backend.sockets_of(id.as_str()).len(),
        1,
        "one connection serves both"
    );
    drop(chat);
    soon(
        "the socket to close",
        backend.wait_until(|seen| seen.sockets_of(id.as_str()).is_empty()),
    )
    .await;
    first.client.shutdown().await;
    second.client.shutdown().await;
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_client_takes_over_when_the_owner_goes() {
    let backend = backend();
    let first = Device::start(&backend.url(), Config::default()).await;
    let id = first.create().await;
    let second = first.second(&backend.url()).await;
    first.client.shutdown().await;
    let _chat = second.open(&id, ConnectionState::Live).await;
    second.client.shutdown().await;
    backend.stop().await;
}
