//! The story of a run, and its hash.

use std::{
    fmt::{self, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::time::Instant;

/// Whether the story is printed while it happens: for a run that does not end.
pub(crate) static LIVE: AtomicBool = AtomicBool::new(false);

/// What happened, in order, by virtual time.
#[derive(Debug)]
pub(crate) struct Trace {
    started: Instant,
    hash: u64,
    lines: Vec<String>,
    buffer: String,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            hash: 0xcbf2_9ce4_8422_2325,
            lines: Vec::new(),
            buffer: String::new(),
        }
    }

    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        let at = self.started.elapsed().as_millis();
        self.buffer.clear();
        let _ = write!(self.buffer, "{:>9}.{:03} {what}", at / 1000, at % 1000);
        for byte in self.buffer.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if LIVE.load(Ordering::Relaxed) {
            println!("{}", self.buffer);
        }
        self.lines.push(self.buffer.clone());
    }

    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
