//! Conversations begun on a device: bound to the server's once, with all that is in them.

use tidings::domain::{
    ids::{ClientMessageId, ConversationId},
    outbox::Action,
};

use crate::{
    commits::{Verdict, broken},
    deeds::Deed,
    snapshot::Snapshot,
    world::State,
};

impl State {
    /// Judges bindings, then calls everything of a bound conversation by its new name.
    pub(crate) fn bindings(&mut self, device: usize, snapshot: &Snapshot) -> Verdict {
        for (local, bound) in &snapshot.bound {
            let known = self.devices[device].book.bound.get(local).cloned();
            if known.as_ref().is_some_and(|known| known != bound) {
                return broken(
                    "INV-02",
                    format!("{local} is bound to {known:?} and to {bound}"),
                );
            }
            if known.is_none() {
                self.fits(device, local, bound)?;
                self.note(format_args!("device {device}: {local} is {bound}"));
                self.rename(device, local, bound);
            }
        }
        let rooms = snapshot.rooms.iter().map(|(row, _)| row.id.clone());
        let book = &mut self.devices[device].book;
        book.rooms = rooms.collect();
        let two = book.rooms.iter().find(|id| book.bound.contains_key(*id));
        match two {
            Some(id) => broken("INV-05", format!("{id} is bound and still there")),
            None => Ok(()),
        }
    }

    fn fits(&self, device: usize, local: &ConversationId, bound: &ConversationId) -> Verdict {
        let book = &self.devices[device].book;
        let creation = book
            .deeds
            .iter()
            .find(|deed| ConversationId::local(deed.id) == *local);
        let Some((deed, room)) = creation.zip(self.server.rooms.get(bound)) else {
            return broken(
                "INV-03",
                format!("{local} is bound to {bound}, which is none"),
            );
        };
        let Action::Create(new) = &deed.action else {
            return Ok(());
        };
        let alike = room.origin.persona == new.persona && room.origin.context == new.context;
        let shared = room.origin.context.is_some() && room.origin.context == new.context;
        if !alike && !shared {
            return broken(
                "INV-05",
                format!("{local} is bound to {bound}, which is another"),
            );
        }
        let twice = book.bound.values().any(|other| other == bound);
        if twice && !shared {
            return broken(
                "INV-05",
                format!("{bound} was bound already, and now to {local}"),
            );
        }
        Ok(())
    }

    fn rename(&mut self, device: usize, local: &ConversationId, bound: &ConversationId) {
        let ledger = &mut self.devices[device];
        for message in &mut ledger.accepted {
            if message.room == *local {
                message.room = bound.clone();
            }
        }
        let seen = ledger.seen.remove(local).unwrap_or_default();
        ledger.seen.entry(bound.clone()).or_default().extend(seen);
        let book = &mut ledger.book;
        for deed in &mut book.deeds {
            if deed.room == *local {
                deed.room = bound.clone();
            }
        }
        if let Some(draft) = book.drafts.remove(local) {
            book.drafts.entry(bound.clone()).or_insert(draft);
        }
        if book.shelf.remove(local) == Some(true) {
            book.shelf.insert(bound.clone(), true);
        }
        for archived in [false, true] {
            if book.shelving.contains(&(local.clone(), archived)) {
                book.shelving.insert((bound.clone(), archived));
            }
        }
        book.bound.insert(local.clone(), bound.clone());
    }

    /// "INV-02": what a device began exists once, and the device knows it.
    pub(crate) fn begun_once(&mut self, device: usize) {
        let book = &self.devices[device].book;
        let mine = |room: &&crate::server::Room| {
            let by = room.origin.creation.map(|(device, _)| device);
            by == Some(device) && !room.origin.copy
        };
        let known = |id: &ConversationId| book.bound.values().any(|bound| bound == id);
        let unsettled = |id: Option<ClientMessageId>| {
            let deed = id.and_then(|id| book.find(id));
            deed.is_some_and(|deed: &Deed| !deed.is_done())
        };
        let mut rooms = self.server.rooms.values().filter(mine);
        let stray = rooms
            .find(|room| !known(&room.id) && !unsettled(room.origin.creation.map(|(_, id)| id)));
        if let Some(id) = stray.map(|room| room.id.clone()) {
            self.violation(
                "INV-02",
                format_args!("device {device} began {id}, and does not know it"),
            );
        }
    }
}
