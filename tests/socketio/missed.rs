//! What happened while this device was away, to messages that it has long known.

use serde_json::json;
use tidings::domain::message::Message;

use crate::{
    app::{App, texts, until},
    node::Node,
    support::{Admin, id},
};

/// Thirty messages, four of which are deleted while nobody looks; how the client shows them then.
async fn deleted_meanwhile(websocket: bool, fresh: usize) {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let mut due = Vec::new();
    for number in 0..30 {
        due.push(format!("message {number}"));
        admin.say(&channel, "bob", &due[number]).await;
    }
    let mut app = App::of(&node, "ann").await;
    app.core.set("history.page", "5").expect("a setting");
    app.core.websocket = websocket;
    let chat = id("Booking:b1");
    let ann = app.start().await;
    ann.refresh_conversations().await.expect("a list");
    let open = ann.open(chat.clone());
    while ann.load_older(chat.clone()).await.expect("a page") {}
    until(&ann, &chat, |rows: &[Message]| texts(rows) == due).await;
    drop(open);
    ann.shutdown().await;

    let stored = admin
        .tell("messages", json!({ "channelId": channel }))
        .await;
    for number in [0, 3, 17, 29] {
        let gone = json!({ "messageId": stored["messages"][number]["id"], "silent": true });
        admin.tell("remove", gone).await;
        due.retain(|text| *text != format!("message {number}"));
    }
    for number in 0..fresh {
        due.push(format!("news {number}"));
        admin.say(&channel, "bob", &format!("news {number}")).await;
    }
    let ann = app.start().await;
    let _open = ann.open(chat.clone());
    until(&ann, &chat, |rows: &[Message]| texts(rows) == due).await;
    ann.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_were_missed_are_seen_however_old_the_message() {
    deleted_meanwhile(true, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_were_missed_are_seen_by_polling_too() {
    deleted_meanwhile(false, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_that_were_missed_are_seen_where_a_long_absence_jumps_to_the_newest_page() {
    deleted_meanwhile(true, 40).await;
}
