//! Sending: accepted on disk, shown at once, delivered by whatever works.

use std::collections::BTreeSet;

use tidings::{
    domain::{
        delivery::DeliveryState, event::CloseReason, message::Role, outbox::SendMode,
        timeline::TimelineDiff,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, blocked, chat, lost, ms, pass, rejected, secs, unreachable};

#[tokio::test(start_paused = true)]
async fn l30_own_message_shows_before_the_first_byte_leaves() {
    let app = App::new().await;
    let handle = app.live().await;
    let mut timeline = handle.observe(50);
    timeline.next().await.unwrap();
    let asked = app.service.calls().len();
    handle.send("mine").await.unwrap();
    let shown = timeline.next().await.unwrap();
    assert!(matches!(&shown[..], [TimelineDiff::Insert { item, .. }]
        if item.text == "mine" && item.state == DeliveryState::Queued));
    assert_eq!(app.service.calls().len(), asked, "nothing has left yet");
    pass(ms(100)).await;
    assert_eq!(app.service.texts("c1"), ["mine"]);
}

#[tokio::test(start_paused = true)]
async fn l31_change_of_transport_keeps_the_one_row() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service
        .next(Operation::SocketSend, Reply::Fail(unreachable()));
    app.service
        .always(Operation::Connect, Reply::Fail(blocked()));
    let id = handle.send("over whatever works").await.unwrap().id;
    pass(ms(1)).await;
    app.service.session("c1").end(CloseReason::Broken);
    pass(secs(10)).await;
    assert_eq!(app.service.count(Operation::SocketSend), 1);
    assert_eq!(app.service.count(Operation::Send), 1);
    let rows = app.rows("c1").await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].id, rows[0].state), (id, DeliveryState::Sent));
    assert_eq!(app.service.texts("c1").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn l61_send_takes_the_socket_when_it_is_live() {
    let app = App::new().await;
    let handle = app.live().await;
    let id = handle.send("hello").await.unwrap().id;
    pass(ms(100)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.count(Operation::SocketSend), 1);
    assert_eq!(app.service.count(Operation::Send), 0);
}

#[tokio::test(start_paused = true)]
async fn a_send_while_dialling_waits_two_seconds_for_the_socket() {
    for (dial, over_socket) in [(secs(1), 1), (secs(9), 0)] {
        let app = App::new().await;
        app.service.next(Operation::Connect, Reply::after(dial));
        let handle = app.client.open(chat("c1"));
        let id = handle.send("hello").await.unwrap().id;
        pass(ms(2_100)).await;
        assert_eq!(app.state(id).await, DeliveryState::Sent, "{dial:?}");
        assert_eq!(app.service.count(Operation::SocketSend), over_socket);
        assert_eq!(app.service.count(Operation::Send), 1 - over_socket);
    }
}

#[tokio::test(start_paused = true)]
async fn a_closed_conversation_is_sent_to_by_a_request() {
    let mut app = App::new().await;
    let id = app.send("hello").await;
    pass(secs(1)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.count(Operation::Connect), 0);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn l60_confirmed_send_binds_the_user_message_not_the_answer() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .answering("Hello!")
        .build();
    let mut app = App::over(&service).await;
    let handle = app.polling().await;
    let id = handle.send("Hi").await.unwrap().id;
    pass(secs(10)).await;
    let rows = app.rows("c1").await;
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.role.clone(), row.text.as_str()))
        .collect();
    assert_eq!(seen, [(Role::User, "Hi"), (Role::Assistant, "Hello!")]);
    assert_eq!(rows[0].id, id);
    assert_eq!(rows[0].server_id.as_ref().unwrap().as_str(), "m1");
    assert_eq!(rows[1].server_id.as_ref().unwrap().as_str(), "m2");
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn l75_equal_texts_are_two_messages() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .answering("ok")
        .build();
    let mut app = App::over(&service).await;
    let handle = app.live().await;
    handle.send("yes").await.unwrap();
    handle.send("yes").await.unwrap();
    pass(secs(60)).await;
    assert_eq!(app.texts("c1").await, ["yes", "ok", "yes", "ok"]);
    let ids: BTreeSet<_> = app
        .rows("c1")
        .await
        .into_iter()
        .map(|row| row.server_id.unwrap())
        .collect();
    assert_eq!(ids.len(), 4, "each bound to its own");
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn l15_sending_reads_and_writes_one_conversation_only() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .holding("c2", &[(Role::Assistant, "elsewhere")])
        .answering("ok")
        .build();
    let app = App::over(&service).await;
    app.client.refresh_conversations().await.unwrap();
    app.client.synchronise(chat("c2")).await.unwrap();
    let before = app.client.conversation(&chat("c2")).await.unwrap().unwrap();
    let asked = service.calls().len();
    let handle = app.live().await;
    handle.send("hello").await.unwrap();
    pass(secs(60)).await;
    let calls = service.calls();
    let own = calls[asked..]
        .iter()
        .all(|call| call.conversation == Some(chat("c1")));
    assert!(own, "{:?}", &calls[asked..]);
    let after = app.client.conversation(&chat("c2")).await.unwrap().unwrap();
    assert_eq!(after.version, before.version);
}

