//! What only some may see: texts that were deleted, and the evidence of a dispute.

use serde_json::{Value, json};
use tidings::{
    adapters::socketio::SocketIoService,
    domain::{
        message::Message,
        ports::ChatService,
        retry::{FailureKind, Outcome},
    },
};

use crate::{
    app::{App, texts, until},
    node::Node,
    support::{Admin, id, service, service_with, within},
};

const CHAT: &str = "Booking:b1";

/// A booking of Ann's and an admin's, with five messages of which two are deleted.
async fn deleted(node: &Node) -> String {
    let admin = Admin::of(node);
    let channel = admin.booking("b1", &["ann"]).await;
    let member =
        json!({ "channelId": channel, "user": "eve", "member": true, "role": "Lender Admin" });
    admin.tell("member", member).await;
    for number in 0..5 {
        admin
            .say(&channel, "ann", &format!("message {number}"))
            .await;
    }
    let rows = admin
        .tell("messages", json!({ "channelId": channel }))
        .await;
    for number in [1, 3] {
        let gone = json!({ "messageId": rows["messages"][number]["id"] });
        admin.tell("remove", gone).await;
    }
    channel
}

async fn auditor(node: &Node, user: &str) -> SocketIoService {
    service_with(node, user, |config| config.audit = true).await
}

#[tokio::test]
async fn an_auditor_reads_what_was_deleted_page_by_page() {
    let node = Node::start(&[]);
    deleted(&node).await;
    let eve = auditor(&node, "eve").await;
    assert!(eve.capabilities().audit);
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let page = within(eve.audit(&id(CHAT), before.as_ref(), 2)).await;
        let page = page.expect("a page");
        assert!(page.messages.len() <= 2 && page.skipped == 0);
        read.splice(0..0, page.messages);
        match page.before {
            Some(first) => before = Some(first),
            None => break,
        }
    }
    for (number, row) in read.iter().enumerate() {
        assert_eq!(row.message.text, format!("message {number}"));
        let gone = [1, 3].contains(&number);
        assert_eq!(
            (row.message.deleted, row.deleted_at.is_some()),
            (gone, gone)
        );
    }
    assert_eq!(read.len(), 5);
    let unborn = within(eve.audit(&id("Booking:b9"), None, 2)).await;
    assert!(unborn.expect("a page").messages.is_empty());
}

#[tokio::test]
async fn who_may_not_is_refused_and_who_did_not_ask_cannot() {
    let node = Node::start(&[]);
    deleted(&node).await;
    let ann = auditor(&node, "ann").await;
    let error = within(ann.audit(&id(CHAT), None, 5))
        .await
        .expect_err("a worker");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::NotAllowed, Outcome::NotApplied)
    );
    let eve = service(&node, "eve").await;
    assert!(!eve.capabilities().audit);
    let error = within(eve.audit(&id(CHAT), None, 5))
        .await
        .expect_err("not asked for");
    assert!(matches!(error.kind, FailureKind::Unsupported));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditors_device_keeps_no_more_than_anybodys() {
    let node = Node::start(&[]);
    deleted(&node).await;
    let mut app = App::of(&node, "eve").await;
    app.socketio.audit = true;
    let eve = app.start().await;
    eve.refresh_conversations().await.expect("a list");
    let _open = eve.open(id(CHAT));
    let shown = |rows: &[Message]| texts(rows) == ["message 0", "message 2", "message 4"];
    until(&eve, &id(CHAT), shown).await;
    let all = eve.history(id(CHAT), None, 50, true).await.expect("a page");
    let gone: Vec<_> = all.messages.iter().filter(|(_, row)| row.deleted).collect();
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|(_, row)| row.text.is_empty()));
    eve.shutdown().await;
}

#[tokio::test]
async fn the_evidence_of_a_dispute_is_told_whatever_its_kind() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let body = json!({ "contextType": "Dispute", "contextId": "d1", "users": ["ann"] });
    let channel = admin.tell("channel", body).await["id"].clone();
    let gps = json!({ "type": "gps", "clockInLocation": { "lat": 1.5, "lng": 2.5 },
                      "clockOutLocation": { "lat": 1.5, "lng": 2.25 }, "mapUrl": "https://map/1" });
    let laser = json!({ "type": "laser", "level": [1, { "deep": true }] });
    for evidence in [&gps, &laser] {
        let said = json!({ "channelId": channel, "user": "system", "content": "see here",
                           "type": "system", "evidence": evidence });
        admin.tell("say", said).await;
    }
    let ann = service_with(&node, "ann", |config| config.dispute_calls = true).await;
    let facts = within(ann.dispute_facts(&id("Dispute:d1")))
        .await
        .expect("facts");
    assert_eq!(
        (facts.status.as_deref(), facts.funds_frozen),
        (Some("Open"), Some(true))
    );
    let kinds: Vec<_> = facts.evidence.iter().map(|one| one.kind.as_str()).collect();
    assert_eq!(kinds, ["gps", "laser"]);
    for (told, given) in facts.evidence.iter().zip([&gps, &laser]) {
        let json: Value = serde_json::from_str(&told.json).expect("json");
        assert_eq!(json, *given);
    }
    let printed = format!("{facts:?}");
    assert!(
        !printed.contains("2.5") && !printed.contains("map"),
        "{printed}"
    );
    admin.tell("resolve", json!({ "disputeId": "d1" })).await;
    let facts = within(ann.dispute_facts(&id("Dispute:d1")))
        .await
        .expect("facts");
    assert_eq!(
        (facts.status.as_deref(), facts.funds_frozen),
        (Some("Resolved"), Some(false))
    );
    let elsewhere = within(ann.dispute_facts(&id(CHAT)))
        .await
        .expect_err("no dispute");
    assert!(matches!(elsewhere.kind, FailureKind::Unsupported));
    let without = service(&node, "ann").await;
    let without = within(without.dispute_facts(&id("Dispute:d1"))).await;
    assert!(matches!(
        without.expect_err("no calls").kind,
        FailureKind::Unsupported
    ));
}
