//! Signing out and in: traffic stops, nothing fails, everything goes on.

use tidings::{
    domain::{connection::ConnectionState, delivery::DeliveryState, event::ClientEvent},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, lost, pass, secs, signed_out};

fn asked_to_sign_in(app: &mut App) -> usize {
    let told = app.told().into_iter();
    told.filter(|event| matches!(event, ClientEvent::SignInRequired))
        .count()
}

// covers: F-18, F-19, INV-19
#[tokio::test(start_paused = true)]
async fn a_refused_token_stops_all_traffic_and_fails_nothing() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.service.always_all(&Reply::Fail(signed_out()));
    let mut ids = vec![handle.send("first").await.unwrap().id];
    pass(secs(5)).await;
    ids.push(handle.send("second").await.unwrap().id);
    assert_eq!(asked_to_sign_in(&mut app), 1);
    let calls = app.service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls);
    for id in &ids {
        assert_eq!(app.state(*id).await, DeliveryState::Queued);
    }
    let status = handle.connection().await.unwrap();
    assert_eq!(status.state, ConnectionState::SignInRequired);
    assert_eq!(asked_to_sign_in(&mut app), 0, "told once");
    app.service.always_all(&Reply::Normal);
    app.client.foreground();
    pass(secs(60)).await;
    for id in &ids {
        assert_eq!(app.state(*id).await, DeliveryState::Sent);
    }
    assert_eq!(app.service.texts("c1"), ["first", "second"]);
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
}

// covers: F-18
#[tokio::test(start_paused = true)]
async fn a_token_refused_to_a_poll_or_a_dial_is_told_alike() {
    for operation in [Operation::Connect, Operation::History] {
        let mut app = App::new().await;
        app.service.always(operation, Reply::Fail(signed_out()));
        let handle = app.client.open(chat("c1"));
        pass(secs(10)).await;
        assert_eq!(asked_to_sign_in(&mut app), 1, "{operation:?}");
        assert!(app.service.sessions("c1").is_empty());
        let calls = app.service.calls().len();
        pass(secs(600)).await;
        assert_eq!(app.service.calls().len(), calls);
        drop(handle);
    }
}

// covers: F-19
#[tokio::test(start_paused = true)]
async fn what_is_uncertain_or_unfinished_asks_for_nothing_while_signed_out() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let mut app = App::over(&service).await;
    let handle = app.live().await;
    service.next(Operation::SocketSend, Reply::Fail(lost()));
    let id = handle.send("where is it").await.unwrap().id;
    pass(secs(1)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    service.always_all(&Reply::Fail(signed_out()));
    let other = app.client.open(chat("c2"));
    pass(secs(10)).await;
    assert_eq!(asked_to_sign_in(&mut app), 1);
    let calls = service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(service.calls().len(), calls);
    service.always_all(&Reply::Normal);
    app.client.foreground();
    pass(secs(40)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    app.assert_sound();
    drop(other);
}

// covers: F-19
#[tokio::test(start_paused = true)]
async fn a_conversation_opened_while_signed_out_connects_after_signing_in() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let app = App::over(&service).await;
    service.always_all(&Reply::Fail(signed_out()));
    let first = app.client.open(chat("c1"));
    pass(secs(5)).await;
    let calls = service.calls().len();
    let second = app.client.open(chat("c2"));
    pass(secs(600)).await;
    assert_eq!(service.calls().len(), calls, "it asks for nothing");
    service.always_all(&Reply::Normal);
    app.client.foreground();
    pass(secs(2)).await;
    assert_eq!(
        first.connection().await.unwrap().state,
        ConnectionState::Live
    );
    assert_eq!(
        second.connection().await.unwrap().state,
        ConnectionState::Live
    );
}
