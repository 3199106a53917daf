//! Everything a user does beyond writing messages, as the simulation remembers it, and how each
//! of it must end: "INV-01", "INV-03", goal G4.

use std::collections::{BTreeMap, BTreeSet};

use tidings::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    journal::JournalEntry,
    outbox::{Action, ActionKind, OutboxEntry},
};
use tokio::time::Instant;

use crate::{
    commits::{Verdict, broken},
    ledger::{Told, Transmission},
    reached::{Marker, reached},
    snapshot::{Snapshot, Wanted},
    world::State,
};

/// One action accepted on a device.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    pub(crate) id: ClientMessageId,
    pub(crate) room: ConversationId,
    /// As it is to be done, or was last.
    pub(crate) action: Action,
    pub(crate) state: DeliveryState,
    pub(crate) parked: bool,
    /// So many messages were accepted before it.
    pub(crate) behind: usize,
    pub(crate) transmissions: Vec<Transmission>,
    /// The server did it, at least once.
    pub(crate) applied: bool,
    /// The user asked to take it back.
    pub(crate) unwanted: bool,
    pub(crate) end: Option<End>,
    /// Its entry is out of the outbox for good.
    gone: bool,
}

/// How an action ended, in the words of the journal.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) state: DeliveryState,
    pub(crate) code: Option<String>,
    /// Ends are counted: one that was tried again may end after a later one.
    pub(crate) number: u64,
}

impl Deed {
    pub(crate) const fn kind(&self) -> ActionKind {
        self.action.kind()
    }

    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn is_done(&self) -> bool {
        self.end
            .as_ref()
            .is_some_and(|end| end.state == DeliveryState::Sent)
    }

    /// Whether it ended, or rests, without anybody knowing whether the server did it.
    pub(crate) fn is_unknown(&self) -> bool {
        let unclear = |tx: &Transmission| !matches!(tx.told, Told::NotApplied);
        !self.is_done() && self.transmissions.iter().any(unclear)
    }
}

/// A device's memory of its actions.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// In accept order.
    pub(crate) deeds: Vec<Deed>,
    /// When the listings were served that came back.
    pub(crate) lists: Vec<Instant>,
    /// What conversations begun here became.
    pub(crate) bound: BTreeMap<ConversationId, ConversationId>,
    /// Conversations of the last commit.
    pub(crate) rooms: Vec<ConversationId>,
    /// Texts that the user is giving messages, not all accepted yet.
    pub(crate) edits: BTreeMap<ClientMessageId, BTreeSet<String>>,
    /// Drafts and archive marks as last stored, and what the user is making of them.
    pub(crate) drafts: BTreeMap<ConversationId, String>,
    pub(crate) typed: BTreeSet<Option<String>>,
    pub(crate) shelf: BTreeMap<ConversationId, bool>,
    pub(crate) shelving: BTreeSet<(ConversationId, bool)>,
    /// Others' rows that were read after having been unread, and those that still are.
    pub(crate) read: BTreeSet<ClientMessageId>,
    pub(crate) unread: BTreeSet<ClientMessageId>,
    /// Messages whose deletion waits.
    pub(crate) veiled: BTreeSet<ClientMessageId>,
    /// How far the journal was looked at.
    pub(crate) journal: i64,
    ends: u64,
}

impl Book {
    pub(crate) fn find(&self, id: ClientMessageId) -> Option<&Deed> {
        self.deeds.iter().find(|deed| deed.id == id)
    }

    pub(crate) fn find_mut(&mut self, id: ClientMessageId) -> Option<&mut Deed> {
        self.deeds.iter_mut().find(|deed| deed.id == id)
    }

    fn learn(&mut self, entry: &OutboxEntry, behind: usize) -> bool {
        if entry.is_send() || self.find(entry.id).is_some() {
            return false;
        }
        self.deeds.push(Deed {
            id: entry.id,
            room: entry.conversation.clone(),
            action: entry.action.clone(),
            state: entry.state,
            parked: entry.parked,
            behind,
            transmissions: Vec::new(),
            applied: false,
            unwanted: false,
            end: None,
            gone: false,
        });
        true
    }
}

