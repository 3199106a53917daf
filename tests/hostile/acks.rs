//! Confirmations: lost, late, doubled, for the same text twice.

use tidings::domain::{connection::ConnectionState, delivery::DeliveryState, outbox::SendMode};
use tidings_backend::{Action, On, Rule};

use crate::device::{Device, Setup, answered, backend, held, soon, spoil};

fn over_socket(action: Action) -> Rule {
    Rule::new(On::WsIn, action).frame_type("message")
}

fn over_http(action: Action) -> Rule {
    Rule::new(On::Http, action)
        .method("POST")
        .path("*/messages")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_lost_ack_of_the_socket_is_found_in_the_history_and_not_sent_again() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    let lost = spoil(&backend, over_socket(Action::LostAck));
    let sent = chat.send("did you get it").await.unwrap();
    let rows = device.answered(&id, "did you get it").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["did you get it"]);
    assert_eq!(backend.faults().applied(&lost), 1);
    assert_eq!(rows[0].state, DeliveryState::Sent);
    let story = device.story(sent.id).await;
    assert!(!story.contains(&DeliveryState::Failed), "{story:?}");
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_lost_ack_of_a_post_is_found_in_the_history_and_not_sent_again() {
    for mode in [SendMode::Durable, SendMode::Direct] {
        let backend = backend();
        let device = Setup::at(&backend.url()).without_socket().start().await;
        let id = device.create().await;
        let _chat = device.open(&id, ConnectionState::Polling).await;
        spoil(&backend, over_http(Action::LostAck));
        let sending = device.client.send(id.clone(), "did you get it", mode);
        let sent = soon("its fate", sending).await.unwrap();
        let rows = device.answered(&id, "did you get it").await;
        assert_eq!(rows.len(), 2, "{rows:#?}");
        assert_eq!(held(&backend, &id), ["did you get it"]);
        let story = device.story(sent.id).await;
        assert!(story.contains(&DeliveryState::Uncertain), "{story:?}");
        assert_eq!(story.last(), Some(&DeliveryState::Sent));
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_send_that_was_swallowed_is_sent_again_once() {
    for rule in [over_socket(Action::Drop), over_http(Action::Drop)] {
        let backend = backend();
        let mut setup = Setup::at(&backend.url()).set("send.attempt_timeout", "700ms");
        setup.config.websocket = rule.when.on == On::WsIn;
        let device = setup.start().await;
        let id = device.create().await;
        let chat = device.client.open(id.clone());
        let dropped = spoil(&backend, rule);
        chat.send("swallowed").await.unwrap();
        device.answered(&id, "swallowed").await;
        assert_eq!(backend.faults().applied(&dropped), 1);
        assert_eq!(held(&backend, &id), ["swallowed"]);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f28_send_applied_within_the_grace_is_found_and_not_sent_again() {
    for rule in [
        over_socket(Action::LateApply { ms: 700 }),
        over_http(Action::LateApply { ms: 700 }),
    ] {
        let backend = backend();
        let mut setup = Setup::at(&backend.url()).set("reconcile.grace", "3s");
        setup.config.websocket = rule.when.on == On::WsIn;
        let device = setup.start().await;
        let id = device.create().await;
        let chat = device.client.open(id.clone());
        let late = spoil(&backend, rule);
        chat.send("late").await.unwrap();
        device.answered(&id, "late").await;
        assert_eq!(backend.faults().applied(&late), 1);
        assert_eq!(held(&backend, &id), ["late"]);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_doubled_and_swapped_frames_change_nothing_that_is_kept() {
    let doubled = Rule::new(On::WsOut, Action::Duplicate).times(0);
    let swapped = |kind: &str| {
        Rule::new(On::WsOut, Action::Reorder)
            .frame_type(kind)
            .times(2)
    };
    for rules in [
        vec![doubled],
        vec![swapped("message_received"), swapped("stream_chunk")],
    ] {
        let backend = backend();
        let device = Setup::at(&backend.url()).set("turn.inactivity", "2s");
        let device = device.start().await;
        let id = device.create().await;
        let chat = device.open(&id, ConnectionState::Live).await;
        for rule in rules {
            spoil(&backend, rule);
        }
        for text in ["one", "two", "three"] {
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
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f29_l75_same_text_twice_is_two_messages() {
    for socket in [true, false] {
        let backend = backend();
        let mut setup = Setup::at(&backend.url());
        setup.config.websocket = socket;
        let device = setup.start().await;
        let id = device.create().await;
        let chat = device.client.open(id.clone());
        for _ in 0..3 {
            chat.send("yes").await.unwrap();
        }
        let rows = device
            .until(&id, "three turns", |rows| {
                let ids = rows.iter().filter(|row| row.server_id.is_some());
                ids.count() == 6
            })
            .await;
        assert_eq!(rows.len(), 6, "{rows:#?}");
        assert!(answered(&rows, "yes"));
        assert_eq!(held(&backend, &id), ["yes"; 3]);
        device.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_l75_same_text_again_after_a_lost_ack_is_two_messages() {
    let backend = backend();
    let device = Setup::at(&backend.url()).without_socket().start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("yes").await.unwrap();
    device.answered(&id, "yes").await;
    spoil(&backend, over_http(Action::LostAck));
    chat.send("yes").await.unwrap();
    chat.send("yes").await.unwrap();
    let rows = device
        .until(&id, "three turns", |rows| {
            let ids = rows.iter().filter(|row| row.server_id.is_some());
            ids.count() == 6
        })
        .await;
    assert_eq!(rows.len(), 6, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["yes"; 3]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_swallowed_repetition_of_an_old_text_is_not_taken_for_the_old_one() {
    let backend = backend();
    let setup = Setup::at(&backend.url()).without_socket();
    let device = setup.set("send.attempt_timeout", "700ms").start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Polling).await;
    chat.send("yes").await.unwrap();
    device.answered(&id, "yes").await;
    spoil(&backend, over_http(Action::Drop));
    let sent = chat.send("yes").await.unwrap();
    device.fate(sent.id).await;
    let rows = device
        .until(&id, "two turns", |rows| {
            rows.iter().filter(|row| !row.own).count() == 2
        })
        .await;
    assert_eq!(rows.len(), 4, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["yes"; 2]);
    device.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f07_confirmation_that_never_comes_is_looked_for_in_the_history() {
    let backend = backend();
    let device = Device::start(&backend.url()).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    // The server hears, stores and answers; of all that only control frames come through.
    spoil(&backend, Rule::new(On::WsOut, Action::Drop).times(0));
    let sent = chat.send("do you hear me").await.unwrap();
    let rows = device.answered(&id, "do you hear me").await;
    assert_eq!(rows.len(), 2, "{rows:#?}");
    assert_eq!(held(&backend, &id), ["do you hear me"]);
    let story = device.story(sent.id).await;
    let doubted = story.contains(&DeliveryState::Uncertain);
    assert!(!doubted, "found before anyone had to doubt: {story:?}");
    device.stop().await;
}
