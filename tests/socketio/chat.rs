//! The chat profile, over every way the server can be reached.

use serde_json::json;
use tidings::{
    adapters::socketio::{Carriers, SocketIoConfig},
    domain::{
        event::{CloseReason, SessionEvent},
        ids::UserId,
        ports::ChatService,
        retry::{FailureKind, Outcome, RetryClass},
    },
};

use crate::{
    node::Node,
    support::{Admin, Listener, key, outgoing, service, service_with, within},
};

async fn talk(switches: &[&str], adjust: impl Fn(&mut SocketIoConfig)) {
    let node = Node::start(switches);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let ann = service_with(&node, "ann", &adjust).await;
    let bob = service_with(&node, "bob", &adjust).await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    for number in 0..5 {
        let text = format!("message {number} <b>ä🦀</b>");
        let clean = format!("message {number} ä🦀");
        let receipt = within(ann.send(&outgoing("Booking:b1", &text)))
            .await
            .expect("sent");
        let row = receipt.message.expect("the row comes with the answer");
        assert!(row.own);
        assert_eq!(row.text, clean, "the server cleans what is sent");
        let heard = at_bob.message().await;
        assert_eq!(
            (&heard.id, &heard.text, heard.own),
            (&row.id, &clean, false)
        );
        let echo = at_ann.message().await;
        assert_eq!(
            (&echo.id, echo.own, echo.client_id),
            (&row.id, true, row.client_id)
        );
    }
    assert_eq!(admin.stored(&channel).await.len(), 5);
    at_bob.session.probe().await.expect("a probe");
    at_bob.session.close().await;
    assert_eq!(at_bob.until(closed).await, CloseReason::Local);
}

fn closed(event: SessionEvent) -> Option<CloseReason> {
    match event {
        SessionEvent::Closed(reason) => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn talk_over_a_websocket() {
    talk(&["--transports=websocket"], |_| ()).await;
}

#[tokio::test]
async fn talk_by_polling_where_the_server_has_nothing_else() {
    talk(&["--transports=polling"], |_| ()).await;
}

#[tokio::test]
async fn talk_by_polling_where_the_network_lets_nothing_else_through() {
    talk(&[], |config| {
        config.carriers = Carriers {
            websocket: false,
            polling: true,
        };
    })
    .await;
}

#[tokio::test]
async fn talk_on_a_session_that_began_by_polling_and_moved() {
    talk(&["--refuse=direct"], |_| ()).await;
}

#[tokio::test]
async fn talk_by_polling_where_the_upgrade_breaks_off_half_way() {
    talk(&["--refuse=websocket"], |_| ()).await;
}

#[tokio::test]
async fn talk_by_polling_while_the_upgrade_is_never_answered() {
    talk(&["--refuse=probe"], |_| ()).await;
}

#[tokio::test]
async fn talk_with_a_node_that_a_balancer_finds_by_its_cookie() {
    talk(&["--cookie=node", "--transports=polling"], |_| ()).await;
    talk(&["--cookie=node", "--refuse=direct"], |_| ()).await;
}

#[tokio::test]
async fn talk_while_the_server_asks_for_signs_of_life() {
    let switches = ["--ping-interval=100", "--ping-timeout=2000"];
    talk(&switches, |_| ()).await;
    talk(&[switches[0], switches[1], "--transports=polling"], |_| ()).await;
}

#[tokio::test]
async fn a_channel_is_made_by_its_first_message() {
    let node = Node::start(&[]);
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:new").await;
    let chat = crate::support::id("Booking:new");
    let newest = tidings::domain::cursor::HistoryRange::Newest;
    let page = within(ann.history(&chat, &newest, 10)).await;
    assert!(page.expect("a page").messages.is_empty());
    let receipt = within(ann.send(&outgoing("Booking:new", "first")))
        .await
        .expect("sent");
    let row = receipt.message.expect("a row");
    assert_eq!(
        at_ann.message().await.id,
        row.id,
        "the server brought us in"
    );
    let page = within(ann.history(&chat, &newest, 10))
        .await
        .expect("a page");
    assert_eq!(page.messages.len(), 1);
    within(ann.send(&outgoing("Booking:new", "second")))
        .await
        .expect("sent");
    assert_eq!(
        at_ann.message().await.text,
        "second",
        "the server brought us in"
    );
}

#[tokio::test]
async fn typing_presence_reading_and_deleting_reach_the_others() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let ann = service(&node, "ann").await;
    let bob = service(&node, "bob").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    let user = UserId::parse("bob").expect("id");
    let presence = |online| SessionEvent::Presence {
        user: user.clone(),
        online,
        last_seen: None,
    };
    assert_eq!(at_ann.next().await, presence(false), "as the look told");
    assert_eq!(at_ann.next().await, presence(true));
    let ann_is_there = SessionEvent::Presence {
        user: UserId::parse("ann").expect("id"),
        online: true,
        last_seen: None,
    };
    assert_eq!(at_bob.next().await, ann_is_there, "though she came before");

    at_bob.session.set_typing(true).await.expect("told");
    at_bob
        .session
        .set_typing(true)
        .await
        .expect("not told again so soon");
    at_bob.session.set_typing(false).await.expect("told");
    for active in [true, false] {
        let user = user.clone();
        assert_eq!(at_ann.next().await, SessionEvent::Typing { user, active });
    }

    let sent = within(ann.send(&outgoing("Booking:b1", "hi")))
        .await
        .expect("sent");
    let row = sent.message.expect("a row");
    at_bob.message().await;
    let chat = crate::support::id("Booking:b1");
    within(bob.mark_read(&chat, &row.id)).await.expect("marked");
    let receipt = at_ann
        .until(|event| match event {
            SessionEvent::Receipt { user, up_to, read } => Some((user, up_to, read)),
            _ => None,
        })
        .await;
    assert_eq!(receipt, (user, row.id.clone(), true));
    let list = within(bob.list_conversations(&tidings::domain::ports::ListScope::All, None)).await;
    assert_eq!(list.expect("a list").conversations[0].participants.len(), 2);

    within(ann.delete_message(&chat, &row.id))
        .await
        .expect("deleted");
    let gone = at_bob.message().await;
    assert!(gone.deleted && gone.text.is_empty());
    assert_eq!(gone.id, row.id);
    assert_eq!(
        admin.stored(&channel).await,
        ["hi"],
        "the row stays, for audits"
    );
}

#[tokio::test]
async fn who_stopped_typing_without_a_word_has_stopped() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann", "bob"]).await;
    let soon = |c: &mut SocketIoConfig| c.typing_lasts = std::time::Duration::from_millis(50);
    let ann = service_with(&node, "ann", soon).await;
    let bob = service(&node, "bob").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    at_bob.session.set_typing(true).await.expect("told");
    let typing = |event| match event {
        SessionEvent::Typing { active, .. } => Some(active),
        _ => None,
    };
    assert!(at_ann.until(typing).await);
    assert!(!at_ann.until(typing).await, "after a while of silence");
}

