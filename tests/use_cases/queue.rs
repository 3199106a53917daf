//! The queue: order, holding, delays, expiry.

use tidings::{
    Config, NetworkChange,
    domain::{delivery::DeliveryState, event::ClientEvent, message::Role},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, failure, ms, pass, rejected, secs, slow_down, unreachable};

// covers: F-01
#[tokio::test(start_paused = true)]
async fn offline_messages_stay_queued_and_leave_in_order_when_the_network_returns() {
    let mut app = App::new().await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(app.send(&format!("message {n}")).await);
    }
    pass(secs(3600)).await;
    for id in &ids {
        assert_eq!(app.state(*id).await, DeliveryState::Queued);
    }
    app.service.always_all(&Reply::Normal);
    app.client.network_changed(NetworkChange::Up);
    pass(ms(250)).await;
    assert_eq!(app.service.texts("c1")[0], "message 0", "at once");
    for n in 1..4 {
        app.service
            .writes("c1", Role::Assistant, &format!("answer {n}"));
        pass(secs(40)).await;
    }
    let own: Vec<_> = app
        .service
        .rows("c1")
        .into_iter()
        .filter(|row| row.own)
        .collect();
    let texts: Vec<_> = own.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts, ["message 0", "message 1", "message 2", "message 3"]);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_durable_message_during_an_answer_waits_and_says_why() {
    let app = App::new().await;
    let handle = app.live().await;
    handle.send("first").await.unwrap();
    pass(ms(100)).await;
    let second = handle.send("second").await.unwrap().id;
    pass(secs(5)).await;
    assert_eq!(app.state(second).await, DeliveryState::Queued);
    let entry = app.outbox().await.remove(0);
    assert_eq!(entry.reason.unwrap().code, "turn_open");
    app.service.streams("c1", &["an ", "answer"]);
    pass(ms(100)).await;
    assert_eq!(app.state(second).await, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn the_fifth_failure_in_a_row_is_told_once() {
    let mut app = App::new().await;
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("again and again").await;
    pass(secs(600)).await;
    assert!(app.service.count(Operation::Send) > 6);
    let troubled = app
        .told()
        .into_iter()
        .filter(|event| matches!(event, ClientEvent::SendTroubled { id: told, .. } if *told == id));
    assert_eq!(troubled.count(), 1);
    assert_eq!(app.state(id).await, DeliveryState::Queued);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_grew_too_old_fails_with_its_text() {
    let mut app = App::new().await;
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("old").await;
    pass(secs(7 * 24 * 3600 + 120)).await;
    let failed = app.message(id).await.unwrap();
    assert_eq!(
        (failed.state, failed.text.as_str()),
        (DeliveryState::Failed, "old")
    );
    assert_eq!(
        app.outbox().await[0].reason.as_ref().unwrap().code,
        "send.expired"
    );
    app.assert_sound();
}

// covers: F-21
#[tokio::test(start_paused = true)]
async fn a_429_holds_until_its_time_and_no_longer() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::Fail(slow_down(secs(90))));
    let id = app.send("patience").await;
    pass(secs(89)).await;
    assert_eq!(app.state(id).await, DeliveryState::Queued);
    assert_eq!(app.service.count(Operation::Send), 1);
    pass(secs(2)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    let cooldowns = app
        .told()
        .into_iter()
        .filter(|event| matches!(event, ClientEvent::Cooldown { .. }));
    assert_eq!(cooldowns.count(), 1);
}

// covers: F-26
#[tokio::test(start_paused = true)]
async fn an_overloaded_server_that_took_nothing_is_tried_again() {
    use tidings::domain::retry::{FailureKind, Outcome, RetryClass};
    let mut app = App::new().await;
    let overloaded = failure(
        FailureKind::Unavailable,
        RetryClass::After(secs(20)),
        Outcome::NotApplied,
    );
    app.service.next(Operation::Send, Reply::Fail(overloaded));
    let id = app.send("later").await;
    pass(secs(19)).await;
    assert_eq!(app.state(id).await, DeliveryState::Queued);
    pass(secs(2)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    app.assert_sound();
}

// covers: F-25, F-55
#[tokio::test(start_paused = true)]
async fn a_message_to_a_conversation_that_is_gone_fails_with_its_text() {
    let mut app = App::new().await;
    app.service.loses("c1");
    let id = app.send("to nobody").await;
    pass(secs(5)).await;
    let failed = app.message(id).await.unwrap();
    assert_eq!(
        (failed.state, failed.text.as_str()),
        (DeliveryState::Failed, "to nobody")
    );
    app.assert_sound();
}

// covers: F-24
#[tokio::test(start_paused = true)]
async fn a_failed_message_steps_aside_and_comes_back_by_retry() {
    let mut app = App::new().await;
    app.service.next(Operation::Send, Reply::Fail(rejected()));
    let first = app.send("first").await;
    let second = app.send("second").await;
    pass(secs(1)).await;
    assert_eq!(app.state(first).await, DeliveryState::Failed);
    assert_eq!(app.state(second).await, DeliveryState::Sent);
    app.client.retry(first).await.unwrap();
    app.service.writes("c1", Role::Assistant, "answer");
    pass(secs(40)).await;
    assert_eq!(app.state(first).await, DeliveryState::Sent);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_attempts_is_kept_to_the_letter() {
    let mut config = Config::default();
    config.set("send.max_attempts", "3").unwrap();
    let app = App::with(&ScriptedService::new(), config).await;
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("three times").await;
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Failed);
    assert_eq!(app.service.count(Operation::Send), 3);
}

#[tokio::test(start_paused = true)]
async fn conversations_send_side_by_side() {
    use tidings::domain::outbox::SendMode;
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let app = App::over(&service).await;
    service.next(Operation::Send, Reply::Hang);
    app.send("stuck").await;
    pass(ms(100)).await;
    let chat = crate::support::chat("c2");
    let id = app
        .client
        .send(chat, "free", SendMode::Durable)
        .await
        .unwrap()
        .id;
    pass(ms(100)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn flush_returns_when_nothing_is_under_way() {
    let app = App::new().await;
    app.service.next(Operation::Send, Reply::after(secs(3)));
    let id = app.send("on its way").await;
    tokio::time::timeout(secs(5), app.client.flush())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.state(id).await, DeliveryState::Sent);
}

/// Without a turn nothing else keeps a conversation that no screen shows.
#[tokio::test(start_paused = true)]
async fn a_refusal_in_a_conversation_nobody_holds_is_heard_at_once() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| {
            able.streaming = false;
            able.one_turn_at_a_time = false;
        })
        .build();
    let app = App::over(&service).await;
    let slow = Reply::Later(secs(2), Box::new(Reply::Fail(rejected())));
    service.next(Operation::Send, slow);
    let id = app.send("hello").await;
    pass(secs(5)).await;
    assert_eq!(app.message(id).await.unwrap().state, DeliveryState::Failed);
}
