//! When the server is gone: it asks for a sign of life, and its silence has a deadline.
//!
//! The deadline is kept on two clocks. The monotonic one stands still while a device sleeps, so that
//! a woken device would believe for most of a minute in a server that hung up long ago; the wall
//! clock runs on. Whichever passes first ends the session, and it is asked before each write.

use std::time::Duration;

use crate::domain::time::{Tick, WallTime};

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On the monotonic one.
    pub tick: Tick,
    /// On the wall.
    pub wall: WallTime,
}

/// The deadline of one session.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    patience: Duration,
    until: Moment,
}

impl Heartbeat {
    /// Begins with the handshake; `patience` is the server's interval and its timeout together.
    #[must_use]
    pub fn new(patience: Duration, now: Moment) -> Self {
        let mut beat = Self {
            patience,
            until: now,
        };
        beat.asked(now);
        beat
    }

    /// The server asked for a sign of life. Nothing else moves the deadline: that is how every
    /// client of this protocol counts, and data alone may come from a buffer on the way.
    pub fn asked(&mut self, now: Moment) {
        self.until = Moment {
            tick: now.tick + self.patience,
            wall: now.wall + self.patience,
        };
    }

    /// Whether the server is gone.
    #[must_use]
    pub fn is_over(&self, now: Moment) -> bool {
        now.tick >= self.until.tick || now.wall >= self.until.wall
    }

    /// How long it may still be silent.
    #[must_use]
    pub fn left(&self, now: Moment) -> Duration {
        let by_tick = self.until.tick.since(now.tick);
        by_tick.min(now.wall.until(self.until.wall))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(45);

    fn at(tick: u64, wall: i64) -> Moment {
        Moment {
            tick: Tick::from_start(Duration::from_secs(tick)),
            wall: WallTime::from_millis(wall * 1000),
        }
    }

    #[test]
    fn only_the_servers_question_moves_the_deadline() {
        let mut beat = Heartbeat::new(PATIENCE, at(0, 1000));
        assert_eq!(beat.left(at(44, 1044)), Duration::from_secs(1));
        assert!(!beat.is_over(at(44, 1044)));
        assert!(beat.is_over(at(45, 1045)));
        beat.asked(at(25, 1025));
        assert!(!beat.is_over(at(69, 1069)));
        assert!(beat.is_over(at(70, 1070)));
    }

    #[test]
    fn a_device_that_slept_does_not_believe_in_the_session() {
        let beat = Heartbeat::new(PATIENCE, at(0, 1000));
        let woken = at(1, 1000 + 3600);
        assert!(beat.is_over(woken));
        assert_eq!(beat.left(woken), Duration::ZERO);
    }

    #[test]
    fn a_wall_clock_set_back_keeps_no_dead_session_alive() {
        let beat = Heartbeat::new(PATIENCE, at(0, 1000));
        assert!(beat.is_over(at(45, 10)));
        assert_eq!(beat.left(at(40, 10)), Duration::from_secs(5));
    }
}
