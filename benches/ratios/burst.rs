//! Fifty times a hundred messages pushed at once: how often the store waits for the disk, how often
//! it commits, and how much it writes, until all of it is closed: log, checkpoints, the full-text
//! index and the last fold of the log included.

use std::sync::Arc;

use serde_json::json;
use tidings::{
    Config,
    domain::{connection::ConnectionState, ids::ConversationId, ports::ChatRepository},
};

use crate::{
    device::{self, Device, soon},
    report::Finding,
    store::{runtime, server_id, text},
    watched::Notes,
    written::written,
};

const BURST: usize = 100;
const BURSTS: usize = 50;
const MESSAGES: usize = BURST * BURSTS;

/// Syncs, commits and bytes a message.
pub(crate) fn pushed() -> Vec<Finding> {
    runtime().block_on(measure())
}

/// What has been counted so far.
#[derive(Clone, Copy)]
struct Counted {
    commits: usize,
    syncs: u64,
    bytes: u64,
}

impl Counted {
    /// `None` on systems that do not count.
    fn now(notes: &Notes) -> Option<Self> {
        Some(Self {
            commits: notes.commits(),
            syncs: tidings_syncs::so_far()?,
            bytes: written()?,
        })
    }
}

async fn measure() -> Vec<Finding> {
    let (backend, notes) = (device::backend(), Notes::default());
    let mut kept = None;
    let watch = |store: Arc<dyn ChatRepository>| notes.on(kept.insert(store).clone());
    let device = Device::start(&backend.url(), Config::default(), watch).await;
    let store = kept.unwrap();
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    device.quiet().await;
    let before = Counted::now(&notes);
    for burst in 0..BURSTS {
        let first = burst * BURST;
        assert_eq!(backend.push(id.as_str(), frame(id.as_str(), first)), 1);
        soon("the burst", until_stored(&store, &id, first + BURST)).await;
    }
    // The index follows in idle moments, and the log is folded in at the end.
    device.quiet().await;
    drop(chat);
    device.client.shutdown().await;
    let after = Counted::now(&notes);
    backend.stop().await;
    let Some((before, after)) = before.zip(after) else {
        return Vec::new();
    };
    let each = |count: u64| count as f64 / MESSAGES as f64;
    let commits = (after.commits - before.commits) as f64 / MESSAGES as f64;
    let (syncs, bytes) = (after.syncs - before.syncs, after.bytes - before.bytes);
    vec![
        Finding::at_most("burst_syncs", each(syncs), 0.02, MESSAGES).note("commits", commits),
        Finding::at_most("burst_bytes", each(bytes), 8192.0, MESSAGES),
    ]
}

async fn until_stored(store: &Arc<dyn ChatRepository>, id: &ConversationId, count: usize) {
    loop {
        let (seen, id) = (store.revision(), id.clone());
        let stored = store.view(move |rows| Ok(rows.conversation(&id)?.map(|row| row.stored)));
        if stored.await.unwrap() == Some(count as u64) {
            return;
        }
        store.changed(seen).await;
    }
}

/// One frame of many documents, as servers send them under load.
fn frame(conversation: &str, first: usize) -> String {
    let document = |number| {
        let message = json!({
            "id": server_id(number), "consultation_id": conversation, "role": "assistant",
            "content": text(number), "created_at": "2026-11-21T10:00:00Z",
        });
        json!({ "type": "message", "message": message }).to_string()
    };
    let documents = (first..first + BURST).map(document);
    documents.collect::<Vec<_>>().join("\n")
}
