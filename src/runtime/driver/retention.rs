//! Keeping the store within the limits that the app set: small passes, while it owns the store.

use std::{collections::BTreeSet, time::Duration};

use super::Driver;
use crate::domain::{ids::ConversationId, ports::Durability, rules::retention, sorting::filled};

/// After the start: opening the first screen comes first.
const FIRST: Duration = Duration::from_secs(60);

/// Between two passes while there is more to do.
const NEXT: Duration = Duration::from_secs(1);

/// Between two looks.
const REST: Duration = Duration::from_secs(3600);

/// Messages removed by one pass: some milliseconds.
const PASS: usize = 256;

impl Driver {
    pub(super) fn plan_retention(&mut self) {
        let limited = self.config.retention().is_limited();
        self.retention_due = limited.then(|| self.platform.tick() + FIRST);
    }

    /// One pass. Conversations that somebody looks at, or that are being read, are left alone.
    pub(super) async fn keep_retention(&mut self) {
        self.retention_due = Some(self.platform.tick() + REST);
        if !self.owner || self.asleep {
            return;
        }
        let (policy, now) = (self.config.retention(), self.platform.wall());
        let spared: BTreeSet<ConversationId> = filled(self.lanes.keys().cloned());
        let trim = self.repository.transact(Durability::Normal, move |rows| {
            retention::trim(rows, policy, now, &spared, PASS)
        });
        match trim.await {
            Ok(done) if done.more => self.retention_due = Some(self.platform.tick() + NEXT),
            Ok(_) => {}
            Err(error) => self.store_troubled(&error),
        }
    }
}