impl State {
    /// What a look at a device's store is to bring beside the rows.
    pub(crate) fn wanted(&self, device: usize) -> Wanted {
        if self.server.abilities.is_none() {
            return Wanted::default();
        }
        let book = &self.devices[device].book;
        let begun = book
            .deeds
            .iter()
            .filter(|deed| deed.kind() == ActionKind::Create);
        Wanted {
            journal: Some(book.journal),
            begun: begun.map(|deed| ConversationId::local(deed.id)).collect(),
        }
    }

    /// Takes up what a commit accepted and what it ended, and judges how.
    pub(crate) fn deeds(&mut self, device: usize, snapshot: &Snapshot) -> Verdict {
        let behind = self.devices[device].accepted.len();
        for entry in &snapshot.outbox {
            if self.devices[device].book.learn(entry, behind) {
                let (id, action, room) = (entry.id, &entry.action, &entry.conversation);
                self.note(format_args!(
                    "device {device} accepted {action:?} {id} in {room}"
                ));
            }
        }
        let open: Vec<_> = {
            let deeds = self.devices[device].book.deeds.iter();
            deeds
                .filter(|deed| !deed.gone)
                .map(|deed| deed.id)
                .collect()
        };
        for id in open {
            self.follow_deed(device, id, snapshot)?;
        }
        Ok(())
    }

    fn follow_deed(&mut self, device: usize, id: ClientMessageId, snapshot: &Snapshot) -> Verdict {
        let entry = snapshot.entry(id);
        let said = snapshot
            .journal
            .iter()
            .rev()
            .find(|said| said.message == id);
        let Some(deed) = self.devices[device].book.find_mut(id) else {
            return Ok(());
        };
        let before = deed.state;
        if let Some(entry) = entry {
            deed.action = entry.action.clone();
            deed.parked = entry.parked;
            deed.room = entry.conversation.clone();
        }
        let now = entry
            .map(|entry| entry.state)
            .or_else(|| said.map(|said| said.state));
        let kind = deed.kind();
        let Some(now) = now else {
            return broken("INV-01", format!("{kind:?} {id} is gone without a word"));
        };
        deed.state = now;
        deed.gone = entry.is_none();
        if entry.is_some() && now != DeliveryState::Failed {
            deed.end = None;
        }
        if entry.is_some() && now == before {
            return Ok(());
        }
        let ends = entry.is_none() || now == DeliveryState::Failed;
        if !ends {
            self.note(format_args!(
                "device {device}: {kind:?} {id} {before:?} -> {now:?}"
            ));
            return Ok(());
        }
        let Some(said) = said.filter(|said| said.state == now) else {
            return broken(
                "INV-01",
                format!("{kind:?} {id} became {now:?} without a word"),
            );
        };
        self.ended(device, id, said, snapshot)
    }

    fn ended(
        &mut self,
        device: usize,
        id: ClientMessageId,
        said: &JournalEntry,
        snapshot: &Snapshot,
    ) -> Verdict {
        let code = said.reason.as_ref().map(|reason| reason.code.clone());
        self.note(format_args!(
            "device {device}: {:?} {id} ends as {:?}, {code:?}",
            said.kind, said.state
        ));
        let book = &mut self.devices[device].book;
        book.ends += 1;
        let number = book.ends;
        let Some(deed) = book.find_mut(id) else {
            return Ok(());
        };
        deed.end = Some(End {
            state: said.state,
            code: code.clone(),
            number,
        });
        let deed = deed.clone();
        mark_end(&deed);
        match said.state {
            DeliveryState::Sent => self.done_for_certain(device, &deed, snapshot),
            DeliveryState::Failed => failed_with_proof(&deed, code.as_deref()),
            DeliveryState::Cancelled => cancelled_by_somebody(&deed, code.as_deref()),
            state => broken(
                "INV-01",
                format!("{id} is gone and was said to be {state:?}"),
            ),
        }
    }

