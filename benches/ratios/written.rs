//! What a history of ten thousand messages makes the store write, its log and its checkpoints
//! included, as the kernel counts it for this process, which does nothing else meanwhile. Most of
//! the full-text index follows in idle moments, after the measurement.

use std::sync::Arc;

use tidings::{adapters::sqlite::Executor, domain::ports::ChatRepository};

use crate::{
    report::Finding,
    store::{self, history_row},
};

const MESSAGES: usize = 10_000;
const PAGE: usize = 100;

/// Bytes written a message, and how many of the store's transactions may each cost a sync.
pub(crate) fn history() -> Vec<Finding> {
    let Some(before) = written() else {
        // Only Linux counts.
        return Vec::new();
    };
    let (home, runtime) = (store::directory(), store::runtime());
    let store: Arc<dyn ChatRepository> = store::open(&home, Executor::Thread, &runtime);
    let revision = store.revision();
    for first in (0..MESSAGES).step_by(PAGE) {
        let page = (first..first + PAGE).map(history_row).collect();
        runtime
            .block_on(store::merge_page(&store, page, first))
            .unwrap();
    }
    let commits = store.revision().0 - revision.0;
    runtime.block_on(store.close());
    let bytes = written().unwrap_or(before) - before;
    let each = |count: u64| count as f64 / MESSAGES as f64;
    vec![
        Finding::at_most("history_bytes", each(bytes), 8192.0, MESSAGES),
        Finding::at_most("history_commits", each(commits), 0.02, MESSAGES),
    ]
}

/// Bytes that this process has handed to the kernel to write into files.
pub(crate) fn written() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    let line = counts
        .lines()
        .find_map(|line| line.strip_prefix("wchar: "))?;
    line.parse().ok()
}
