//! The timings of a connection.

use std::time::Duration;

use crate::domain::retry::BackoffPolicy;

/// How often to poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollPolicy {
    /// Whether the cadence follows activity.
    pub adaptive: bool,
    /// Within 30 s of activity.
    pub active: Duration,
    /// Within 5 min of activity.
    pub recent: Duration,
    /// Later.
    pub idle: Duration,
    /// Where it does not follow activity.
    pub fixed: Duration,
    /// Never sooner than this after the last.
    pub floor: Duration,
}

impl PollPolicy {
    /// The time from one poll's end to the next poll.
    #[must_use]
    pub fn cadence(&self, since_activity: Duration) -> Duration {
        let wanted = match since_activity.as_secs() {
            _ if !self.adaptive => self.fixed,
            0..=30 => self.active,
            31..=300 => self.recent,
            _ => self.idle,
        };
        wanted.max(self.floor)
    }
}

/// The timings of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionPolicy {
    /// Whether a socket is used at all.
    pub websocket: bool,
    /// Deadline of the ready frame.
    pub ready_timeout: Duration,
    /// Silence before a probe in the background.
    pub keepalive_interval: Duration,
    /// Silence before a probe in the foreground.
    pub probe_after: Duration,
    /// Deadline of a probe's answer.
    pub probe_timeout: Duration,
    /// No probe comes sooner after the last byte.
    pub probe_floor: Duration,
    /// Redial delays.
    pub reconnect: BackoffPolicy,
    /// Redials in a row; zero for no limit.
    pub max_attempts: u32,
    /// A socket live this long resets the delays.
    pub stable: Duration,
    /// How often to poll.
    pub poll: PollPolicy,
}
