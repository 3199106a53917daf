//! How long a client that is busy sending takes to be suspended: writes ended, files closed, locks
//! released.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tidings::{
    Config,
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{connection::ConnectionState, ids::ConversationId, outbox::SendMode},
};

use crate::{
    device::{self, Device},
    measure::Samples,
    report::Finding,
    store::{self, runtime, text},
};

const ROUNDS: usize = 300;
/// Conversations with a live socket.
const OPEN: usize = 4;
/// Messages accepted right before each suspension, half of them on their way when it is asked for.
const BURST: usize = 8;

/// The time below which ninety-nine of a hundred suspensions stay, in seconds.
pub(crate) fn under_load() -> Vec<Finding> {
    let samples = runtime().block_on(suspended());
    let found = Finding::at_most("suspend_seconds", samples.below(0.99), 0.2, ROUNDS)
        .note("middle", samples.below(0.5))
        .note("nine of ten", samples.below(0.9))
        .note("longest", samples.below(1.0));
    vec![found]
}

async fn suspended() -> Samples {
    let backend = device::backend();
    let home = store::directory();
    let options = SqliteOptions {
        shared: true,
        ..SqliteOptions::new(home.path().join("chat.db"))
    };
    let repository = SqliteRepository::open(options).unwrap();
    let device = Device::on(&backend.url(), Config::default(), repository).await;
    let mut conversations = Vec::new();
    let mut handles = Vec::new();
    for _ in 0..OPEN {
        let id = device.create().await;
        handles.push(device.open(&id, ConnectionState::Live).await);
        conversations.push(id);
    }
    let mut samples = Samples::default();
    for round in 0..ROUNDS {
        burst(&device, &conversations, round).await;
        // Some at once, some when answers stream in.
        let pause = Duration::from_millis(u64::try_from(round % 20).unwrap());
        tokio::time::sleep(pause).await;
        let start = Instant::now();
        device.client.suspend().await.unwrap();
        samples.push(start.elapsed());
        assert_eq!(open_files(home.path()), 0, "a file is open while suspended");
        device.client.foreground();
        device::soon("the store is open again", reopened(&device)).await;
    }
    drop(handles);
    device.client.shutdown().await;
    backend.stop().await;
    samples
}

async fn burst(device: &Device, conversations: &[ConversationId], round: usize) {
    let sends = (0..BURST).map(|n| {
        let id = conversations[n % conversations.len()].clone();
        let said = text(round * BURST + n);
        device.client.send(id, said, SendMode::Durable)
    });
    for sent in join_all(sends).await {
        sent.unwrap();
    }
}

async fn reopened(device: &Device) {
    while device.client.outbox().await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Files below the store's directory that this process has open, where the system tells.
fn open_files(home: &std::path::Path) -> usize {
    let home = std::fs::canonicalize(home).unwrap();
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return 0;
    };
    let targets = open.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.starts_with(&home)).count()
}
