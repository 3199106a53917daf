//! A poll that finds nothing new in a long conversation, where the history pages.

use std::time::Duration;

use tidings::{Config, domain::connection::ConnectionState};
use tidings_backend::{Backend, Traffic};

use crate::{
    device::{self, Device, soon},
    http::Http,
    report::Finding,
    store::{runtime, text},
};

const MESSAGES: usize = 1_000;
const POLLS: usize = 5;

/// All bytes of one such poll, heads included.
pub(crate) fn idle() -> Vec<Finding> {
    runtime().block_on(measure())
}

async fn measure() -> Vec<Finding> {
    let backend = device::backend();
    let mut config = Config::default();
    config.set("poll.active", "1s").unwrap();
    config.set("poll.recent", "1s").unwrap();
    config.set("poll.idle", "1s").unwrap();
    // No dials between the polls.
    config.set("websocket", "off").unwrap();
    let device = Device::start(&backend.url(), config, |store| store).await;
    let id = device.create().await;
    fill(&backend, id.as_str()).await;
    let stored = device.client.synchronise(id.clone()).await.unwrap();
    assert_eq!(stored, MESSAGES);
    let chat = device.open(&id, ConnectionState::Polling).await;
    let before = after_polls(&backend, 1).await;
    let after = after_polls(&backend, POLLS).await;
    let all = after.received + after.sent - before.received - before.sent;
    let each = all as f64 / POLLS as f64;
    drop(chat);
    device.client.shutdown().await;
    backend.stop().await;
    vec![Finding::at_most("idle_poll_bytes", each, 5120.0, POLLS).note("messages", MESSAGES as f64)]
}

/// A conversation of five hundred turns.
async fn fill(backend: &Backend, id: &str) {
    let mut http = Http::to(backend.addr());
    for turn in 0..MESSAGES / 2 {
        http.post(id, &text(turn));
        http.answer();
        let stored = 2 * (turn + 1);
        let answered = backend.wait_until(|seen| {
            !seen.is_answering(id) && (turn % 50 > 0 || seen.messages(id).len() == stored)
        });
        soon("an answer", answered).await;
    }
    assert_eq!(backend.messages(id).len(), MESSAGES);
}

/// Waits for so many polls, and tells all bytes until then. Between two polls is time enough for
/// the last bytes of one to leave.
async fn after_polls(backend: &Backend, times: usize) -> Traffic {
    backend.forget_records();
    let polled = backend.wait_until(|seen| polls(seen) >= times);
    soon("polls", polled).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(backend.requests().len(), times, "nothing but polls");
    backend.traffic()
}

/// How many reads of messages were answered.
fn polls(backend: &Backend) -> usize {
    let calls = backend.requests().into_iter();
    calls
        .filter(|call| call.path.ends_with("/messages") && call.duration_ms.is_some())
        .count()
}
