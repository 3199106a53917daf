//! Everything done without a network, then the reference backend is there again.

use tidings::domain::{
    delivery::DeliveryState,
    outbox::{OutboxEntry, SendMode},
    ports::NewConversation,
};
use tidings_backend::{Action, Backend, BackendConfig, Network, On, Rule};

use crate::support::{Device, answered, backend, backend_with, soon};

fn extended() -> Backend {
    backend_with(BackendConfig {
        extensions: true,
        ..BackendConfig::default()
    })
}

async fn settled(device: &Device) {
    let mut outbox = device.client.observe_outbox();
    soon("an empty outbox", async {
        while !outbox.next().await.unwrap().is_empty() {}
    })
    .await;
}

// covers: G3
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_offline_is_done_when_the_network_is_back() {
    let backend = extended();
    let device = Device::extended(&backend.url()).await;
    let id = device.create().await;
    let chat = device.client.open(id.clone());
    let first = chat.send("first words").await.unwrap().id;
    device
        .until(&id, "the answer", |rows| answered(rows, "first words"))
        .await;
    let second = chat.send("regretted").await.unwrap().id;
    device
        .until(&id, "the answer", |rows| answered(rows, "regretted"))
        .await;

    backend.network(Network::Refuse).unwrap();
    device.client.edit_message(first, "better").await.unwrap();
    device.client.delete_message(second).await.unwrap();
    device.client.mark_read(id.clone()).await.unwrap();
    let last = chat.send("last words").await.unwrap().id;
    device.client.complete(id.clone()).await.unwrap();
    let begun = device
        .client
        .begin_conversation(NewConversation {
            persona: Some("triage".to_owned()),
            ..NewConversation::default()
        })
        .await
        .unwrap();
    let opening = device
        .client
        .send(begun.id.clone(), "a new start", SendMode::Durable)
        .await
        .unwrap()
        .id;
    let waiting = device.client.outbox().await.unwrap();
    assert_eq!(waiting.len(), 7, "{waiting:?}");
    assert!(waiting.iter().all(OutboxEntry::blocks));

    backend.network(Network::Up).unwrap();
    device
        .client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    settled(&device).await;
    let texts: Vec<_> = backend
        .messages(id.as_str())
        .into_iter()
        .filter(|row| row.role == "user")
        .map(|row| row.content)
        .collect();
    assert_eq!(texts.first().map(String::as_str), Some("better"));
    assert!(texts.contains(&"last words".to_owned()));
    assert!(!texts.contains(&"regretted".to_owned()));
    let row = device.client.conversation(&id).await.unwrap().unwrap();
    assert_eq!((row.status(), row.completing), (Some("completed"), false));
    let bound = device
        .client
        .conversation(&begun.id)
        .await
        .unwrap()
        .unwrap();
    assert!(!bound.id.is_local());
    device
        .until(&bound.id, "its answer", |rows| {
            answered(rows, "a new start")
        })
        .await;
    for key in [last, opening] {
        let story = device.client.explain(key).await.unwrap();
        let state = story.journal.last().map(|entry| entry.state);
        assert_eq!(state, Some(DeliveryState::Sent));
    }
    device.client.shutdown().await;
    backend.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_whose_answer_is_lost_leaves_one_conversation() {
    for extensions in [true, false] {
        let backend = if extensions { extended() } else { backend() };
        let device = if extensions {
            Device::extended(&backend.url()).await
        } else {
            Device::start(&backend.url(), crate::support::quick()).await
        };
        let lost = Rule::new(On::Http, Action::LostAck)
            .method("POST")
            .path("/api/v1/consultations");
        backend.faults().add(lost).unwrap();
        let begun = device
            .client
            .begin_conversation(NewConversation {
                persona: Some("triage".to_owned()),
                ..NewConversation::default()
            })
            .await
            .unwrap();
        settled(&device).await;
        let refreshed = device.client.refresh_conversations().await.unwrap();
        assert_eq!(refreshed.listed, 1);
        let row = device
            .client
            .conversation(&begun.id)
            .await
            .unwrap()
            .unwrap();
        assert!(!row.id.is_local());
        device.client.shutdown().await;
        backend.stop().await;
    }
}