#[tokio::test]
async fn a_gateways_exception_fails_its_request_at_once() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service_with(&node, "ann", |c| {
        c.answer_timeout = std::time::Duration::from_secs(600)
    })
    .await;
    let _at_ann = Listener::at(&ann, "Booking:b1").await;
    let refused = within(ann.send(&outgoing("Booking:b1", " ")))
        .await
        .expect_err("refused");
    assert_eq!(
        (refused.kind, refused.retry),
        (FailureKind::Invalid, RetryClass::Never)
    );
    assert_eq!(refused.outcome, Outcome::NotApplied);
}

#[tokio::test]
async fn participants_come_and_go_while_the_socket_is_up() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann"]).await;
    let bob = service(&node, "bob").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    let member = |member: bool| json!({ "channelId": channel, "user": "bob", "member": member });
    admin.tell("member", member(true)).await;
    admin.say(&channel, "ann", "welcome").await;
    assert_eq!(at_bob.message().await.text, "welcome");
    admin.tell("member", member(false)).await;
    admin.say(&channel, "ann", "between us").await;
    admin.tell("member", member(true)).await;
    admin.say(&channel, "ann", "back").await;
    assert_eq!(at_bob.message().await.text, "back");
}

#[tokio::test]
async fn only_who_is_away_is_notified() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob", "eve"]).await;
    let ann = service(&node, "ann").await;
    let bob = service(&node, "bob").await;
    let _ann = Listener::at(&ann, "Booking:b1").await;
    let at_bob = Listener::at(&bob, "Booking:b1").await;
    within(ann.send(&outgoing("Booking:b1", "hello")))
        .await
        .expect("sent");
    at_bob.message().await;
    let notices = admin.tell("notices", json!({})).await;
    let notices = notices["notices"].as_array().expect("notices").clone();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!(notices[0]["recipient_id"], "eve");
    assert_eq!(notices[0]["sender_id"], "ann");
    assert_eq!(notices[0]["channel_id"], channel.as_str());
    assert_eq!(notices[0]["message_preview"], "hello");
}

#[tokio::test]
async fn a_megabyte_is_refused_here_and_the_connection_lives_on() {
    let node = Node::start(&["--max-payload=20000"]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let long = outgoing("Booking:b1", &"a".repeat(20_000));
    let error = within(ann.send(&long)).await.expect_err("too large");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::Invalid, Outcome::NotApplied)
    );
    within(ann.send(&outgoing("Booking:b1", "short")))
        .await
        .expect("sent");
    assert_eq!(at_ann.message().await.text, "short");
}

#[tokio::test]
async fn just_under_a_megabyte_passes_and_a_megabyte_is_refused_here() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let at_ann = Listener::at(&ann, "Booking:b1").await;
    let text = |length: usize| outgoing("Booking:b1", &"a".repeat(length));
    within(ann.send(&text(999_000))).await.expect("sent");
    assert_eq!(at_ann.message().await.text.len(), 999_000);
    let error = within(ann.send(&text(1_000_000)))
        .await
        .expect_err("too large");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::Invalid, Outcome::NotApplied)
    );
    within(ann.send(&text(3))).await.expect("sent");
    assert_eq!(at_ann.message().await.text, "aaa", "the same connection");
    assert_eq!(admin.stored(&channel).await.len(), 2);
}

#[tokio::test]
async fn the_same_key_is_stored_once_over_either_way() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let mut message = outgoing("Booking:b1", "once");
    message.id = key();
    let by_rest = within(ann.send(&message))
        .await
        .expect("sent")
        .message
        .expect("a row");
    let _at_ann = Listener::at(&ann, "Booking:b1").await;
    let by_socket = within(ann.send(&message))
        .await
        .expect("sent")
        .message
        .expect("a row");
    assert_eq!(by_rest.id, by_socket.id);
    assert_eq!(by_rest.client_id, Some(message.id));
    assert_eq!(admin.stored(&channel).await.len(), 1);
}
