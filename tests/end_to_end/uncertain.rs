//! Sends whose outcome nobody told: found, or proved absent, never guessed.

use tidings::domain::{message::Message, outbox::SendMode};
use tidings_backend::{Action, On, Rule};

use crate::support::{Device, answered, backend, quick};

/// Own rows of a text.
fn copies(rows: &[Message], text: &str) -> usize {
    rows.iter()
        .filter(|row| row.own && row.text == text)
        .count()
}

// covers: F-27, F-28, INV-03, G2
#[tokio::test(flavor = "multi_thread")]
async fn l73_older_message_of_the_same_text_is_not_taken_for_a_lost_one() {
    let backend = backend();
    let first = Device::start(&backend.url(), quick()).await;
    let id = first.create().await;
    let chat = first.client.open(id.clone());
    chat.send("yes").await.unwrap();
    first
        .until(&id, "the first answer", |rows| answered(rows, "yes"))
        .await;
    first.client.shutdown().await;

    // A device that has never read this conversation, and a request that vanishes on the way.
    let mut config = quick();
    config.set("send.attempt_timeout", "500ms").unwrap();
    let second = Device::start(&backend.url(), config).await;
    backend
        .faults()
        .add(
            Rule::new(On::Http, Action::Drop)
                .method("POST")
                .path("*/messages"),
        )
        .unwrap();
    second
        .client
        .send(id.clone(), "yes", SendMode::Durable)
        .await
        .unwrap();
    let both = |rows: &[Message]| {
        copies(rows, "yes") == 2 && rows.iter().all(|row| row.server_id.is_some())
    };
    second.until(&id, "both", both).await;
    let stored = backend.messages(id.as_str());
    assert_eq!(stored.iter().filter(|row| row.role == "user").count(), 2);
    second.client.shutdown().await;
    backend.stop().await;
}
