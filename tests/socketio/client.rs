//! The whole client on this backend: what was accepted arrives once, in order, whatever breaks.

use serde_json::json;
use tidings::domain::{
    conversation::Context, delivery::DeliveryState, message::Message, ports::NewConversation,
};

use crate::{
    app::{App, texts, until},
    node::Node,
    support::{Admin, id},
};

/// Twenty messages, while answers are lost and connections cut.
async fn through_trouble(switches: &[&str], dedupes: bool) {
    let node = Node::start(switches);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let mut apps = [App::of(&node, "ann").await, App::of(&node, "bob").await];
    apps[0].socketio.dedupes = dedupes;
    let (ann, bob) = (apps[0].start().await, apps[1].start().await);
    let chat = id("Booking:b1");
    for client in [&ann, &bob] {
        client.refresh_conversations().await.expect("a list");
    }
    let (at_ann, _at_bob) = (ann.open(chat.clone()), bob.open(chat.clone()));
    let mut due = Vec::new();
    for number in 0..20 {
        let text = format!("message {number}");
        match number {
            5 => drop(admin.tell("lose-acks", json!({ "count": 1 })).await),
            8 | 14 => drop(admin.tell("cut", json!({})).await),
            _ => {}
        }
        at_ann.send(text.as_str()).await.expect("accepted");
        due.push(text);
    }
    let arrived = |rows: &[Message]| texts(rows) == due;
    until(&bob, &chat, arrived).await;
    let sent = |rows: &[Message]| {
        texts(rows) == due && rows.iter().all(|row| row.state >= DeliveryState::Sent)
    };
    until(&ann, &chat, sent).await;
    assert_eq!(admin.stored(&channel).await, due, "once, in order");
    ann.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_messages_arrive_once_and_in_order_where_the_server_knows_keys() {
    through_trouble(&["--recovery"], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_messages_arrive_once_and_in_order_where_it_does_not() {
    through_trouble(&["--dedupe=off"], false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_messages_arrive_once_and_in_order_by_polling_alone() {
    through_trouble(&["--transports=polling"], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_begun_here_becomes_the_channel_of_its_context() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let app = App::of(&node, "ann").await;
    let ann = app.start().await;
    let new = NewConversation {
        context: Some(Context {
            kind: "Booking".into(),
            id: Some("b9".into()),
        }),
        ..NewConversation::default()
    };
    let chat = ann
        .create_conversation(new)
        .await
        .expect("created")
        .conversation
        .id;
    assert_eq!(chat, id("Booking:b9"));
    let open = ann.open(chat.clone());
    open.send("the first word").await.expect("accepted");
    let sent = |rows: &[Message]| rows.iter().any(|row| row.state >= DeliveryState::Sent);
    let rows = until(&ann, &chat, sent).await;
    assert_eq!(texts(&rows), ["the first word"]);
    let body = json!({ "contextType": "Booking", "contextId": "b9", "users": [] });
    let channel = admin.tell("channel", body).await;
    let channel = channel["id"].as_str().expect("an id").to_owned();
    assert_eq!(admin.stored(&channel).await, ["the first word"]);
    admin.say(&channel, "system", "and an answer").await;
    let both = |rows: &[Message]| rows.len() == 2;
    until(&ann, &chat, both).await;
    ann.shutdown().await;
}
