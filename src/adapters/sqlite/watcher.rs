//! A thread that looks up now and then: did another process commit, did the owner die?
//!
//! Neither SQLite nor a file lock can wake anybody, so somebody has to ask.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Between two looks at the file's change counter: below what a user feels, and a look is one
/// read of shared memory.
const LOOK: Duration = Duration::from_millis(100);

/// How many looks pass between two tries for the lock: a hand-over may take a moment longer.
const LOOKS_PER_TRY: u32 = 2;

/// Ends the watch at once, however long its pause.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(super) fn stop(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Pauses; `false` once stopped.
    fn pause(&self) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(stopped, LOOK, |stopped| !*stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Looks and tries until stopped.
pub(super) fn watch(stop: &Stop, look: impl Fn(), try_lock: impl Fn()) {
    let mut looks = 0_u32;
    while stop.pause() {
        looks = looks.wrapping_add(1);
        look();
        if looks.is_multiple_of(LOOKS_PER_TRY) {
            try_lock();
        }
    }
}
