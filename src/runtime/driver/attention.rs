//! Attention across processes: who does not own the store says what it looks at, and the owner
//! connects it.
//!
//! A process that is not the owner keeps a lease for each conversation it has open, in the store;
//! the owner treats a lease as one more handle until it runs out.

use std::{collections::BTreeSet, time::Duration};

use super::Driver;
use crate::domain::{
    ids::ConversationId,
    ports::{Durability, Rows, chat_repository::RowResult},
    rules::salvage,
    sorting::filled,
    time::WallTime,
};

/// The setting that holds the leases, a line each: moment of expiry, then the conversation.
const SETTING: &str = salvage::ATTENTION;

/// A lease runs out this long after its holder last confirmed it: a killed one is soon forgotten.
const LEASE: Duration = Duration::from_secs(15);

/// How often a holder confirms, and the owner looks for leases that ran out.
const CONFIRM_EVERY: Duration = Duration::from_secs(5);

/// More conversations than any screen shows; what comes beyond is not connected.
const MOST: usize = 64;

impl Driver {
    /// Confirms this process's leases, or as the owner follows those of the others.
    pub(super) async fn keep_attention(&mut self) {
        if self.store_rests() {
            self.attention_due = None;
            return;
        }
        if self.owner {
            self.follow_attention().await;
        } else {
            self.confirm_leases().await;
        }
    }

    async fn confirm_leases(&mut self) {
        let watched: Vec<_> = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.handles > 0)
            .map(|(id, _)| id.clone())
            .collect();
        if watched.is_empty() {
            self.attention_due = None;
            return;
        }
        self.attention_due = Some(self.platform.tick() + CONFIRM_EVERY);
        let now = self.platform.wall();
        let confirmed = self
            .repository
            .transact(Durability::Normal, move |rows| {
                let mut leases = read(rows)?;
                leases.retain(|(until, id)| *until > now && !watched.contains(id));
                leases.extend(watched.into_iter().map(|id| (now + LEASE, id)));
                write(rows, &leases)
            })
            .await;
        if let Err(error) = confirmed {
            self.store_troubled(&error);
        }
    }

    /// Takes this process's lease on a conversation back; another holder's comes again by itself.
    pub(super) async fn release_lease(&mut self, closed: &ConversationId) {
        if self.owner
            || self.store_rests()
            || self.lanes.get(closed).is_some_and(|lane| lane.handles > 0)
        {
            return;
        }
        let closed = closed.clone();
        let released = self
            .repository
            .transact(Durability::Normal, move |rows| {
                let mut leases = read(rows)?;
                leases.retain(|(_, id)| *id != closed);
                write(rows, &leases)
            })
            .await;
        if let Err(error) = released {
            self.store_troubled(&error);
        }
    }

    /// Connects what others look at, and lets go of what they no longer do.
    pub(super) async fn follow_attention(&mut self) {
        if self.store_rests() {
            return;
        }
        let now = self.platform.wall();
        let leases = self.repository.view(read).await.unwrap_or_default();
        let valid = leases.into_iter().filter(|(until, _)| *until > now);
        let watched: BTreeSet<_> = filled(valid.map(|(_, id)| id).take(MOST));
        self.attention_due = (!watched.is_empty()).then(|| self.platform.tick() + CONFIRM_EVERY);
        for id in &watched {
            self.lane(id).await.remote = true;
            self.attend(id);
        }
        let left: Vec<_> = self
            .lanes
            .iter()
            .filter(|(id, lane)| lane.remote && !watched.contains(*id))
            .map(|(id, _)| id.clone())
            .collect();
        for id in left {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.remote = false;
            }
            self.attend(&id);
        }
    }
}

fn read(rows: &mut dyn Rows) -> RowResult<Vec<(WallTime, ConversationId)>> {
    let text = rows.setting(SETTING)?.unwrap_or_default();
    let lease = |line: &str| {
        let (until, id) = line.split_once(' ')?;
        Some((
            WallTime::from_millis(until.parse().ok()?),
            ConversationId::parse(id)?,
        ))
    };
    Ok(text.lines().filter_map(lease).collect())
}

fn write(rows: &mut dyn Rows, leases: &[(WallTime, ConversationId)]) -> RowResult<()> {
    let line = |(until, id): &(WallTime, ConversationId)| format!("{} {id}\n", until.as_millis());
    rows.put_setting(SETTING, &leases.iter().map(line).collect::<String>())
}
