//! After the storm, actions: each has ended or waits for the user, and the server is as the last
//! one left it: "INV-01", "INV-08", "INV-15", "INV-22".

use tidings::domain::{
    delivery::DeliveryState,
    ids::ConversationId,
    message::Message,
    outbox::{Action, ActionKind},
};

use crate::{
    deeds::{Book, Deed},
    server::Row,
    snapshot::Snapshot,
    world::State,
};

impl State {
    /// Judges the actions of a device that is at rest.
    pub(crate) fn rests(&mut self, device: usize, snapshot: &Snapshot) {
        if self.server.abilities.is_none() {
            return;
        }
        self.begun_once(device);
        if let Some(what) = held_for_ever(snapshot) {
            self.violation("INV-22", format_args!("device {device}: {what}"));
        }
        for (conversation, rows) in &snapshot.rooms {
            let id = &conversation.id;
            self.marks_told(device, id, rows);
            if let Some(complaint) = self.shelf_differs(device, id, conversation.archived) {
                self.violation("INV-08", format_args!("device {device}: {complaint}"));
            }
            if let Some(complaint) = self.last_word_lost(device, id, snapshot) {
                self.violation("INV-01", format_args!("device {device}: {complaint}"));
            }
        }
    }

    /// Whatever this device read is read at the server.
    fn marks_told(&mut self, device: usize, id: &ConversationId, rows: &[Message]) {
        let keeps = self.server.abilities.is_some_and(|able| able.marks);
        let (room, book) = (self.server.room(id), &self.devices[device].book);
        let all_done = deeds_of(book, id, ActionKind::MarkRead).all(Deed::is_done);
        if !keeps || !all_done {
            return;
        }
        let read = rows.iter().filter(|row| book.read.contains(&row.id));
        let places = read.filter_map(|row| room.place(row.server_id.as_ref()?));
        let marker = room.read_to.as_ref().and_then(|known| room.place(known));
        if let Some(place) = places.max().filter(|place| marker < Some(*place)) {
            self.violation(
                "INV-15",
                format_args!("device {device} read row {place} of {id}, the server has {marker:?}"),
            );
        }
    }

    /// Where one device alone archives, and knows what became of it, both sides agree.
    fn shelf_differs(&self, device: usize, id: &ConversationId, here: bool) -> Option<String> {
        let (room, book) = (self.server.room(id), &self.devices[device].book);
        let keeps = self.server.abilities.is_some_and(|able| able.archive);
        let clear = deeds_of(book, id, ActionKind::Archive).all(|deed| !deed.is_unknown());
        let judged = keeps && clear && !id.is_local() && room.shelved.is_of(device);
        let there = room.archived;
        (judged && here != there)
            .then(|| format!("{id} is archived here: {here}, at the server: {there}"))
    }

    /// What one device alone changed is at the server as it left it.
    fn last_word_lost(
        &self,
        device: usize,
        id: &ConversationId,
        snapshot: &Snapshot,
    ) -> Option<String> {
        let room = self.server.room(id);
        let mine = |row: &&Row| row.key.is_some() && row.changed.is_of(device);
        room.rows.iter().filter(mine).find_map(|row| {
            let mut known = snapshot.rows(id).iter();
            let message = known.find(|shown| shown.server_id.as_ref() == Some(&row.id))?;
            let changes = self.devices[device].book.deeds.iter();
            let ended = |deed: &&Deed| deed.end.as_ref().map_or(u64::MAX, |end| end.number);
            let last = changes
                .filter(|deed| deed.action.changes() == Some(message.id))
                .max_by_key(ended)?;
            let holds = match &last.action {
                Action::Edit { text, .. } => row.deleted || row.text == *text,
                Action::Delete { .. } => row.deleted,
                _ => true,
            };
            (last.is_done() && !holds).then(|| format!("{:?} of {} is lost", last.action, row.id))
        })
    }
}

fn deeds_of<'a>(
    book: &'a Book,
    room: &'a ConversationId,
    kind: ActionKind,
) -> impl Iterator<Item = &'a Deed> {
    let deeds = book.deeds.iter();
    deeds.filter(move |deed| deed.room == *room && deed.kind() == kind)
}

/// A change that waits for its message, though that is decided; a message that waits for a
/// conversation which nobody creates.
fn held_for_ever(snapshot: &Snapshot) -> Option<String> {
    let parked = snapshot.outbox.iter().filter(|entry| entry.parked);
    let mut queued = parked.filter(|entry| entry.state == DeliveryState::Queued);
    let held = queued.find(|entry| {
        let message = entry.action.changes().and_then(|id| snapshot.find(id));
        message.is_none_or(|row| row.state.is_on_server() && row.server_id.is_some())
    })?;
    Some(format!("{:?} {} waits for nothing", held.action, held.id))
}
