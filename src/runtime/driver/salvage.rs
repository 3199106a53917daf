//! After a damaged store was replaced: the app is told, and what is open is read anew.

use super::{Driver, lane::Purpose};
use crate::{
    domain::{
        cursor::SyncPosition, event::ClientEvent, ids::ConversationId, ports::Durability,
        rules::salvage,
    },
    engine::sync::{Sync, Wanted},
};

impl Driver {
    /// Tells of a salvage, if there was one and somebody listens; word of it stays in the store
    /// until then.
    pub(super) async fn tell_salvage(&mut self) {
        if !self.events.is_heard() {
            return;
        }
        let told = self.repository.view(salvage::word).await;
        let Ok(Some(word)) = told else { return };
        let taken = self
            .repository
            .transact(Durability::Normal, salvage::told)
            .await;
        // Not told where that cannot be noted: once more is worse than a little later.
        if let Err(error) = taken {
            return self.store_troubled(&error);
        }
        self.events.emit(ClientEvent::StoreSalvaged {
            kept: word.kept,
            unsent: word.unsent,
            drafts: word.drafts,
            lost: word.lost,
        });
    }

    /// The store was replaced under us: what we knew of its contents is void.
    pub(super) async fn follow_salvage(&mut self) {
        let seen = self.repository.salvages();
        if std::mem::replace(&mut self.salvages, seen) == seen {
            return;
        }
        self.tell_salvage().await;
        for lane in self.lanes.values_mut() {
            lane.sync.abandon();
            // A page asked for before it is none of the store that is there now.
            lane.fetches += 1;
        }
        self.settle_outputs().await;
        let open: Vec<ConversationId> = self.lanes.keys().cloned().collect();
        for id in open {
            self.begin_anew(&id);
        }
    }

    /// Reads a conversation as one that was never read.
    fn begin_anew(&mut self, id: &ConversationId) {
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        (lane.position, lane.gap) = (SyncPosition::default(), None);
        (lane.last_page, lane.listed) = (None, None);
        lane.sync = Sync::new(SyncPosition::default(), None);
        if lane.attended {
            self.read(id, Wanted::News, false, Purpose::Baseline);
        }
    }
}
