//! The real device: the only module that reads a clock or draws randomness.

use std::{
    fmt,
    hash::{BuildHasher, Hasher, RandomState},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rustls::crypto::SecureRandom;

use crate::{
    adapters::net::tls,
    domain::{
        ports::Platform,
        time::{Tick, WallTime},
    },
};

/// Clocks and entropy of the operating system.
///
/// # Platform
/// The tick stands still while a phone, a Mac or a Linux machine sleeps: safe Rust offers no
/// monotonic clock that counts sleep. The wall clock does count it, so whoever resumes compares
/// both, or acts on the app's foreground signal.
pub struct SystemPlatform {
    start: Instant,
    entropy: &'static dyn SecureRandom,
}

impl SystemPlatform {
    /// The device this program runs on; its ticks count from now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where time enters"
    )]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            entropy: tls::provider().secure_random,
        }
    }
}

impl Default for SystemPlatform {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SystemPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemPlatform")
    }
}

impl Platform for SystemPlatform {
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where time enters"
    )]
    fn tick(&self) -> Tick {
        Tick::from_start(Instant::now().saturating_duration_since(self.start))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter is where time enters"
    )]
    fn wall(&self) -> WallTime {
        WallTime::from_millis(millis_since_epoch(SystemTime::now()))
    }

    fn fill_entropy(&self, buffer: &mut [u8]) {
        if self.entropy.fill(buffer).is_err() {
            fill_without_the_system(buffer);
        }
    }
}

/// Negative for a clock set before 1970, never a panic.
fn millis_since_epoch(now: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    match now.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => whole(before.duration()).saturating_neg(),
    }
}

/// The system refused entropy, which no supported system does once booted. Keys need to be unique,
/// not secret: the standard library's per-process random hash keys are enough for that.
fn fill_without_the_system(buffer: &mut [u8]) {
    for chunk in buffer.chunks_mut(8) {
        let drawn = RandomState::new().build_hasher().finish().to_le_bytes();
        for (byte, random) in chunk.iter_mut().zip(drawn) {
            *byte = random;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_never_go_back_and_keys_of_one_moment_differ() {
        let platform = SystemPlatform::new();
        let earlier = platform.tick();
        assert!(platform.tick() >= earlier);
        assert_ne!(platform.mint(), platform.mint());
    }

    #[test]
    fn the_fallback_fills_every_byte_differently_each_time() {
        let (mut one, mut two) = ([0; 20], [0; 20]);
        fill_without_the_system(&mut one);
        fill_without_the_system(&mut two);
        assert_ne!(one, two);
        assert_ne!(one.get(16..), Some([0; 4].as_slice()));
    }

    #[test]
    fn f39_a_clock_before_1970_is_negative_not_a_panic() {
        let before = UNIX_EPOCH - Duration::from_millis(5);
        assert_eq!(millis_since_epoch(before), -5);
    }
}
