//! Answers that never come, connections that break, servers that go away.

use std::time::Duration;

use serde_json::json;
use tidings::domain::{
    event::{CloseReason, SessionEvent},
    ports::ChatService,
    retry::{FailureKind, Outcome},
};

use crate::{
    node::Node,
    support::{Admin, Listener, id, outgoing, service, service_with, within},
};

fn closed(event: SessionEvent) -> Option<CloseReason> {
    match event {
        SessionEvent::Closed(reason) => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_the_send_unknown() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann"]).await;
    let impatient = |c: &mut tidings::adapters::socketio::SocketIoConfig| {
        c.answer_timeout = Duration::from_secs(1);
    };
    let ann = service_with(&node, "ann", impatient).await;
    let _at_ann = Listener::at(&ann, "Booking:b1").await;
    admin.tell("lose-acks", json!({ "count": 1 })).await;
    let message = outgoing("Booking:b1", "heard?");
    let error = within(ann.send(&message)).await.expect_err("no answer");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::TimedOut, Outcome::Unknown)
    );
    within(ann.send(&message))
        .await
        .expect("the same key again");
    assert_eq!(admin.stored(&channel).await, ["heard?"]);
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_question_leaves_it_unknown() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    admin.tell("lose-acks", json!({ "count": 1 })).await;
    let message = outgoing("Booking:b1", "cut");
    let cut = async {
        at_ann.message().await;
        admin.tell("cut", json!({})).await;
    };
    let (sent, ()) = tokio::join!(within(ann.send(&message)), cut);
    let error = sent.expect_err("cut");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::Interrupted, Outcome::Unknown)
    );
    at_ann.until(closed).await;
}

/// What comes first after a break: with recovery the missed message, without it nothing of it.
async fn after_a_break(switches: &[&str]) -> String {
    let node = Node::start(switches);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    admin.say(&channel, "bob", "before").await;
    assert_eq!(at_ann.message().await.text, "before");
    admin.tell("cut", json!({})).await;
    at_ann.until(closed).await;
    admin.say(&channel, "bob", "missed").await;
    let again = Listener::at(&ann, "Booking:b1").await;
    admin.say(&channel, "bob", "after").await;
    again.message().await.text
}

#[tokio::test]
async fn what_was_missed_comes_by_itself_where_the_server_recovers() {
    assert_eq!(after_a_break(&["--recovery"]).await, "missed");
    assert_eq!(
        after_a_break(&["--recovery", "--transports=polling"]).await,
        "missed"
    );
}

#[tokio::test]
async fn what_was_missed_is_left_to_the_history_where_it_does_not() {
    assert_eq!(after_a_break(&[]).await, "after");
}

#[tokio::test]
async fn what_the_server_forgot_meanwhile_is_left_to_the_history() {
    // The window is over before anybody can be back in it.
    assert_eq!(
        after_a_break(&["--recovery", "--recovery-window=1"]).await,
        "after"
    );
}

#[tokio::test]
async fn a_server_that_goes_away_closes_every_session() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    admin.booking("b2", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let one = Listener::at(&ann, "Booking:b1").await;
    let other = Listener::at(&ann, "Booking:b2").await;
    let sockets = admin.tell("sockets", json!({})).await;
    assert_eq!(sockets["count"], 1, "one connection for all channels");
    drop(node);
    one.until(closed).await;
    other.until(closed).await;
    let error = within(ann.connect(&id("Booking:b1")))
        .await
        .expect_err("nobody is there");
    assert_eq!(error.outcome, Outcome::NotApplied);
}

#[tokio::test]
async fn one_channel_hears_on_when_another_is_left() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let first = admin.booking("b1", &["ann", "bob"]).await;
    let second = admin.booking("b2", &["ann", "bob"]).await;
    let ann = service(&node, "ann").await;
    let one = Listener::at(&ann, "Booking:b1").await;
    let other = Listener::at(&ann, "Booking:b2").await;
    admin.say(&first, "bob", "to the first").await;
    admin.say(&second, "bob", "to the second").await;
    assert_eq!(one.message().await.text, "to the first");
    assert_eq!(other.message().await.text, "to the second");
    one.session.close().await;
    one.until(closed).await;
    admin.say(&second, "bob", "still there").await;
    assert_eq!(other.message().await.text, "still there");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_after_its_own_patience() {
    let node = Node::start(&["--ping-interval=200", "--ping-timeout=300"]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    node.freeze();
    assert_eq!(at_ann.until(closed).await, CloseReason::Broken);
    node.thaw();
}

#[tokio::test]
async fn who_went_with_a_killed_server_is_not_shown_as_there_for_ever() {
    let journal = tempfile::NamedTempFile::new().expect("a file");
    let store = format!("--store={}", journal.path().display());
    let mut node = Node::start(&[&store]);
    Admin::of(&node).booking("b1", &["ann", "bob"]).await;
    let ann = service(&node, "ann").await;
    let bob = service(&node, "bob").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let online = |event| match event {
        SessionEvent::Presence { online, .. } => Some(online),
        _ => None,
    };
    assert!(at_ann.until(online).await);
    node.kill();
    drop(at_bob);
    at_ann.until(closed).await;
    node.start_again();
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    assert!(!at_ann.until(online).await, "nobody told that bob went");
}
