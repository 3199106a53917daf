//! The whole client on this backend: what was accepted arrives once, in order, whatever breaks.

use std::sync::Arc;

use serde_json::json;
use tidings::{
    ChatClient, ChatClientParts, Config,
    adapters::{
        http::StaticToken,
        memory::MemoryRepository,
        socketio::{SocketIoConfig, SocketIoService},
        system::SystemPlatform,
    },
    domain::{
        conversation::Context, delivery::DeliveryState, ids::ConversationId, message::Message,
        ports::NewConversation,
    },
};

use crate::{
    node::Node,
    support::{Admin, id},
};

/// Timings for impatient tests.
fn quick() -> Config {
    let mut config = Config::default();
    for (name, value) in [
        ("reconcile.grace", "300ms"),
        ("send.base", "50ms"),
        ("reconnect.base", "200ms"),
        ("poll.active", "1s"),
    ] {
        config.set(name, value).expect("a setting");
    }
    config
}

async fn client(node: &Node, user: &str, dedupes: bool) -> ChatClient {
    let platform = Arc::new(SystemPlatform::new());
    let token = Arc::new(StaticToken::new(Admin::of(node).token(user).await));
    let mut config = SocketIoConfig::new(node.origin());
    config.dedupes = dedupes;
    config.answer_timeout = std::time::Duration::from_secs(1);
    let service = SocketIoService::new(config, token, platform.clone()).expect("a service");
    let parts = ChatClientParts {
        service: Arc::new(service),
        repository: Arc::new(MemoryRepository::new()),
        platform,
        config: quick(),
    };
    ChatClient::start(parts).await.expect("a client")
}

/// Waits until the conversation as shown satisfies the condition.
async fn until(
    client: &ChatClient,
    id: &ConversationId,
    holds: impl Fn(&[Message]) -> bool,
) -> Vec<Message> {
    let mut timeline = client.observe_timeline(id.clone(), 200);
    let mut shown = Vec::new();
    let wait = async {
        loop {
            for change in timeline.next().await.expect("changes") {
                change.apply(&mut shown).expect("a change");
            }
            if holds(&shown) {
                return;
            }
        }
    };
    let come = tokio::time::timeout(std::time::Duration::from_secs(90), wait).await;
    let texts: Vec<_> = shown.iter().map(|row| (&row.text, row.state)).collect();
    assert!(come.is_ok(), "never came: {texts:?}");
    shown
}

fn texts(rows: &[Message]) -> Vec<String> {
    rows.iter().map(|row| row.text.clone()).collect()
}

/// Twenty messages, while answers are lost and connections cut.
async fn through_trouble(switches: &[&str], dedupes: bool) {
    let node = Node::start(switches);
    let admin = Admin::of(&node);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let (ann, bob) = (
        client(&node, "ann", dedupes).await,
        client(&node, "bob", dedupes).await,
    );
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
    let ann = client(&node, "ann", true).await;
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
