//! Background, suspend, foreground, and the end.

use tidings::{
    domain::{
        connection::ConnectionState, delivery::DeliveryState, event::ClientEvent, message::Role,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, delta},
    },
};

use crate::support::{App, blocked, chat, lost, ms, pass, secs, unreachable};

// covers: F-48
#[tokio::test(start_paused = true)]
async fn sockets_are_closed_at_the_deadline_and_nothing_is_asked_afterwards() {
    let mut app = App::new().await;
    let handle = app.live().await;
    let started = tokio::time::Instant::now();
    app.client.background(secs(20)).await.unwrap();
    let took = started.elapsed();
    assert!(took >= secs(20) && took <= ms(20_200), "{took:?}");
    assert!(app.service.sessions("c1").is_empty());
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Suspended
    );
    let calls = app.service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls);
    app.assert_sound();
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn sending_and_receiving_go_on_until_the_deadline() {
    let app = App::new().await;
    let handle = app.live().await;
    let client = app.client.clone();
    let background = client.background(secs(20));
    let work = async {
        let id = handle.send("still here").await.unwrap().id;
        pass(secs(1)).await;
        app.service.pushes("c1", "so am I");
        pass(secs(1)).await;
        id
    };
    let (done, id) = tokio::join!(background, work);
    done.unwrap();
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.texts("c1").await, ["still here", "so am I"]);
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn back_in_the_foreground_everything_goes_on_within_a_quarter_second() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.client.background(secs(1)).await.unwrap();
    app.service.writes("c1", Role::Assistant, "while away");
    let id = app.send("typed in a widget").await;
    pass(secs(3600)).await;
    assert_eq!(app.state(id).await, DeliveryState::Queued);
    app.client.foreground();
    pass(ms(250)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    pass(secs(2)).await;
    assert_eq!(app.texts("c1").await, ["while away", "typed in a widget"]);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn coming_back_before_the_deadline_suspends_nothing() {
    let app = App::new().await;
    let handle = app.live().await;
    let client = app.client.clone();
    let background = client.background(secs(20));
    let back = async {
        pass(secs(5)).await;
        app.client.foreground();
    };
    let (done, ()) = tokio::join!(background, back);
    done.unwrap();
    pass(secs(60)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn what_was_on_the_wire_at_the_deadline_is_looked_for_not_resent() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::HangAndApply(secs(5)));
    let id = app.send("in between").await;
    pass(secs(1)).await;
    app.client.background(secs(1)).await.unwrap();
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    pass(secs(600)).await;
    app.client.foreground();
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.count(Operation::Send), 1);
    app.assert_sound();
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn what_waited_for_the_socket_at_the_deadline_stays_queued() {
    let mut app = App::new().await;
    app.service.always(Operation::Connect, Reply::Hang);
    let handle = app.client.open(chat("c1"));
    pass(ms(100)).await;
    let client = app.client.clone();
    let background = client.background(ms(500));
    let (done, sent) = tokio::join!(background, handle.send("nearly"));
    done.unwrap();
    let id = sent.unwrap().id;
    pass(secs(600)).await;
    assert_eq!(app.state(id).await, DeliveryState::Queued);
    assert_eq!(app.service.count(Operation::Send), 0);
    app.assert_sound();
    app.client.foreground();
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    app.assert_sound();
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn an_answer_under_way_at_the_deadline_keeps_its_text_and_is_completed_later() {
    let mut app = App::new().await;
    let handle = app.live().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    app.service.session("c1").push(delta("Half "));
    pass(ms(300)).await;
    app.client.background(ms(100)).await.unwrap();
    let calls = app.service.calls().len();
    pass(secs(600)).await;
    assert_eq!(app.service.calls().len(), calls, "no read while suspended");
    assert_eq!(app.texts("c1").await, ["a question", "Half "]);
    app.service.writes("c1", Role::Assistant, "Half and half");
    app.client.foreground();
    pass(secs(2)).await;
    assert_eq!(app.texts("c1").await, ["a question", "Half and half"]);
    app.assert_sound();
}

// covers: F-48
#[tokio::test(start_paused = true)]
async fn what_is_uncertain_at_the_deadline_asks_for_nothing_while_suspended() {
    let app = App::new().await;
    app.service
        .always(Operation::History, Reply::Fail(unreachable()));
    app.service.next(Operation::Send, Reply::Fail(lost()));
    app.send("where is it").await;
    pass(secs(2)).await;
    app.client.background(ms(100)).await.unwrap();
    let calls = app.service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_opened_while_suspended_connects_in_the_foreground() {
    let app = App::new().await;
    app.client.background(ms(1)).await.unwrap();
    let handle = app.client.open(chat("c1"));
    pass(secs(60)).await;
    assert_eq!(app.service.calls().len(), 0);
    app.client.foreground();
    pass(secs(1)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
}

// covers: INV-24
#[tokio::test(start_paused = true)]
async fn shutdown_ends_in_bounded_time_and_nothing_is_told_afterwards() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.service.always_all(&Reply::Hang);
    handle.send("never confirmed").await.unwrap();
    let catching_up = app.client.clone();
    let pending = catching_up.catch_up(chat("c1"));
    let shutdown = async {
        pass(ms(100)).await;
        tokio::time::timeout(secs(3), app.client.shutdown())
            .await
            .unwrap();
    };
    let (read, ()) = tokio::join!(pending, shutdown);
    assert!(read.is_err(), "whoever waits is answered");
    assert!(app.service.sessions("c1").is_empty());
    let sent = handle.send("too late").await.unwrap_err();
    assert_eq!(sent.error.code(), "closed");
    let calls = app.service.calls().len();
    app.told();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls);
    assert_eq!(app.told(), []);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_client_ends_its_sockets_and_its_polling() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let app = App::over(&service).await;
    let live = app.live().await;
    service.next(Operation::Connect, Reply::Fail(blocked()));
    let polling = app.client.open(chat("c2"));
    pass(ms(500)).await;
    drop((live, polling, app));
    pass(secs(2)).await;
    assert!(
        service
            .all_sessions()
            .iter()
            .all(tidings::testing::ScriptedSession::is_closed)
    );
    let calls = service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(service.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn the_state_says_suspended_to_the_last() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.told();
    app.client.background(secs(1)).await.unwrap();
    pass(secs(60)).await;
    let states: Vec<_> = app
        .told()
        .into_iter()
        .filter_map(|event| match event {
            ClientEvent::Connection { status, .. } => Some(status.state),
            _ => None,
        })
        .collect();
    assert_eq!(states, [ConnectionState::Suspended]);
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn letting_go_of_one_conversation_while_suspended_wakes_no_other() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let app = App::over(&service).await;
    let first = app.live().await;
    let second = app.client.open(chat("c2"));
    pass(secs(1)).await;
    app.client.background(ms(1)).await.unwrap();
    let calls = service.calls().len();
    drop(first);
    pass(secs(60)).await;
    assert_eq!(service.calls().len(), calls);
    drop(second);
}
