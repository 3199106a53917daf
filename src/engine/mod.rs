//! Engines: pure machines. Input and time in, outputs and the next deadline out.
//!
//! No engine awaits, spawns, reads a clock or draws randomness of its own: `handle(now, input)`,
//! then drain `poll_output()`, then ask `poll_timeout()` when to come back with a tick. So a seed
//! is a whole story. Engines branch on capabilities, never on a backend's name.

pub mod connection;
pub mod draw;
pub mod outbox;
pub mod sync;
pub mod turn;

use crate::domain::time::Tick;

/// The earlier of two optional deadlines.
#[must_use]
pub(crate) fn sooner(a: Option<Tick>, b: Option<Tick>) -> Option<Tick> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
