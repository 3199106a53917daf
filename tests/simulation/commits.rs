//! What must hold after every single commit of a device's store.

use std::collections::{BTreeMap, BTreeSet};

use tidings::domain::{
    conversation::Conversation,
    delivery::DeliveryState,
    ids::ClientMessageId,
    message::{Completeness, Message},
    outbox::{OutboxEntry, SendMode},
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
};
use tokio::time::Instant;

use crate::{
    faults::Fault,
    ledger::Accepted,
    reached::{Marker, reached},
    server::{Profile, offset},
    turns::{answer_of, named, says_all},
    world::State,
};

/// Everything stored on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) rooms: Vec<(Conversation, Vec<Message>)>,
    pub(crate) outbox: Vec<OutboxEntry>,
}

impl Snapshot {
    pub(crate) fn read(rows: &mut dyn Rows) -> RowResult<Self> {
        let all = ConversationFilter {
            include_archived: true,
            limit: 0,
        };
        let mut rooms = Vec::new();
        for conversation in rows.conversations(all)? {
            let page = rows.page(&conversation.id, None, 100_000, true)?;
            rooms.push((conversation, page));
        }
        rooms.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        Ok(Self {
            rooms,
            outbox: rows.outbox(None)?,
        })
    }

    fn entry(&self, id: ClientMessageId) -> Option<&OutboxEntry> {
        self.outbox.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn find(&self, id: ClientMessageId) -> Option<&Message> {
        self.rooms
            .iter()
            .flat_map(|(_, rows)| rows)
            .find(|row| row.id == id)
    }
}

type Verdict = Result<(), (&'static str, String)>;

fn broken(invariant: &'static str, what: String) -> Verdict {
    Err((invariant, what))
}

impl State {
    /// Judges a commit, then remembers it.
    pub(crate) fn committed(&mut self, device: usize, snapshot: Snapshot) {
        self.learn(device, &snapshot);
        let verdict = self
            .acceptance(device, &snapshot)
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
            if row.text != message.text && !row.deleted && row.revision == 0 {
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
        let equal = |other: &&Accepted| other.room == message.room && other.text == message.text;
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

    /// "INV-07": server rows in the server's order, then what waits in accept order; a row moves
    /// at most once.
    fn order(&self, device: usize, conversation: &Conversation, rows: &[Message]) -> Verdict {
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].key >= pair[1].key) {
            return broken(
                "INV-07",
                format!("{} and {} share a place", pair[0].id, pair[1].id),
            );
        }
        let room = self.server.room(&conversation.id);
        let mut last = None;
        for (at, row) in rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.key.is_server())
        {
            if stays_behind_its_question(&rows[..at], row) {
                continue;
            }
            let Some(place) = row.server_id.as_ref().and_then(|id| room.place(id)) else {
                return broken(
                    "INV-07",
                    format!("{} stands among server rows and is none", row.id),
                );
            };
            if last.is_some_and(|before| before >= place) {
                return broken(
                    "INV-07",
                    format!("{} (row {place}) stands behind row {last:?}", row.id),
                );
            }
            last = Some(place);
        }
        let ledger = &self.devices[device];
        let place = |row: &Message| {
            ledger
                .accepted
                .iter()
                .position(|message| message.id == row.id)
        };
        let waiting: Vec<_> = rows
            .iter()
            .filter(|row| !row.key.is_server())
            .filter_map(place)
            .collect();
        if waiting.windows(2).any(|pair| pair[0] > pair[1]) {
            return broken(
                "INV-07",
                "waiting messages are not in accept order".to_owned(),
            );
        }
        for row in rows {
            let Some(before) = ledger.places.get(&row.id) else {
                continue;
            };
            if before.is_server() && !row.key.is_server() {
                return broken("INV-07", format!("{} lost its place", row.id));
            }
            if !before.is_server() && !row.key.is_server() && *before != row.key {
                return broken(
                    "INV-07",
                    format!("{} moved before it was confirmed", row.id),
                );
            }
        }
        Ok(())
    }

    /// "INV-10": all that lies between the stored ends of the history is stored.
    fn cursor(&self, conversation: &Conversation, rows: &[Message]) -> Verdict {
        let Some(newest) = conversation.sync.newest.as_ref().map(offset) else {
            return Ok(());
        };
        let oldest = conversation.sync.oldest.as_ref().map_or(0, offset);
        let stored: BTreeMap<_, _> = rows
            .iter()
            .filter_map(|row| Some((row.server_id.as_ref()?, row)))
            .collect();
        let room = self.server.room(&conversation.id);
        let keyed = self.server.profile == Profile::Keyed;
        // "INV-09": a row that is missing between two stored ones lies in a gap that is marked.
        let mut marked = false;
        let placed = |said: &crate::server::Row| {
            let row = stored.get(&said.id)?;
            row.key.is_server().then_some(row)
        };
        let first = room.rows.iter().position(|said| placed(said).is_some());
        let last = room.rows.iter().rposition(|said| placed(said).is_some());
        for (place, said) in room.rows.iter().enumerate().skip(oldest) {
            if let Some(row) = placed(said) {
                marked = row.gap.is_some();
            } else if !stored.contains_key(&said.id) && marked {
                reached(Marker::gap_marked);
                continue;
            } else if !stored.contains_key(&said.id)
                && keyed
                && last > Some(place)
                && first.is_some_and(|first| first < place)
            {
                let id = &conversation.id;
                return broken(
                    "INV-09",
                    format!("row {place} of {id} is missing, and nothing marks it"),
                );
            }
            let covered = if keyed {
                said.change <= newest as u64
            } else {
                place < newest
            };
            if !covered {
                continue;
            }
            match stored.get(&said.id) {
                None => {
                    return broken(
                        "INV-10",
                        format!(
                            "the cursor {newest} of {} is beyond row {place}, which is not stored",
                            conversation.id
                        ),
                    );
                }
                Some(row) if !row.deleted && row.revision < said.revision => {
                    return broken(
                        "INV-10",
                        format!(
                            "the cursor {newest} is beyond revision {} of row {place}",
                            said.revision
                        ),
                    );
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// "INV-18": one answer under way, its text is what arrived, in order; one row for one answer.
    fn answers(&self, device: usize, conversation: &Conversation, rows: &[Message]) -> Verdict {
        let streaming = rows
            .iter()
            .filter(|row| row.completeness == Completeness::Streaming && row.server_id.is_none());
        let ours: Vec<_> = streaming.collect();
        if ours.len() > 1 {
            return broken(
                "INV-18",
                format!("{} and {} are under way at once", ours[0].id, ours[1].id),
            );
        }
        let none = Vec::new();
        let arrived = self.devices[device]
            .pieces
            .get(&conversation.id)
            .unwrap_or(&none);
        let mut homes: BTreeMap<&str, &Message> = BTreeMap::new();
        let told: Vec<_> = rows.iter().filter(|row| row.server_id.is_some()).collect();
        // What a killed process had not stored yet is missing in the middle.
        let restarted = self.devices[device].life > 1;
        let whole = !restarted;
        // How long ago a process that is gone heard the answer, only the wall clock could tell.
        let timeless = restarted && self.faults.was_on(Fault::WallJump);
        let text = arrived.concat();
        for row in rows
            .iter()
            .filter(|row| !row.own && row.server_id.is_none())
        {
            if whole && !text.contains(&row.text) {
                return broken(
                    "INV-18",
                    format!("{} says {:?}, which did not arrive so", row.id, row.text),
                );
            }
            if let Some(whole) = told.iter().find(|told| says_all(&told.text, &row.text)) {
                return broken(
                    "INV-18",
                    format!("{} repeats the answer {}", row.id, whole.id),
                );
            }
            for answer in named(&row.text).map(answer_of) {
                let home = homes.entry(answer).or_insert(row);
                // Pieces name no question: behind a later question they are taken for its answer.
                let asked_between = row.answers != home.answers;
                if home.id != row.id && !asked_between && !timeless {
                    return broken(
                        "INV-18",
                        format!("answer {answer} is split over {} and {}", home.id, row.id),
                    );
                }
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
        for row in snapshot.rooms.iter().flat_map(|(_, rows)| rows) {
            ledger.places.insert(row.id, row.key);
            if row.deleted && ledger.tombstones.insert(row.id) {
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

/// An answer that the server gave up, in the turn of its question.
fn stays_behind_its_question(before: &[Message], row: &Message) -> bool {
    let asked = before.iter().rev().find(|row| row.own);
    row.server_id.is_none() && !row.own && row.answers == asked.map(|asked| asked.id)
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
