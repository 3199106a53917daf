//! Reading the history again beside a socket that works: a frame was lost, or a read failed.

use std::time::Duration;

use crate::{domain::time::Tick, engine::sooner};

/// A lost frame is made up for within two seconds, and at most this often.
const RESYNC_AFTER: Duration = Duration::from_millis(500);

/// A read that failed is repeated after this long; each further failure doubles it.
const REREAD_AFTER: Duration = Duration::from_secs(2);

/// No read that failed is repeated later than this, unless the server asks for more.
const REREAD_MOST: Duration = Duration::from_secs(60);

/// When to read again, and how that went.
#[derive(Clone, Debug, Default)]
pub(super) struct Resync {
    due: Option<Tick>,
    last: Option<Tick>,
    /// Failed reads in a row.
    failures: u32,
}

impl Resync {
    /// When the read is due, where the server wants quiet until then.
    pub(super) fn due(&self, quiet_until: Tick) -> Option<Tick> {
        self.due.map(|due| due.max(quiet_until))
    }

    /// Starts the read where it is due.
    pub(super) fn start(&mut self, now: Tick, quiet_until: Tick) -> bool {
        let starts = self.due(quiet_until).is_some_and(|due| now >= due);
        if starts {
            self.due = None;
            self.last = Some(now);
        }
        starts
    }

    /// A frame was lost: soon, and not at every one.
    pub(super) fn lost_frame(&mut self, now: Tick) {
        let earliest = self.last.map_or(now, |last| last + RESYNC_AFTER * 4);
        self.by((now + RESYNC_AFTER).max(earliest));
    }

    /// What is missing may be there by now.
    pub(super) const fn at_once(&mut self, now: Tick) {
        self.due = Some(now);
    }

    pub(super) fn failed(&mut self, now: Tick) {
        let wait = REREAD_AFTER.saturating_mul(1 << self.failures.min(5));
        self.failures = self.failures.saturating_add(1);
        self.by(now + wait.min(REREAD_MOST));
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    pub(super) const fn stop(&mut self) {
        self.due = None;
    }

    fn by(&mut self, due: Tick) {
        self.due = sooner(self.due, Some(due));
    }
}
