//! Twenty turns over the socket, against an app that posts and then polls the whole history.
//!
//! The floor is really done, against the same backend: per turn one POST and 15 GETs of all
//! messages so far (a poll every two seconds while an answer takes half a minute), by a client
//! with the fewest headers there can be. Most of its GETs come before the answer is stored, which
//! favours it.

use tidings::{Config, domain::connection::ConnectionState};
use tidings_backend::{Backend, Traffic};

use crate::{
    device::{self, Device, soon},
    http::{Http, messages},
    report::Finding,
    store::{runtime, text},
};

const TURNS: usize = 20;
const POLLS: usize = 15;
const BOUND: f64 = 0.1;

/// What a way to chat cost.
struct Cost {
    calls: usize,
    bytes: u64,
}

/// Calls and bytes, the upgrade and every read of the history counted.
// covers: G16
pub(crate) fn twenty() -> Vec<Finding> {
    let runtime = runtime();
    let ours = runtime.block_on(ours());
    let floor = runtime.block_on(floor());
    let calls = ours.calls as f64 / floor.calls as f64;
    let bytes = ours.bytes as f64 / floor.bytes as f64;
    vec![
        Finding::at_most("calls_20_turns", calls, BOUND, TURNS)
            .note("calls", ours.calls as f64)
            .note("against", floor.calls as f64),
        Finding::at_most("bytes_20_turns", bytes, BOUND, TURNS)
            .note("bytes", ours.bytes as f64)
            .note("against", floor.bytes as f64),
    ]
}

async fn ours() -> Cost {
    let backend = device::backend();
    let device = Device::start(&backend.url(), Config::default(), |store| store).await;
    let id = device.create().await;
    let before = backend.traffic();
    backend.forget_records();
    let chat = device.open(&id, ConnectionState::Live).await;
    for turn in 0..TURNS {
        chat.send(question(turn)).await.unwrap();
        device.until_answered(&id, &question(turn)).await;
    }
    let calls = backend.requests().len();
    assert!(
        backend.requests().iter().any(|call| call.upgrade),
        "the socket counts"
    );
    let bytes = spent(before, backend.traffic());
    assert_eq!(backend.messages(id.as_str()).len(), 2 * TURNS);
    drop(chat);
    device.client.shutdown().await;
    backend.stop().await;
    Cost { calls, bytes }
}

async fn floor() -> Cost {
    let backend = device::backend();
    // Only to create the conversation in the same way.
    let device = Device::start(&backend.url(), Config::default(), |store| store).await;
    let id = device.create().await;
    device.client.shutdown().await;
    let before = backend.traffic();
    backend.forget_records();
    let mut http = Http::to(backend.addr());
    for turn in 0..TURNS {
        http.post(id.as_str(), &question(turn));
        http.answer();
        for _ in 0..POLLS {
            http.get(&format!("{}?limit=100", messages(id.as_str())));
        }
        soon("the answer", answered(&backend, id.as_str(), turn)).await;
    }
    let calls = backend.requests().len();
    assert_eq!(calls, TURNS * (1 + POLLS));
    let bytes = spent(before, backend.traffic());
    backend.stop().await;
    Cost { calls, bytes }
}

async fn answered(backend: &Backend, id: &str, turn: usize) {
    let stored = 2 * (turn + 1);
    backend
        .wait_until(|seen| !seen.is_answering(id) && seen.messages(id).len() == stored)
        .await;
}

/// What people type: some eighty characters.
fn question(turn: usize) -> String {
    text(turn).chars().take(80).collect()
}

const fn spent(before: Traffic, after: Traffic) -> u64 {
    after.received + after.sent - before.received - before.sent
}
