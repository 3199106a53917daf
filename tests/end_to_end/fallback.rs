//! The five cases of the fallback: socket, refused socket, cut, offline, switching.

use tidings::{Config, domain::connection::ConnectionState};
use tidings_backend::Network;

use crate::support::{Device, answered, backend, quick, soon};

#[tokio::test(flavor = "multi_thread")]
async fn message_is_sent_streamed_and_kept_over_the_socket_without_polling() {
    let backend = backend();
    let device = Device::start(&backend.url(), Config::default()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    backend.forget_records();
    chat.send("ping 42").await.unwrap();
    let rows = device
        .until(&id, "the answer", |rows| answered(rows, "ping 42"))
        .await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    let posts = backend
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
        .count();
    assert_eq!(posts, 0, "it went over the socket");
    device.client.shutdown().await;
    backend.stop().await;
}

// covers: G8
#[tokio::test(flavor = "multi_thread")]
async fn refused_socket_is_replaced_by_polling_and_the_reply_arrives() {
    let backend = backend();
    let device = Device::start(&backend.url(), quick()).await;
    let id = device.create().await;
    backend.network(Network::NoWebsocket).unwrap();
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("ping 43").await.unwrap();
    let rows = device
        .until(&id, "the answer", |rows| answered(rows, "ping 43"))
        .await;
    assert_eq!(rows.len(), 2, "{rows:?}");
    device.client.shutdown().await;
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_during_a_chat_brings_the_second_reply_by_polling_once() {
    let backend = backend();
    let device = Device::start(&backend.url(), quick()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("first").await.unwrap();
    device
        .until(&id, "the first answer", |rows| answered(rows, "first"))
        .await;
    backend.network(Network::NoWebsocket).unwrap();
    chat.send("second").await.unwrap();
    let rows = device
        .until(&id, "the second answer", |rows| answered(rows, "second"))
        .await;
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(backend.messages(id.as_str()).len(), 4);
    device.client.shutdown().await;
    backend.stop().await;
}

// covers: G4
#[tokio::test(flavor = "multi_thread")]
async fn message_written_offline_is_queued_and_delivered_on_return() {
    let backend = backend();
    let device = Device::start(&backend.url(), quick()).await;
    let id = device.create().await;
    backend.network(Network::Refuse).unwrap();
    let chat = device.client.open(id.clone());
    let message = chat.send("from the tunnel").await.unwrap();
    soon("a failed attempt", async {
        let mut outbox = device.client.observe_outbox();
        while outbox
            .next()
            .await
            .unwrap()
            .iter()
            .all(|entry| entry.failures == 0)
        {}
    })
    .await;
    backend.network(Network::Up).unwrap();
    device.client.network_changed(tidings::NetworkChange::Up);
    let rows = device
        .until(&id, "the answer", |rows| answered(rows, "from the tunnel"))
        .await;
    assert_eq!(rows[0].id, message.id);
    assert_eq!(backend.messages(id.as_str()).len(), 2);
    device.client.shutdown().await;
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switching_a_b_a_keeps_one_socket_each_and_mixes_nothing() {
    let backend = tidings_backend::Backend::start(tidings_backend::BackendConfig {
        conflicts: tidings_backend::ConflictPolicy::Many,
        ..tidings_backend::BackendConfig::default()
    })
    .unwrap();
    let device = Device::start(&backend.url(), quick()).await;
    let (a, b) = (device.create().await, device.create().await);
    assert_ne!(a, b);
    let chat = device.open(&a, ConnectionState::Live).await;
    chat.send("in a").await.unwrap();
    drop(chat);
    let other = device.open(&b, ConnectionState::Live).await;
    other.send("in b").await.unwrap();
    let again = device.open(&a, ConnectionState::Live).await;
    for (id, text) in [(&a, "in a"), (&b, "in b")] {
        let rows = device.until(id, text, |rows| answered(rows, text)).await;
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(backend.sockets_of(id.as_str()).len() <= 1);
    }
    drop(other);
    soon(
        "B's socket to close",
        backend.wait_until(|seen| seen.sockets_of(b.as_str()).is_empty()),
    )
    .await;
    drop(again);
    device.client.shutdown().await;
    backend.stop().await;
}
