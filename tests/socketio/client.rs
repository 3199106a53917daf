//! The whole client on this backend: what was accepted arrives once, in order, whatever breaks.

use serde_json::json;
use tidings::{
    ChatClient,
    domain::{
        conversation::Context,
        delivery::DeliveryState,
        ids::{ConversationId, UserId},
        message::Message,
        ports::{NewConversation, chat_repository::ConversationFilter},
    },
};

use crate::{
    app::{App, live, texts, until},
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

#[tokio::test(flavor = "multi_thread")]
async fn participants_are_shown_as_they_come_and_go_and_the_context_stays() {
    let node = Node::start(&[]);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let app = App::of(&node, "ann").await;
    let ann = app.start().await;
    ann.refresh_conversations().await.expect("a list");
    let chat = id("Booking:b1");
    let open = ann.open(chat.clone());
    live(&ann, &open).await;
    let member = async |user: &str, member: bool| {
        let body = json!({ "channelId": channel, "user": user, "member": member });
        admin.tell("member", body).await;
    };
    member("eve", true).await;
    shows(&ann, &chat, &["ann", "bob", "eve"]).await;
    member("bob", false).await;
    shows(&ann, &chat, &["ann", "eve"]).await;
    // What changed while nobody was connected is there after the reconnect.
    admin.tell("refuse", json!({ "what": "broken" })).await;
    admin.tell("cut", json!({})).await;
    member("mia", true).await;
    admin.tell("refuse", json!({ "what": "none" })).await;
    shows(&ann, &chat, &["ann", "eve", "mia"]).await;
    let row = ann
        .conversation(&chat)
        .await
        .expect("a row")
        .expect("there");
    let context = row.server.context.expect("a context");
    assert_eq!(
        (context.kind.as_str(), context.id.as_deref()),
        ("Booking", Some("b1"))
    );
    let roles: Vec<_> = row.server.attributes.keys().collect();
    assert_eq!(
        roles,
        ["role.ann", "role.eve", "role.mia"],
        "bob's went too"
    );
    ann.shutdown().await;
}

/// Waits until these are in the conversation.
async fn shows(client: &ChatClient, id: &ConversationId, users: &[&str]) {
    let mut lists = client.observe_conversations(ConversationFilter {
        include_archived: true,
        limit: 0,
    });
    let due: Vec<_> = users.iter().map(|user| UserId::parse(user)).collect();
    let wait = async {
        loop {
            let row = client
                .conversation(id)
                .await
                .expect("a row")
                .expect("there");
            let there = row.server.participants.iter().cloned().map(Some);
            if there.collect::<Vec<_>>() == due {
                return;
            }
            lists.next().await.expect("a list");
        }
    };
    crate::support::within(wait).await;
}