// covers: F-24
#[tokio::test(start_paused = true)]
async fn l100_failed_message_keeps_its_text() {
    let mut app = App::new().await;
    app.service.next(Operation::Send, Reply::Fail(rejected()));
    let id = app.send("kept").await;
    let next = app.send("goes on").await;
    pass(secs(5)).await;
    let failed = app.message(id).await.unwrap();
    assert_eq!(
        (failed.state, failed.text.as_str()),
        (DeliveryState::Failed, "kept")
    );
    let entry = &app.outbox().await[0];
    assert_eq!((entry.id, entry.text()), (id, "kept"));
    assert_eq!(entry.reason.as_ref().unwrap().code, "rejected");
    assert_eq!(
        app.state(next).await,
        DeliveryState::Sent,
        "the next one proceeds"
    );
    app.client.retry(id).await.unwrap();
    pass(secs(35)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.outbox().await, []);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_repeated_send_under_one_key_is_one_message() {
    let app = App::new().await;
    let id = app.client.mint_message_id();
    for _ in 0..3 {
        let sent = app
            .client
            .send_with_id(id, chat("c1"), "once", SendMode::Durable)
            .await;
        assert_eq!(sent.unwrap().id, id);
        pass(ms(200)).await;
    }
    pass(secs(60)).await;
    assert_eq!(app.service.texts("c1"), ["once"]);
    assert_eq!(app.texts("c1").await, ["once"]);
}

#[tokio::test(start_paused = true)]
async fn invalid_text_is_refused_before_anything_is_stored() {
    let app = App::new().await;
    let long = "x".repeat(5_001);
    for text in ["", " \n", long.as_str()] {
        let refused = app.client.send(chat("c1"), text, SendMode::Durable).await;
        assert!(refused.is_err());
    }
    assert_eq!(app.rows("c1").await, []);
    assert_eq!(app.outbox().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_completed_conversation_takes_no_message() {
    let app = App::new().await;
    app.client.refresh_conversations().await.unwrap();
    app.client.complete(chat("c1")).await.unwrap();
    let refused = app
        .client
        .send(chat("c1"), "late", SendMode::Durable)
        .await
        .unwrap_err();
    assert_eq!(refused.error.code(), "conversation.not_active");
    assert_eq!(app.rows("c1").await, []);
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn a_dropped_send_is_all_or_nothing() {
    use futures_util::FutureExt;
    let app = App::new().await;
    let sent = app
        .client
        .send(chat("c1"), "half a call", SendMode::Durable)
        .now_or_never();
    drop(sent);
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await.len(), app.service.texts("c1").len());
}

#[tokio::test(start_paused = true)]
async fn a_backend_without_turns_is_sent_to_without_waiting_for_answers() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| {
            able.one_turn_at_a_time = false;
            able.streaming = false;
        })
        .build();
    let app = App::over(&service).await;
    let handle = app.live().await;
    for n in 0..5 {
        handle.send(format!("message {n}")).await.unwrap();
    }
    pass(secs(1)).await;
    assert_eq!(service.texts("c1").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_never_shown_as_failed() {
    let app = App::new().await;
    app.service.always(Operation::Send, Reply::Fail(lost()));
    app.service
        .always(Operation::History, Reply::Fail(unreachable()));
    let id = app.send("where is it").await;
    for _ in 0..50 {
        pass(secs(60)).await;
        assert_ne!(app.state(id).await, DeliveryState::Failed);
    }
    assert_eq!(
        app.service.count(Operation::Send),
        1,
        "nor resent without proof"
    );
}
