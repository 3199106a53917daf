//! The REST side: listing, history, refusals.

use std::time::Duration;

use serde_json::json;
use tidings::domain::{
    conversation::{Context, NewConversation},
    cursor::{HistoryRange, SyncCursor},
    ports::{ChatService, CreateOutcome, ListScope},
    retry::{FailureKind, Outcome, RetryClass},
};

use crate::{
    node::Node,
    support::{Admin, id, outgoing, service, service_with, within},
};

#[tokio::test]
async fn the_listing_is_read_to_its_end_and_channels_go_by_their_context() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    for number in 0..5 {
        admin.booking(&format!("b{number}"), &["ann"]).await;
    }
    admin.booking("of others", &["bob"]).await;
    let ann = service_with(&node, "ann", |c| c.page = 2).await;
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = within(ann.list_conversations(&ListScope::All, cursor.as_ref()));
        let page = page.await.expect("a page");
        names.extend(
            page.conversations
                .into_iter()
                .map(|c| c.id.as_str().to_owned()),
        );
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(
        names,
        [
            "Booking:b0",
            "Booking:b1",
            "Booking:b2",
            "Booking:b3",
            "Booking:b4"
        ]
    );
}

#[tokio::test]
async fn history_is_read_in_pages_both_ways() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    for number in 0..12 {
        admin.say(&channel, "bob", &number.to_string()).await;
    }
    let ann = service(&node, "ann").await;
    let chat = id("Booking:b1");
    let read = async |range: HistoryRange| {
        let page = within(ann.history(&chat, &range, 5)).await.expect("a page");
        let texts: Vec<String> = page.messages.iter().map(|m| m.text.clone()).collect();
        (texts, page)
    };
    let (texts, newest) = read(HistoryRange::Newest).await;
    assert_eq!(texts, ["7", "8", "9", "10", "11"]);
    assert!(!newest.more && newest.tail.is_none());
    let (texts, before) = read(HistoryRange::Before(newest.older.expect("older"))).await;
    assert_eq!(texts, ["2", "3", "4", "5", "6"]);
    let (texts, first) = read(HistoryRange::Before(before.older.expect("older"))).await;
    assert_eq!(texts, ["0", "1"]);
    assert_eq!(first.older, None);
    let (texts, _) = read(HistoryRange::After(newest.newer.clone())).await;
    assert_eq!(texts, ["10", "11"], "it overlaps what is known");
    for number in 12..20 {
        admin.say(&channel, "bob", &number.to_string()).await;
    }
    let (texts, more) = read(HistoryRange::After(newest.newer)).await;
    assert_eq!(texts, ["10", "11", "12", "13", "14"]);
    assert!(more.more);
    let (texts, _) = read(HistoryRange::Tail(more.tail.expect("a tail"))).await;
    assert_eq!(texts, ["15", "16", "17", "18", "19"]);
    let (texts, _) = read(HistoryRange::After(more.newer)).await;
    assert_eq!(texts, ["13", "14", "15", "16", "17"]);
    let gone = HistoryRange::After(SyncCursor::new("gone"));
    let refused = within(ann.history(&chat, &gone, 5))
        .await
        .expect_err("refused");
    assert_eq!(refused.kind, FailureKind::CursorRefused);
}

#[tokio::test]
async fn a_cursor_of_an_empty_channel_brings_all_that_came_since() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let ann = service(&node, "ann").await;
    let chat = id("Booking:b1");
    let empty = within(ann.history(&chat, &HistoryRange::Newest, 5))
        .await
        .expect("a page");
    for number in 0..12 {
        admin.say(&channel, "bob", &number.to_string()).await;
    }
    let since = HistoryRange::After(empty.newer);
    let page = within(ann.history(&chat, &since, 5)).await.expect("a page");
    assert_eq!(page.messages.len(), 12);
    assert_eq!((page.older, page.more), (None, false));
}

#[tokio::test]
async fn creating_is_naming_a_context() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("there", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let new = |id: Option<&str>| NewConversation {
        context: Some(Context {
            kind: "Booking".into(),
            id: id.map(str::to_owned),
        }),
        ..NewConversation::default()
    };
    let there = within(ann.create_conversation(&new(Some("there"))))
        .await
        .expect("there");
    assert!(matches!(there, CreateOutcome::Existing(c, _) if c.id == id("Booking:there")));
    let fresh = within(ann.create_conversation(&new(Some("fresh"))))
        .await
        .expect("fresh");
    assert!(matches!(fresh, CreateOutcome::Created(c, _) if c.id == id("Booking:fresh")));
    for general in [NewConversation::default(), new(None)] {
        let error = within(ann.create_conversation(&general))
            .await
            .expect_err("general");
        assert_eq!(
            (error.kind, error.retry),
            (FailureKind::Invalid, RetryClass::Never)
        );
    }
}

#[tokio::test]
async fn a_poll_of_a_conversation_without_a_channel_is_one_request() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    for number in 0..12 {
        admin.booking(&format!("b{number}"), &["ann"]).await;
    }
    let ann = service_with(&node, "ann", |c| c.page = 4).await;
    let chat = id("Booking:not yet");
    let calls = async || admin.tell("traffic", json!({})).await["calls"].as_u64();
    let poll = async || {
        let before = calls().await.expect("a count");
        let page = within(ann.history(&chat, &HistoryRange::Newest, 5)).await;
        let length = page.expect("a page").messages.len();
        (length, calls().await.expect("a count") - before)
    };
    assert_eq!(poll().await, (0, 1));
    admin.booking("not yet", &["ann", "bob"]).await;
    assert_eq!(
        poll().await,
        (0, 2),
        "now it has one, and its history is read"
    );
    assert_eq!(poll().await, (0, 1));
}

#[tokio::test]
async fn a_limited_request_waits_as_long_as_it_is_told() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    admin.tell("limit", json!({ "count": 1 })).await;
    let error = within(ann.send(&outgoing("Booking:b1", "x")))
        .await
        .expect_err("limited");
    assert_eq!(error.retry, RetryClass::After(Duration::from_secs(1)));
    assert_eq!(error.outcome, Outcome::NotApplied);
    within(ann.send(&outgoing("Booking:b1", "x")))
        .await
        .expect("sent");
}

#[tokio::test]
async fn a_deleted_message_leaves_a_tombstone_in_the_history() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    admin.booking("b1", &["ann"]).await;
    let ann = service(&node, "ann").await;
    let chat = id("Booking:b1");
    let sent = within(ann.send(&outgoing("Booking:b1", "regret")))
        .await
        .expect("sent");
    let row = sent.message.expect("a row");
    within(ann.delete_message(&chat, &row.id))
        .await
        .expect("deleted");
    within(ann.delete_message(&chat, &row.id))
        .await
        .expect("deleted already");
    let page = within(ann.history(&chat, &HistoryRange::Newest, 5))
        .await
        .expect("a page");
    assert!(page.messages[0].deleted && page.messages[0].text.is_empty());
}
