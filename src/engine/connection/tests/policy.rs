//! The shipped timings; `tests/stampede.rs` includes this file too.

use super::{BackoffPolicy, ConnectionPolicy, Duration, PollPolicy, secs};

/// The shipped timings.
pub(super) const fn policy() -> ConnectionPolicy {
    ConnectionPolicy {
        websocket: true,
        ready_timeout: secs(5),
        keepalive_interval: secs(25),
        probe_after: secs(7),
        probe_timeout: secs(4),
        probe_floor: Duration::ZERO,
        reconnect: BackoffPolicy {
            base: secs(2),
            max: secs(60),
        },
        max_attempts: 0,
        stable: secs(30),
        poll: PollPolicy {
            adaptive: true,
            active: secs(2),
            recent: secs(5),
            idle: secs(10),
            fixed: secs(3),
            floor: secs(1),
        },
    }
}
