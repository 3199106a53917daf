//! The other version of the server: sends by request only, whole answers as frames, whole lists.

use tidings::domain::connection::ConnectionState;
use tidings_backend::{Action, BackendConfig, Dialect, FrameDirection, Network, On, Rule};

use crate::device::{Device, backend_with, held, posts, spoil};

fn backend() -> tidings_backend::Backend {
    backend_with(BackendConfig {
        dialect: Dialect::S34,
        ..BackendConfig::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_turns_go_out_by_post_and_come_back_as_whole_messages() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    for text in ["one", "two", "two"] {
        chat.send(text).await.unwrap();
        device.answered(&id, text).await;
    }
    let rows = device
        .until(&id, "three turns", |rows| rows.len() >= 6)
        .await;
    let here: Vec<_> = rows.iter().map(|row| row.text.clone()).collect();
    let there = backend.messages(id.as_str());
    let there: Vec<_> = there.into_iter().map(|row| row.content).collect();
    assert_eq!(here, there);
    assert_eq!(posts(&backend), 3);
    let frames = backend.frames();
    let said = frames
        .iter()
        .filter(|frame| frame.direction == FrameDirection::In && frame.kind == "message");
    assert_eq!(
        said.count(),
        0,
        "this version takes no messages over the socket"
    );
    let pushed = frames.iter().filter(|frame| frame.kind == "message");
    assert!(pushed.count() >= 3);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_conversation_unknown_to_this_device_is_opened_and_used() {
    let backend = backend();
    let first = Device::start(&backend.url()).await;
    let id = first.create().await;
    first.stop().await;
    // Nothing told this device yet which version it speaks to.
    let device = Device::start(&backend.url()).await;
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("hello").await.unwrap();
    device.answered(&id, "hello").await;
    assert_eq!(held(&backend, &id), ["hello"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_reply_comes_by_polling_where_the_socket_is_refused() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    backend.network(Network::NoWebsocket).unwrap();
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("by polling").await.unwrap();
    let rows = device.answered(&id, "by polling").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_lost_ack_of_a_post_is_found_and_not_sent_again() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    spoil(
        &backend,
        Rule::new(On::Http, Action::LostAck)
            .method("POST")
            .path("*/messages"),
    );
    chat.send("did you get it").await.unwrap();
    let rows = device.answered(&id, "did you get it").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["did you get it"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s34_finished_conversation_refuses_with_403_and_is_told_as_finished() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let other = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    other.complete(&id).await;
    let sent = chat.send("too late").await.unwrap();
    let fate = device.fate(sent.id).await;
    let tidings::usecases::wait_for_delivery::Delivery::Failed(reason) = fate else {
        panic!("{fate:?}");
    };
    assert_eq!(reason.code, "conversation.not_active");
    other.stop().await;
    device.stop().await;
}
