//! The poll timer beside a socket that is not live.

use std::time::Duration;

use super::PollPolicy;
use crate::domain::{retry::RetryClass, time::Tick};

/// When to poll next, and how the last poll went.
#[derive(Clone, Debug, Default)]
pub(super) struct Poll {
    due: Option<Tick>,
    in_flight: bool,
    running: bool,
    announced: bool,
    succeeds: Option<bool>,
    failures: u32,
    last_activity: Tick,
    last_end: Option<Tick>,
    /// The server asked for quiet until then: no reason whatever reads sooner.
    quiet_until: Tick,
}

impl Poll {
    pub(super) fn due(&self) -> Option<Tick> {
        let due = self.due.filter(|_| !self.in_flight);
        due.map(|due| due.max(self.quiet_until))
    }

    pub(super) fn hush(&mut self, until: Tick) {
        self.quiet_until = self.quiet_until.max(until);
    }

    pub(super) const fn quiet_until(&self) -> Tick {
        self.quiet_until
    }

    pub(super) const fn in_flight(&self) -> bool {
        self.in_flight
    }

    /// Whether the last poll succeeded; `None` while polling never ended one.
    pub(super) const fn succeeds(&self) -> Option<bool> {
        if self.running { self.succeeds } else { None }
    }

    pub(super) fn active(&mut self, now: Tick) {
        self.last_activity = self.last_activity.max(now);
    }

    /// Poll at the given time, or sooner if that was planned.
    pub(super) fn at(&mut self, due: Tick) {
        self.due = Some(self.due.map_or(due, |planned| planned.min(due)));
    }

    /// Begins to poll at the given time; polls that run already keep their cadence.
    pub(super) fn begin(&mut self, due: Tick) {
        if !self.running {
            self.at(due);
        }
    }

    /// Brings a planned poll forward to the cadence of recent activity.
    pub(super) fn no_later_than(&mut self, now: Tick, policy: &PollPolicy) {
        let base = self.last_end.unwrap_or(now);
        self.at(base + policy.cadence(now.since(self.last_activity)));
    }

    /// Starts a poll where one is due.
    pub(super) fn start(&mut self, now: Tick, held: bool) -> bool {
        let starts = !held && self.due().is_some_and(|due| now >= due);
        if starts {
            self.in_flight = true;
            self.due = None;
            self.running = true;
        }
        starts
    }

    /// Whether polling is new since it last stopped; answers yes once.
    pub(super) const fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.announced, true)
    }

    pub(super) fn done(
        &mut self,
        now: Tick,
        succeeded: bool,
        retry: Option<RetryClass>,
        policy: &PollPolicy,
    ) {
        self.in_flight = false;
        if !self.running {
            return;
        }
        self.last_end = Some(now);
        self.succeeds = Some(succeeded);
        self.failures = if succeeded {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let cadence = policy.cadence(now.since(self.last_activity));
        let wait = match retry {
            Some(RetryClass::After(wait)) => wait.max(cadence),
            // A failing poll slows down to the idle cadence, and never stops.
            Some(_) => cadence
                .saturating_mul(self.failures.min(5))
                .min(policy.idle.max(cadence)),
            None => cadence,
        };
        self.due = Some(now + wait.max(Duration::from_secs(1).min(cadence)));
    }

    /// Ends polling; says whether it had begun.
    pub(super) const fn stop(&mut self) -> bool {
        self.due = None;
        self.in_flight = false;
        self.running = false;
        self.succeeds = None;
        self.failures = 0;
        std::mem::replace(&mut self.announced, false)
    }
}