    /// "INV-03" for actions: done is what the server has done, or what was left to nobody.
    fn done_for_certain(&self, device: usize, deed: &Deed, snapshot: &Snapshot) -> Verdict {
        let (id, kind) = (deed.id, deed.kind());
        let room = self.server.room(&deed.room);
        let refused = deed
            .transmissions
            .iter()
            .any(|tx| tx.told == Told::NotApplied);
        let row = deed.action.changes().and_then(|message| {
            let known = snapshot.find(message)?.server_id.clone()?;
            room.place(&known).map(|place| &room.rows[place])
        });
        let holds = match &deed.action {
            Action::Edit { text, .. } => row.is_some_and(|row| row.texts.contains(text)),
            Action::Delete { .. } => row.is_some_and(|row| row.deleted),
            Action::MarkRead { up_to } => {
                let reached = room.read_to.as_ref().and_then(|known| room.place(known));
                reached >= room.place(up_to)
            }
            Action::Complete => room.completed,
            Action::Stop { question } => {
                deed.applied
                    || refused
                    || question.is_some_and(|question| over(snapshot, deed, question))
            }
            Action::Create(_) => self.devices[device]
                .book
                .bound
                .contains_key(&ConversationId::local(id)),
            Action::Archive { .. } | Action::Send { .. } => deed.applied,
        };
        if let Action::Delete { message, .. } = &deed.action
            && snapshot.find(*message).is_some_and(|row| !row.deleted)
        {
            return broken("INV-16", format!("{message} is deleted, and shown again"));
        }
        if holds {
            return Ok(());
        }
        broken(
            "INV-03",
            format!("{kind:?} {id} is said to be done, and is not"),
        )
    }
}

/// Whether the answer to a question is over, or not the newest, as far as the device knows.
fn over(snapshot: &Snapshot, deed: &Deed, question: ClientMessageId) -> bool {
    use tidings::domain::message::Completeness;
    let rows = snapshot.rows(&deed.room);
    let ended = rows
        .iter()
        .any(|row| row.answers == Some(question) && row.completeness != Completeness::Streaming);
    let on_wire = |state| matches!(state, DeliveryState::Sending | DeliveryState::Uncertain);
    let asked = rows
        .iter()
        .rfind(|row| row.own && (row.state.is_on_server() || on_wire(row.state)));
    ended || asked.is_some_and(|row| row.id != question)
}

/// A refusal for good is the server's word, or a rule's that is named.
fn failed_with_proof(deed: &Deed, code: Option<&str>) -> Verdict {
    let (id, kind) = (deed.id, deed.kind());
    let Some(code) = code else {
        return broken("INV-01", format!("{kind:?} {id} failed without a reason"));
    };
    let by_rule = [
        "send.expired",
        "message.deleted",
        "conversation.not_created",
    ];
    let last = deed.transmissions.last();
    let refused = last.is_some_and(|tx| tx.told == Told::NotApplied);
    if refused || by_rule.contains(&code) {
        return Ok(());
    }
    broken(
        "INV-03",
        format!("{kind:?} {id} failed as {code}, and nobody refused it"),
    )
}

/// What is taken back was the user's wish, or gave way to a newer one, or is let go with a reason.
fn cancelled_by_somebody(deed: &Deed, code: Option<&str>) -> Verdict {
    use ActionKind as K;
    let gives_way = matches!(deed.kind(), K::Edit | K::Delete | K::Archive);
    if deed.unwanted || gives_way || code.is_some() {
        return Ok(());
    }
    let (id, kind) = (deed.id, deed.kind());
    broken("INV-01", format!("{kind:?} {id} was cancelled by nobody"))
}

fn mark_end(deed: &Deed) {
    let Some(end) = &deed.end else { return };
    match (deed.kind(), end.state) {
        (ActionKind::Create, DeliveryState::Sent) => reached(Marker::begun_and_bound),
        (ActionKind::Edit, DeliveryState::Sent) => reached(Marker::edited),
        (ActionKind::Delete, DeliveryState::Sent) => reached(Marker::deleted),
        (ActionKind::MarkRead, DeliveryState::Sent) => reached(Marker::marked),
        (ActionKind::Archive, DeliveryState::Sent) => reached(Marker::archived),
        (ActionKind::Complete, DeliveryState::Sent) => reached(Marker::completed),
        (ActionKind::Stop, DeliveryState::Sent) => reached(Marker::stopped),
        (_, DeliveryState::Cancelled) => reached(Marker::action_cancelled),
        (_, _) if end.code.as_deref() == Some("send.expired") => reached(Marker::action_expired),
        (_, _) => reached(Marker::action_refused),
    }
}
