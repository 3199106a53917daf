//! A hundred messages pushed at once: how often the store commits, and how much it writes.

use serde_json::json;
use tidings::{Config, domain::connection::ConnectionState};

use crate::{
    device::{self, Device, soon},
    report::Finding,
    store::{runtime, server_id, text},
    watched::Notes,
};

const MESSAGES: usize = 100;

/// Commits a message (each sync belongs to one of them), and bytes of the log a message.
pub(crate) fn pushed() -> Vec<Finding> {
    runtime().block_on(measure())
}

async fn measure() -> Vec<Finding> {
    let (backend, notes) = (device::backend(), Notes::default());
    let watch = |store| notes.on(store);
    let device = Device::start(&backend.url(), Config::default(), watch).await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    device.quiet().await;
    let (commits, bytes) = (notes.commits(), device.log_bytes());
    assert_eq!(backend.push(id.as_str(), frame(id.as_str())), 1);
    soon("the burst", device.until_stored(&id, MESSAGES)).await;
    device.quiet().await;
    let commits = (notes.commits() - commits) as f64 / MESSAGES as f64;
    let bytes = (device.log_bytes() - bytes) as f64 / MESSAGES as f64;
    drop(chat);
    device.client.shutdown().await;
    backend.stop().await;
    vec![
        Finding::at_most("burst_commits", commits, 0.02, MESSAGES),
        Finding::at_most("burst_bytes", bytes, 8192.0, MESSAGES),
    ]
}

/// One frame of many documents, as servers send them under load.
fn frame(conversation: &str) -> String {
    let document = |number| {
        let message = json!({
            "id": server_id(number), "consultation_id": conversation, "role": "assistant",
            "content": text(number), "created_at": "2026-11-21T10:00:00Z",
        });
        json!({ "type": "message", "message": message }).to_string()
    };
    (0..MESSAGES).map(document).collect::<Vec<_>>().join("\n")
}
