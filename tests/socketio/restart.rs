//! The server's process is killed, and another one takes its place.
//!
//! What a client would learn by chance must not hide what a send does: nobody polls and nobody
//! redials by himself here, so an attempt whose end is unknown is settled by the outbox alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidings::{
    ChatClient, ConversationHandle, NetworkChange,
    domain::{
        delivery::DeliveryState,
        ids::{ClientMessageId, ConversationId},
        message::Message,
    },
};

use crate::{
    app::{App, live, texts, until},
    node::Node,
    support::{Admin, id, within},
};

/// Where in a send the server may die: before it stored the message, with it stored and nobody told
/// of it, and with everybody told but its sender.
const MOMENTS: [&str; 3] = ["heard", "stored", "told"];

/// One of two people who write.
struct Writer {
    name: &'static str,
    client: ChatClient,
    open: ConversationHandle,
    chat: ConversationId,
    sent: Vec<ClientMessageId>,
}

impl Writer {
    async fn of(node: &Node, name: &'static str, dedupes: bool) -> Self {
        let mut app = App::of(node, name).await;
        app.socketio.dedupes = dedupes;
        for (key, value) in [
            ("reconnect.base", "1h"),
            ("reconnect.max", "1h"),
            ("poll.adaptive", "false"),
            ("poll.fixed", "1h"),
            ("send.max", "200ms"),
        ] {
            app.core.set(key, value).expect("a setting");
        }
        let client = app.start().await;
        client.refresh_conversations().await.expect("a list");
        let chat = id("Booking:b1");
        let open = client.open(chat.clone());
        live(&client, &open).await;
        Self {
            name,
            client,
            open,
            chat,
            sent: Vec::new(),
        }
    }

    /// The next message; known again by its number.
    async fn send(&mut self) -> ClientMessageId {
        // The server cleans it of marks: nobody knows it again by its exact text.
        let text = format!("<b>{}</b> {}", self.name, self.sent.len());
        let row = self.open.send(text).await.expect("accepted");
        self.sent.push(row.id);
        row.id
    }

    fn due(&self) -> Vec<String> {
        let numbers = 0..self.sent.len();
        numbers.map(|n| format!("{} {n}", self.name)).collect()
    }

    /// Waits until an attempt at this message has come to an end.
    async fn tried(&self, message: ClientMessageId) {
        let mut lists = self.client.observe_outbox();
        let wait = async {
            loop {
                let list = lists.next().await.expect("a list");
                let entry = list.iter().find(|entry| entry.id == message);
                // Gone: its own echo came before the end.
                if entry.is_none_or(|entry| entry.state != DeliveryState::Sending) {
                    return;
                }
            }
        };
        within(wait).await;
    }

    /// Waits until all of its messages are on the server.
    async fn settled(&self) {
        for message in &self.sent {
            within(self.client.wait_for_delivery(*message))
                .await
                .expect("a fate");
        }
    }

    /// The network tells that it is there again.
    async fn back(&self) {
        self.client.network_changed(NetworkChange::Up);
        live(&self.client, &self.open).await;
    }
}

/// Two people write while the server dies at every moment of a send, dies between two, and loses an
/// answer before it dies.
async fn through_restarts(switches: &[&str], dedupes: bool) {
    let journal = tempfile::NamedTempFile::new().expect("a file");
    let store = format!("--store={}", journal.path().display());
    let mut node = Node::start(&[switches, &[&store]].concat());
    let channel = Admin::of(&node).booking("b1", &["ann", "bob"]).await;
    let mut ann = Writer::of(&node, "ann", dedupes).await;
    let mut bob = Writer::of(&node, "bob", dedupes).await;
    for moment in MOMENTS {
        Admin::of(&node)
            .tell("die", json!({ "when": moment }))
            .await;
        let hit = ann.send().await;
        node.wait();
        ann.tried(hit).await;
        for writer in [&mut ann, &mut bob] {
            writer.send().await;
        }
        node.start_again();
        come_back(&mut [&mut ann, &mut bob]).await;
    }
    // The others have it, its sender waits for an answer that never comes, and the server dies.
    Admin::of(&node)
        .tell("lose-acks", json!({ "count": 1 }))
        .await;
    let hit = ann.send().await;
    let known = |rows: &[Message]| texts(rows).last() == ann.due().last();
    until(&bob.client, &bob.chat, known).await;
    node.kill();
    ann.tried(hit).await;
    node.start_again();
    come_back(&mut [&mut ann, &mut bob]).await;
    told_once(journal.path(), dedupes);
    agree(&Admin::of(&node).stored(&channel).await, &[&ann, &bob]).await;
}

/// What is left is sent, and some more; only then does anybody look at what came meanwhile.
async fn come_back(writers: &mut [&mut Writer; 2]) {
    for writer in &mut *writers {
        writer.send().await;
    }
    for writer in writers.iter() {
        writer.settled().await;
    }
    for writer in writers.iter() {
        writer.back().await;
    }
}

/// Both show what the server has, and that is what was accepted: each once, in the order of sending.
async fn agree(stored: &[String], writers: &[&Writer]) {
    for writer in writers {
        let own = stored.iter().filter(|text| text.starts_with(writer.name));
        let own: Vec<_> = own.cloned().collect();
        assert_eq!(own, writer.due(), "each once, in the order of sending");
    }
    for writer in writers {
        let whole = |rows: &[Message]| {
            texts(rows) == stored && rows.iter().all(|row| row.state >= DeliveryState::Sent)
        };
        until(&writer.client, &writer.chat, whole).await;
        writer.client.shutdown().await;
    }
}

/// The server's own record: whoever was asked again was asked for the same thing.
fn told_once(journal: &std::path::Path, dedupes: bool) {
    let record = std::fs::read_to_string(journal).expect("the journal");
    let entries = record
        .lines()
        .map(|line| serde_json::from_str(line).expect("an entry"));
    let mut keys: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in entries.filter(|entry: &Value| entry["does"] == "say") {
        let text = entry["content"].as_str().expect("a text").to_owned();
        keys.entry(text).or_default().push(entry["key"].clone());
    }
    for (text, keys) in &keys {
        let one = keys.iter().all(|key| key == &keys[0]);
        assert!(one && keys[0].is_string() == dedupes, "{text}: {keys:?}");
    }
    let again = keys.values().any(|keys| keys.len() > 1);
    assert_eq!(
        again, dedupes,
        "only a server that knows keys is asked again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_that_comes_back_loses_doubles_and_disorders_nothing() {
    through_restarts(&[], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_would_have_recovered_comes_from_the_history() {
    through_restarts(&["--recovery"], true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_that_knows_no_keys_still_stores_everything_once() {
    through_restarts(&["--dedupe=off"], false).await;
}
