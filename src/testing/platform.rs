//! A platform whose clock is tokio's (so a paused one is virtual) and whose entropy is a seed.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use crate::{
    domain::{
        ports::Platform,
        time::{Tick, WallTime},
    },
    engine::draw::Draw,
};

/// Clocks that follow tokio's time, and reproducible entropy.
#[derive(Debug)]
pub struct VirtualPlatform {
    started: tokio::time::Instant,
    wall_at_start: AtomicI64,
    draw: Mutex<Draw>,
}

impl VirtualPlatform {
    /// A platform that starts at the given wall-clock moment.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    #[must_use]
    pub fn new(seed: u64, wall: WallTime) -> Self {
        Self {
            started: tokio::time::Instant::now(),
            wall_at_start: AtomicI64::new(wall.as_millis()),
            draw: Mutex::new(Draw::new(seed)),
        }
    }

    /// Makes the wall clock jump; the monotonic one does not.
    pub fn jump_wall(&self, by: Duration, back: bool) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.wall_at_start
            .fetch_add(if back { -millis } else { millis }, Ordering::Relaxed);
    }
}

impl Platform for VirtualPlatform {
    fn tick(&self) -> Tick {
        Tick::from_start(self.started.elapsed())
    }

    fn wall(&self) -> WallTime {
        WallTime::from_millis(self.wall_at_start.load(Ordering::Relaxed)) + self.started.elapsed()
    }

    fn fill_entropy(&self, buffer: &mut [u8]) {
        let mut draw = self.draw.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            let bytes = draw.next_u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
