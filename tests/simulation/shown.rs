//! What actions show before the server has them: texts, marks, drafts: "INV-04", "INV-15" to
//! "INV-17".

use tidings::domain::{
    ids::{ClientMessageId, ConversationId},
    message::{Message, Overlay},
    outbox::{Action, ActionKind, OutboxEntry},
};

use crate::{
    commits::{Verdict, broken},
    reached::{Marker, reached},
    snapshot::Snapshot,
    world::State,
};

impl State {
    /// Judges what a commit shows of actions.
    pub(crate) fn shows(&mut self, device: usize, snapshot: &Snapshot) -> Verdict {
        self.take_edits(device, snapshot);
        for (conversation, rows) in &snapshot.rooms {
            for row in rows {
                overlay(row, snapshot)?;
            }
            self.marks(device, rows, snapshot)?;
            self.local_fields(device, &conversation.id, snapshot)?;
            let ending = snapshot.outbox.iter().any(|entry| {
                let here = entry.conversation == conversation.id;
                here && entry.kind() == ActionKind::Complete && entry.state.is_pending()
            });
            if ending != conversation.completing {
                let id = &conversation.id;
                return broken(
                    "INV-17",
                    format!("{id} is completing: {}", conversation.completing),
                );
            }
        }
        self.texts(device, snapshot)
    }

    /// A text that the user gave a message is accepted once it shows.
    fn take_edits(&mut self, device: usize, snapshot: &Snapshot) {
        let ledger = &mut self.devices[device];
        for message in &mut ledger.accepted {
            let Some(row) = snapshot.find(message.id) else {
                continue;
            };
            let wished = ledger.book.edits.get_mut(&message.id);
            if wished.is_some_and(|texts| texts.remove(&row.text)) {
                message.text.clone_from(&row.text);
                message.texts.push(row.text.clone());
            }
            if let Some(entry) = snapshot.entry(message.id) {
                if message.wire != entry.text() {
                    reached(Marker::edit_folded_in);
                }
                entry.text().clone_into(&mut message.wire);
            }
            let veil = row.overlay == Some(Overlay::Deleted);
            if veil {
                ledger.book.veiled.insert(row.id);
            } else {
                ledger.book.veiled.remove(&row.id);
            }
        }
    }

    /// What an unsent message shows is what will be sent, and a sent one shows what somebody gave
    /// it.
    fn texts(&self, device: usize, snapshot: &Snapshot) -> Verdict {
        for message in &self.devices[device].accepted {
            let Some(row) = snapshot.find(message.id).filter(|row| !row.deleted) else {
                continue;
            };
            let entry = snapshot.entry(message.id);
            if let Some(entry) = entry
                && row.overlay.is_none()
                && entry.text() != row.text
            {
                return broken(
                    "INV-01",
                    format!("{} shows one text and sends another", row.id),
                );
            }
            let place = row.server_id.as_ref().and_then(|id| {
                let room = self.server.room(&row.conversation);
                room.place(id).map(|place| &room.rows[place])
            });
            let servers = place.is_some_and(|said| said.texts.contains(&row.text));
            if !servers && !message.texts.contains(&row.text) {
                return broken("INV-01", format!("{} lost its text", row.id));
            }
        }
        Ok(())
    }

    /// "INV-15": what was read stays read, and the server is told of the newest.
    fn marks(&mut self, device: usize, rows: &[Message], snapshot: &Snapshot) -> Verdict {
        let mut newest = None;
        let book = &mut self.devices[device].book;
        for row in rows
            .iter()
            .filter(|row| !row.own && row.server_id.is_some())
        {
            if row.unread && book.read.contains(&row.id) {
                return broken("INV-15", format!("{} was read and is unread", row.id));
            }
            if row.unread {
                book.unread.insert(row.id);
            } else if book.unread.remove(&row.id) && !row.deleted {
                book.read.insert(row.id);
                newest = Some(row);
            }
        }
        match newest {
            Some(row) if !self.is_told(row, snapshot) => broken(
                "INV-15",
                format!("{} is read, and the server not told", row.id),
            ),
            _ => Ok(()),
        }
    }

    /// Whether a mark waits for a row that was just read, or the server has it as read.
    fn is_told(&self, row: &Message, snapshot: &Snapshot) -> bool {
        let room = self.server.room(&row.conversation);
        let place = row.server_id.as_ref().and_then(|id| room.place(id));
        let keeps = self.server.abilities.is_some_and(|able| able.marks);
        let waiting = snapshot
            .outbox
            .iter()
            .filter_map(|entry| match &entry.action {
                Action::MarkRead { up_to } => room.place(up_to),
                _ => None,
            });
        let marker = room.read_to.as_ref().and_then(|known| room.place(known));
        !keeps || waiting.max().max(marker) >= place
    }

    /// "INV-17": drafts and archive marks are the user's, and nobody else's.
    fn local_fields(&mut self, device: usize, id: &ConversationId, snapshot: &Snapshot) -> Verdict {
        let Some((conversation, _)) = snapshot.rooms.iter().find(|(row, _)| row.id == *id) else {
            return Ok(());
        };
        let book = &mut self.devices[device].book;
        let (draft, before) = (&conversation.draft, book.drafts.get(id));
        let typed = book.typed.contains(draft);
        // What comes back from a send, or from a conversation begun here, goes before it.
        let kept = match (draft, before) {
            (_, None) => true,
            (Some(now), Some(before)) => now.contains(before.as_str()),
            (None, Some(_)) => false,
        };
        if !typed && !kept {
            return broken("INV-17", format!("the draft of {id} is lost"));
        }
        match draft {
            Some(text) => {
                if book.drafts.insert(id.clone(), text.clone()).as_ref() != Some(text) {
                    reached(Marker::draft_stored);
                }
            }
            None => drop(book.drafts.remove(id)),
        }
        let now = conversation.archived;
        let before = book.shelf.insert(id.clone(), now).unwrap_or_default();
        let lifted = book.deeds.iter().any(|deed| {
            deed.room == *id && deed.kind() == ActionKind::Archive && deed.end.is_some()
        });
        if before != now && !lifted && !book.shelving.contains(&(id.clone(), now)) {
            return broken("INV-17", format!("{id} is archived: {now}, by nobody"));
        }
        Ok(())
    }
}

/// A change that waits is shown, and nothing else is.
fn overlay(row: &Message, snapshot: &Snapshot) -> Verdict {
    let last = pending(row.id, &snapshot.outbox).last();
    let due = match last.map(|entry| &entry.action) {
        Some(Action::Edit { text, .. }) => (Some(Overlay::Edited), Some(text.as_str())),
        Some(Action::Delete { .. }) => (Some(Overlay::Deleted), Some("")),
        _ => (None, None),
    };
    if row.overlay != due.0 {
        let (id, is) = (row.id, row.overlay);
        return broken(
            "INV-04",
            format!("{id} shows {is:?}, and {:?} waits", due.0),
        );
    }
    match due.1 {
        Some(text) if text != row.text => broken(
            "INV-04",
            format!("{} does not show what waits for it", row.id),
        ),
        _ => Ok(()),
    }
}

fn pending(message: ClientMessageId, outbox: &[OutboxEntry]) -> impl Iterator<Item = &OutboxEntry> {
    let about = move |entry: &&OutboxEntry| {
        entry.action.changes() == Some(message) && entry.state.is_pending()
    };
    outbox.iter().filter(about)
}
