//! Networks: none, refusing, silent, cut, captured.

use tidings::{
    NetworkChange,
    domain::{
        connection::{ConnectionState, Transport},
        delivery::DeliveryState,
        event::ClientEvent,
        ids::ConversationId,
    },
};
use tidings_backend::{Action, Network, On, Rule};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::device::{Device, Setup, backend, held, soon, spoil, upgrades};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_refused_connection_is_offline_and_what_was_written_leaves_on_return() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    backend.network(Network::Refuse).unwrap();
    let chat = device.open(&id, ConnectionState::Offline).await;
    let sent = chat.send("from the tunnel").await.unwrap();
    let entry = device.waits_for("network.unreachable").await;
    assert_eq!(entry.state, DeliveryState::Queued);
    backend.network(Network::Up).unwrap();
    device.client.network_changed(NetworkChange::Up);
    device.answered(&id, "from the tunnel").await;
    assert_eq!(held(&backend, &id), ["from the tunnel"]);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    assert!(!story.contains(&DeliveryState::Uncertain), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_unknown_host_is_offline_and_fails_nothing() {
    let device = Device::start("http://no-such-host.invalid").await;
    let id = ConversationId::parse("c1").unwrap();
    let chat = device.open(&id, ConnectionState::Offline).await;
    chat.send("hello").await.unwrap();
    let entry = device.waits_for("network.unreachable").await;
    assert_eq!(entry.state, DeliveryState::Queued);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_server_that_stalls_or_garbles_tls_is_given_up_and_tried_again() {
    for greeting in [&b""[..], b"HTTP/1.1 400 Bad Request\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (accepted, mut count) = tokio::sync::watch::channel(0);
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.write_all(greeting).await;
                open.push(stream);
                accepted.send_modify(|count| *count += 1);
            }
        });
        let setup = Setup::at(&url).set("dial.timeout", "200ms");
        let device = setup.set("http.timeout", "300ms").start().await;
        let id = ConversationId::parse("c1").unwrap();
        let chat = device.client.open(id.clone());
        chat.send("hello").await.unwrap();
        let entry = device.unsent("a failed attempt", |e| e.failures > 0).await;
        assert_eq!(
            entry.state,
            DeliveryState::Queued,
            "nothing could have left"
        );
        soon("more tries", count.wait_for(|count| *count > 6))
            .await
            .unwrap();
        let live = |event: &ClientEvent| matches!(event, ClientEvent::Connection { status, .. } if status.transport != Transport::None);
        assert!(!device.events().iter().any(live));
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_blocked_socket_is_polled_beside_until_it_is_live() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    backend.network(Network::NoWebsocket).unwrap();
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("first").await.unwrap();
    device.answered(&id, "first").await;
    backend.network(Network::Up).unwrap();
    device.state(&id, ConnectionState::Live).await;
    backend.forget_records();
    chat.send("second").await.unwrap();
    let rows = device.answered(&id, "second").await;
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let requests = backend.requests();
    assert!(
        requests.iter().all(|seen| seen.method == "GET"),
        "{requests:#?}"
    );
    // The catch-up of the new socket, and the tail after the answer.
    assert!(requests.len() <= 4, "polling goes on: {requests:#?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_dead_port_of_the_socket_alone_leaves_polling() {
    let backend = backend();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("ws://{}", unused.local_addr().unwrap());
    drop(unused);
    let mut setup = Setup::at(&backend.url());
    setup.service.ws_origin = Some(dead);
    let device = setup.start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("first").await.unwrap();
    let rows = device.answered(&id, "first").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f06_frozen_socket_is_found_stale_and_replaced() {
    let backend = backend();
    let setup = Setup::at(&backend.url()).set("probe.after", "300ms");
    let setup = setup
        .set("probe.timeout", "300ms")
        .set("dial.timeout", "500ms");
    let device = setup.set("http.timeout", "500ms").start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    device.forget();
    backend.network(Network::Blackhole).unwrap();
    let sent = chat.send("into the silence").await.unwrap();
    let stale = device.state(&id, ConnectionState::Stale).await;
    assert_eq!(stale.reason.as_deref(), Some("connection.silent"));
    backend.network(Network::Up).unwrap();
    device.state(&id, ConnectionState::Live).await;
    device.answered(&id, "into the silence").await;
    assert_eq!(held(&backend, &id), ["into the silence"]);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_reset_inside_a_frame_or_a_body_leaves_no_half_event() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let cut = spoil(
        &backend,
        Rule::new(On::WsOut, Action::Reset)
            .frame_type("stream_chunk")
            .nth(3),
    );
    let torn = spoil(
        &backend,
        Rule::new(On::Http, Action::Reset)
            .method("GET")
            .path("*/messages")
            .times(2),
    );
    let short = spoil(
        &backend,
        Rule::new(On::Http, Action::Truncate { bytes: 40 })
            .method("GET")
            .path("*/messages"),
    );
    let chat = device.open(&id, ConnectionState::Live).await;
    chat.send("cut me off").await.unwrap();
    let rows = device.answered(&id, "cut me off").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(rows[1].text, backend.messages(id.as_str())[1].content);
    for rule in [cut, torn, short] {
        assert!(backend.faults().applied(&rule) > 0, "{rule}");
    }
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_post_reset_before_its_answer_is_sent_once() {
    let backend = backend();
    let device = Setup::at(&backend.url()).without_socket().start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Polling).await;
    let cut = Rule::new(On::Http, Action::Reset)
        .method("POST")
        .path("*/messages");
    let cut = spoil(&backend, cut);
    let sent = chat.send("half an answer").await.unwrap();
    device.answered(&id, "half an answer").await;
    assert_eq!(held(&backend, &id), ["half an answer"]);
    assert_eq!(backend.faults().applied(&cut), 1);
    let story = device.story(sent.id).await;
    assert!(story.contains(&DeliveryState::Uncertain), "{story:?}");
    device.stop().await;
}

/// A portal before everything: offline with its reason, nobody signed out, nothing sent or lost.
async fn captured(action: Action) {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    for on in [On::Http, On::Upgrade] {
        spoil(&backend, Rule::new(on, action.clone()).times(0));
    }
    let chat = device.client.open(id.clone());
    let sent = chat.send("to whoever listens").await.unwrap();
    let entry = device.waits_for("network.captive_portal").await;
    assert_ne!(entry.state, DeliveryState::Failed);
    let offline = device.state(&id, ConnectionState::Offline).await;
    assert_eq!(offline.reason.as_deref(), Some("network.captive_portal"));
    let refused = device.client.refresh_conversations().await.unwrap_err();
    assert_eq!(refused.code(), "network.captive_portal");
    let dials = upgrades(&backend);
    soon(
        "more dials",
        backend.wait_until(|seen| upgrades(seen) > dials + 1),
    )
    .await;
    let events = device.events();
    let out = |event: &ClientEvent| matches!(event, ClientEvent::SignInRequired);
    assert!(!events.iter().any(out), "{events:#?}");
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Sent), "{story:?}");
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    backend.faults().clear();
    device.state(&id, ConnectionState::Live).await;
    device.answered(&id, "to whoever listens").await;
    assert_eq!(held(&backend, &id), ["to whoever listens"]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_page_of_a_captive_portal_is_offline_never_success() {
    captured(Action::Captive).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_redirect_of_a_captive_portal_is_offline_never_followed() {
    let location = "http://127.0.0.1:9/login".to_owned();
    captured(Action::Redirect { location }).await;
}
