//! What must hold after every single commit of a device's store.

use std::collections::BTreeSet;

use tidings::domain::{
    conversation::Conversation,
    delivery::DeliveryState,
    message::{Completeness, Message},
    outbox::SendMode,
};
use tokio::time::Instant;

use crate::{
    ledger::Accepted,
    reached::{Marker, reached},
    server::Profile,
    snapshot::Snapshot,
    world::State,
};

pub(crate) type Verdict = Result<(), (&'static str, String)>;

pub(crate) fn broken(invariant: &'static str, what: String) -> Verdict {
    Err((invariant, what))
}

impl State {
    /// Judges a commit, then remembers it.
    pub(crate) fn committed(&mut self, device: usize, snapshot: Snapshot) {
        self.learn(device, &snapshot);
        let verdict = self
            .actions(device, &snapshot)
            .and_then(|()| self.acceptance(device, &snapshot))
            .and_then(|()| self.delivery(device, &snapshot))
            .and_then(|()| {
                snapshot.rooms.iter().try_for_each(|(conversation, rows)| {
                    identity(conversation, rows)?;
                    self.sends_once(device, rows)?;
                    self.order(device, conversation, rows)?;
                    self.cursor(conversation, rows)?;
                    self.answers(device, conversation, rows)?;
                    counts(conversation, rows)?;
                    self.tombstones(device, rows)
                })
            });
        if let Err((invariant, what)) = verdict {
            self.violation(invariant, format_args!("device {device}: {what}"));
            self.note_answers(&snapshot);
        }
        self.remember(device, &snapshot);
    }

    /// What is there only in the world of actions.
    fn actions(&mut self, device: usize, snapshot: &Snapshot) -> Verdict {
        if self.server.abilities.is_none() {
            return Ok(());
        }
        self.bindings(device, snapshot)?;
        self.deeds(device, snapshot)?;
        self.shows(device, snapshot)
    }

    /// For the story of a broken promise: answers that have no row of the server's.
    pub(crate) fn note_answers(&mut self, snapshot: &Snapshot) {
        let rows = snapshot.rooms.iter().flat_map(|(_, rows)| rows);
        for row in rows.filter(|row| !row.own && row.server_id.is_none()) {
            let (question, text) = (row.answers, &row.text);
            self.note(format_args!("{row:?} answers {question:?}: {text}"));
        }
    }

    /// New own rows that wait to be sent are accepted from here on.
    fn learn(&mut self, device: usize, snapshot: &Snapshot) {
        for row in snapshot.rooms.iter().flat_map(|(_, rows)| rows) {
            if !row.own || row.attempts > 0 || self.devices[device].find(row.id).is_some() {
                continue;
            }
            let Some(entry) = snapshot.entry(row.id) else {
                continue;
            };
            self.note(format_args!(
                "device {device} accepted {} {:?}",
                row.id, entry.mode
            ));
            let ledger = &mut self.devices[device];
            ledger.accepted.push(Accepted {
                id: row.id,
                room: row.conversation.clone(),
                text: row.text.clone(),
                wire: row.text.clone(),
                texts: vec![row.text.clone()],
                mode: entry.mode,
                state: row.state,
                key: row.key,
                parked: false,
                excepted: false,
                gone: false,
                since: Instant::now(),
                transmissions: Vec::new(),
            });
        }
    }

    /// "INV-01": an accepted message is there, with its text, and somebody owes it if it waits.
    fn acceptance(&self, device: usize, snapshot: &Snapshot) -> Verdict {
        for message in &self.devices[device].accepted {
            let Some(row) = snapshot.find(message.id) else {
                if message.mode == SendMode::Direct && !message.state.is_on_server() {
                    continue;
                }
                return broken(
                    "INV-01",
                    format!("{} vanished, it was {:?}", message.id, message.state),
                );
            };
            let changes = self.server.abilities.is_some();
            if row.text != message.text && !row.deleted && row.revision == 0 && !changes {
                return broken("INV-01", format!("{} lost its text", message.id));
            }
            let entry = snapshot.entry(message.id);
            let owed = matches!(
                row.state,
                DeliveryState::Queued
                    | DeliveryState::Sending
                    | DeliveryState::Uncertain
                    | DeliveryState::Failed
            );
            match entry {
                None if owed => {
                    return broken(
                        "INV-01",
                        format!("{} is {:?} and in no queue", message.id, row.state),
                    );
                }
                Some(_) if !owed => {
                    return broken(
                        "INV-01",
                        format!("{} is {:?} and still queued", message.id, row.state),
                    );
                }
                Some(entry) if entry.state != row.state => {
                    return broken(
                        "INV-01",
                        format!(
                            "{} is {:?} and queued as {:?}",
                            message.id, row.state, entry.state
                        ),
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// "INV-03": Sent only if the server has it, from then on only upwards; back only by proof.
    fn delivery(&self, device: usize, snapshot: &Snapshot) -> Verdict {
        for message in &self.devices[device].accepted {
            let Some(row) = snapshot.find(message.id) else {
                continue;
            };
            let (before, now) = (message.state, row.state);
            if now.is_on_server() && !self.is_there(device, message, snapshot) {
                return broken(
                    "INV-03",
                    format!("{} is {now:?} and the server does not have it", message.id),
                );
            }
            if before == now {
                continue;
            }
            if before.is_on_server() && now < before {
                return broken(
                    "INV-03",
                    format!("{} stepped from {before:?} back to {now:?}", message.id),
                );
            }
            let back = matches!(now, DeliveryState::Queued | DeliveryState::Failed);
            if back
                && matches!(before, DeliveryState::Sending | DeliveryState::Uncertain)
                && let Some(complaint) = self.step_back_complaint(device, message.id)
            {
                return broken(
                    "INV-03",
                    format!("{} from {before:?} to {now:?}: {complaint}", message.id),
                );
            }
        }
        Ok(())
    }

    /// Whether the server has it. Without keys, of equal words nobody can say which is which: as
    /// many of them may be Sent as the server has.
    fn is_there(&self, device: usize, message: &Accepted, snapshot: &Snapshot) -> bool {
        let room = self.server.room(&message.room);
        if room.holds(message.id).is_some() {
            return true;
        }
        if self.server.profile == Profile::Keyed {
            return false;
        }
        let equal = |other: &&Accepted| other.room == message.room && other.wire == message.wire;
        let of_these_words: Vec<_> = self.devices[device].accepted.iter().filter(equal).collect();
        let there = room
            .rows
            .iter()
            .filter(|row| of_these_words.iter().any(|other| row.key == Some(other.id)));
        let sent = of_these_words.iter().filter(|other| {
            let row = snapshot.find(other.id);
            row.is_some_and(|row| row.state.is_on_server())
        });
        sent.count() <= there.count()
    }

    /// "INV-05": one send is one row. A second copy that the server made is a row of its own.
    fn sends_once(&self, device: usize, rows: &[Message]) -> Verdict {
        let ledger = &self.devices[device];
        for row in rows {
            let Some(server_id) = &row.server_id else {
                continue;
            };
            let room = self.server.room(&row.conversation);
            let Some(place) = room.place(server_id) else {
                return broken(
                    "INV-05",
                    format!("{} has an id that the server never gave", row.id),
                );
            };
            let said = &room.rows[place];
            let Some(key) = said.key.filter(|key| *key != row.id) else {
                continue;
            };
            let Some(sent) = rows.iter().find(|other| other.id == key) else {
                continue;
            };
            let keyed = self.server.profile == Profile::Keyed;
            let bound_to_another_send = ledger.find(row.id).is_some();
            if keyed || (!said.copy && !bound_to_another_send && sent.may_be_on_server()) {
                return broken(
                    "INV-05",
                    format!("{key} is shown twice, as itself and as {}", row.id),
                );
            }
        }
        Ok(())
    }

    /// "INV-16": deleted content does not come back.
    fn tombstones(&self, device: usize, rows: &[Message]) -> Verdict {
        let known = &self.devices[device].tombstones;
        match rows
            .iter()
            .find(|row| known.contains(&row.id) && !(row.deleted && row.text.is_empty()))
        {
            Some(row) => broken("INV-16", format!("{} came back", row.id)),
            None => Ok(()),
        }
    }

    fn remember(&mut self, device: usize, snapshot: &Snapshot) {
        let mut told = Vec::new();
        let ledger = &mut self.devices[device];
        let read = snapshot.journal.last().map(|said| said.sequence);
        ledger.book.journal = read.unwrap_or(ledger.book.journal);
        for row in snapshot.rooms.iter().flat_map(|(_, rows)| rows) {
            ledger.places.insert(row.id, row.key);
            let buried = row.deleted && row.overlay.is_none();
            if buried && ledger.tombstones.insert(row.id) {
                reached(Marker::tombstone_seen);
            }
            if row.revision > 0 {
                reached(Marker::revision_seen);
            }
            if row.completeness == Completeness::Incomplete {
                reached(Marker::turn_incomplete);
            }
            if row.answers.is_some() && row.server_id.is_some() {
                reached(Marker::answer_replaced_by_row);
            }
        }
        for message in &mut ledger.accepted {
            let Some(row) = snapshot.find(message.id) else {
                if !message.gone {
                    reached(Marker::direct_withdrawn);
                    told.push((message.id, message.state, None));
                }
                message.gone = true;
                continue;
            };
            let entry = snapshot.entry(message.id);
            let parked = entry.is_some_and(|entry| entry.parked);
            if parked && !message.parked {
                reached(Marker::parked);
            }
            let code = entry
                .and_then(|entry| entry.reason.as_ref())
                .map(|reason| reason.code.clone());
            if code.as_deref() == Some("turn_open") {
                reached(Marker::waited_for_turn);
            }
            if row.state != message.state {
                told.push((message.id, message.state, Some(row.state)));
                mark(message, row, code.as_deref());
                message.since = Instant::now();
            }
            message.parked |= parked;
            message.excepted |=
                matches!(row.state, DeliveryState::Failed | DeliveryState::Cancelled);
            message.state = row.state;
            message.key = row.key;
        }
        for (id, before, now) in told {
            self.note(format_args!("device {device}: {id} {before:?} -> {now:?}"));
        }
    }
}

/// "INV-05": no key twice, no server id twice.
fn identity(conversation: &Conversation, rows: &[Message]) -> Verdict {
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let fresh = row.server_id.as_ref().is_none_or(|id| ids.insert(id));
        if !keys.insert(row.id) || !fresh {
            return broken(
                "INV-05",
                format!("{} stands twice in {}", row.id, conversation.id),
            );
        }
    }
    Ok(())
}

/// "INV-14": the counts repeat what the rows say.
fn counts(conversation: &Conversation, rows: &[Message]) -> Verdict {
    let unread = rows.iter().filter(|row| row.unread).count();
    let stored = rows.len() as u64;
    if usize::try_from(conversation.unread) != Ok(unread) || conversation.stored != stored {
        let said = (conversation.unread, conversation.stored);
        return broken(
            "INV-14",
            format!(
                "{} counts {said:?} and has {unread}, {stored}",
                conversation.id
            ),
        );
    }
    Ok(())
}

fn mark(before: &Accepted, row: &Message, code: Option<&str>) {
    use DeliveryState as S;
    match (before.state, row.state) {
        (S::Sending, S::Uncertain) => reached(Marker::uncertain),
        (S::Uncertain, S::Sent) => reached(Marker::uncertain_resolved_by_history),
        (S::Failed, S::Queued) => reached(Marker::retried),
        (S::Uncertain, S::Cancelled) => reached(Marker::cancelled_uncertain),
        (_, S::Cancelled) => reached(Marker::cancelled),
        (_, S::Failed) if code == Some("send.expired") => reached(Marker::expired),
        (_, S::Failed) => reached(Marker::failed),
        _ => {}
    }
}
