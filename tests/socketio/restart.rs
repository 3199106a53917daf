//! The server's process is killed, and another one takes its place.

use serde_json::json;
use tidings::domain::{delivery::DeliveryState, message::Message};

use crate::{
    app::{App, texts, until},
    node::Node,
    support::{Admin, id},
};

fn on_server(rows: &[Message]) -> usize {
    rows.iter().filter(|row| row.server_id.is_some()).count()
}

/// Twenty messages of each of two people, while the server is killed twice and comes back.
async fn through_restarts(switches: &[&str]) {
    let journal = tempfile::NamedTempFile::new().expect("a file");
    let store = format!("--store={}", journal.path().display());
    let mut node = Node::start(&[switches, &[&store]].concat());
    let channel = Admin::of(&node).booking("b1", &["ann", "bob"]).await;
    let apps = [App::of(&node, "ann").await, App::of(&node, "bob").await];
    let (ann, bob) = (apps[0].start().await, apps[1].start().await);
    let chat = id("Booking:b1");
    for client in [&ann, &bob] {
        client.refresh_conversations().await.expect("a list");
    }
    let mut known = 0;
    let (at_ann, at_bob) = (ann.open(chat.clone()), bob.open(chat.clone()));
    for number in 0..20 {
        if number == 5 {
            // From here on nobody hears that a message was stored.
            let count = json!({ "count": 1000 });
            Admin::of(&node).tell("lose-acks", count).await;
            known = Admin::of(&node).stored(&channel).await.len();
        }
        at_ann
            .send(format!("ann {number}"))
            .await
            .expect("accepted");
        at_bob
            .send(format!("bob {number}"))
            .await
            .expect("accepted");
        match number {
            5 => {
                // It dies with something stored that its sender does not know of.
                let more = |rows: &[Message]| on_server(rows) > known;
                until(&bob, &chat, more).await;
                node.kill();
            }
            9 => node.start_again(),
            12 => {
                node.kill();
                node.start_again();
            }
            _ => {}
        }
    }
    let whole = |rows: &[Message]| {
        rows.len() == 40 && rows.iter().all(|row| row.state >= DeliveryState::Sent)
    };
    let at_ann = texts(&until(&ann, &chat, whole).await);
    let at_bob = texts(&until(&bob, &chat, whole).await);
    let stored = Admin::of(&node).stored(&channel).await;
    assert_eq!(at_ann, stored, "once, in the server's order");
    assert_eq!(at_bob, stored, "once, in the server's order");
    for user in ["ann", "bob"] {
        let own: Vec<_> = stored
            .iter()
            .filter(|text| text.starts_with(user))
            .collect();
        let due: Vec<_> = (0..20).map(|number| format!("{user} {number}")).collect();
        assert_eq!(
            own,
            due.iter().collect::<Vec<_>>(),
            "in the order of sending"
        );
    }
    ann.shutdown().await;
    bob.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_that_comes_back_loses_doubles_and_disorders_nothing() {
    through_restarts(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_would_have_recovered_comes_from_the_history() {
    through_restarts(&["--recovery"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_that_knows_no_keys_still_stores_everything_once() {
    through_restarts(&["--dedupe=off"]).await;
}
