//! Merging what the server tells of messages: the one rule for history, pushes and receipts.
//!
//! Each server row is matched to at most one stored row, and each stored row to at most one
//! server row (`matcher`). Equal text alone never merges two rows of the server's. What matches
//! nothing is new.
//!
//! History gives a row its place. A push does so only when nothing before it still waits for one. An
//! own row that is pushed without the key it was sent with may be one of this device's, or another
//! device's: while one of this device's may be on the server, only the history tells which.

use std::collections::BTreeSet;

use crate::domain::{
    cursor::Gap,
    delivery::{DeliveryEvent, DeliveryState},
    ids::{ClientMessageId, MessageId},
    message::{Completeness, Message, Role, ServerMessage},
    order::SortKey,
    plant::planted,
    ports::chat_repository::RowResult,
    rules::{
        asked, changes,
        editor::{Editor, Note, blank},
        gaps::{self, Proof},
        matcher::Matcher,
        placement::keys_between,
        said::{is_news, said_of},
        settle_down,
    },
    sorted_map::SortedMap,
    sorting::filled,
    time::WallTime,
};

/// Answers of a page whose pieces may still be on their way.
const TOLD: usize = 4;

/// What the rows' order in the page proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A page of history that continues what is stored, towards the newest.
    Newer,
    /// A page of history before what is stored.
    Older,
    /// A page of history that ends where the gap behind this key does.
    Gap(SortKey),
    /// Single rows pushed by the server.
    Live,
    /// Single rows that came while history was being read, or with a confirmation: rows before
    /// them may still be unknown, so only the next read places them.
    Early,
}

impl Placement {
    /// Whether the page lies before rows that were read earlier.
    pub(super) const fn is_backward(self) -> bool {
        matches!(self, Self::Older | Self::Gap(_))
    }

    /// The newest place before the page that was known already; `None` where it is unknown.
    pub(super) const fn end(self) -> Option<SortKey> {
        match self {
            Self::Gap(below) => Some(below),
            _ => None,
        }
    }

    /// Whether the rows came by themselves rather than as a part of the history.
    pub(super) const fn is_push(self) -> bool {
        matches!(self, Self::Live | Self::Early)
    }
}

/// Server rows to merge.
#[derive(Debug)]
pub struct Merge<'a> {
    /// In the server's order.
    pub page: &'a [ServerMessage],
    /// What that order proves.
    pub placement: Placement,
    /// What the page proves of what lies between its rows and around them; pushes prove nothing.
    pub proof: Option<Proof<'a>>,
    /// Now, for the journal.
    pub now: WallTime,
}

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Rows new to this device, in order.
    pub inserted: Vec<ClientMessageId>,
    /// Who spoke in those of them that are not our own.
    pub received: Vec<Role>,
    /// Own messages that turned out to be on the server.
    pub confirmed: Vec<ClientMessageId>,
    /// Streamed answers that the server's own row replaced.
    pub answers: Vec<ClientMessageId>,
    /// Partial answers that were taken away: a row of the page says all that they said.
    pub absorbed: Vec<ClientMessageId>,
    /// The newest answers in the page, by their row.
    pub told: Vec<(MessageId, String)>,
    /// Own messages that another's row followed: a question that has been answered.
    pub answered: Vec<ClientMessageId>,
    /// Whether the newest row of the page is somebody else's.
    pub ends_with_other: bool,
    /// Whether a row of the page still waits for its place, or something is missing before one: the
    /// next read of the history gives it.
    pub unplaced: bool,
}

/// Merges a page into the open conversation.
///
/// # Errors
/// The store's.
pub fn merge(
    editor: &mut Editor<'_>,
    request: Merge<'_>,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Merged> {
    let mut page = distinct(request.page);
    let withheld = request.placement.is_push() && withhold(editor, &mut page)?;
    let mut matcher = Matcher::load(editor, request.placement, &page)?;
    let mut slots = Vec::with_capacity(page.len());
    for said in page {
        let row = matcher.find(editor.rows(), said)?;
        let gap = row.as_ref().and_then(|row| row.gap.clone());
        let answers = row.as_ref().and_then(|row| row.answers);
        slots.push(Slot {
            said,
            row,
            gap,
            beyond: false,
            answers,
        });
    }
    let mut merged = Merged::default();
    let keys = place(editor, &slots, request.placement)?;
    asked::believe(editor, &mut slots, &keys)?;
    asked::note_answered(editor, &slots, &keys, request.placement, &mut merged)?;
    let hole = gaps::mark(editor, &mut slots, &keys, request.proof.as_ref())?;
    merged.unplaced = withheld || hole || keys.iter().any(Option::is_none);
    merged.told = told(&slots);
    let fragments = matcher.fragments(&slots);
    for (slot, key) in slots.into_iter().zip(keys) {
        store(editor, slot, key, &request, mint, &mut merged)?;
    }
    for fragment in fragments {
        editor.remove(&fragment)?;
        merged.absorbed.push(fragment.id);
    }
    if !request.placement.is_push() {
        settle_down::settle_down(editor)?;
    }
    Ok(merged)
}

/// What a stream that is slower than the history may still bring.
fn told(slots: &[Slot<'_>]) -> Vec<(MessageId, String)> {
    let answer = |said: &&ServerMessage| said.role == Role::Assistant && !said.deleted;
    let texts = slots.iter().map(|slot| slot.said).filter(answer);
    let mut newest: Vec<_> = texts
        .rev()
        .take(TOLD)
        .map(|said| (said.id.clone(), said.text.clone()))
        .collect();
    newest.reverse();
    newest
}

/// A row of the page, and the stored one that it was matched to.
pub(super) struct Slot<'a> {
    pub(super) said: &'a ServerMessage,
    pub(super) row: Option<Message>,
    /// What is missing right behind it, once the page is stored.
    pub(super) gap: Option<Gap>,
    /// Whether it lies beyond what this device loaded: then it is left out.
    pub(super) beyond: bool,
    /// The question that the row is taken for the answer of.
    pub(super) answers: Option<ClientMessageId>,
}

/// One row an id: the first place, the highest revision. Blank rows of others are no messages.
fn distinct(page: &[ServerMessage]) -> Vec<&ServerMessage> {
    let mut seen: Vec<&ServerMessage> = Vec::with_capacity(page.len());
    let mut places = SortedMap::new();
    for said in page {
        if !said.own && !said.deleted && said.text.trim().is_empty() {
            continue;
        }
        match places.get(&said.id) {
            None => {
                places.insert(&said.id, seen.len());
                seen.push(said);
            }
            Some(at) if seen[*at].revision < said.revision => seen[*at] = said,
            Some(_) => {}
        }
    }
    seen
}

/// Leaves out what may be a message of ours that waits for its confirmation, and says whether there
/// was any. Stored as a row of its own, it would be there twice, and a read that looks for ours would
/// find it taken.
fn withhold(editor: &mut Editor<'_>, page: &mut Vec<&ServerMessage>) -> RowResult<bool> {
    let id = editor.conversation().id.clone();
    let mut doubtful = Vec::new();
    for said in page.iter() {
        let nameless = said.own && said.client_id.is_none();
        if nameless && editor.rows().message_by_server_id(&id, &said.id)?.is_none() {
            doubtful.push(said.id.clone());
        }
    }
    // A confirmation's row is known: after a long queue, those that wait for their place are many.
    if doubtful.is_empty() {
        return Ok(false);
    }
    let waiting = editor.rows().unplaced(&id)?;
    if !waiting.iter().any(|row| row.own && row.may_be_on_server()) {
        return Ok(false);
    }
    page.retain(|said| !doubtful.contains(&said.id));
    Ok(true)
}

/// The key of every slot: kept where placed, `None` where a push cannot be placed yet.
fn place(
    editor: &mut Editor<'_>,
    slots: &[Slot<'_>],
    placement: Placement,
) -> RowResult<Vec<Option<SortKey>>> {
    let mut keys: Vec<Option<SortKey>> = slots.iter().map(known_key).collect();
    if placement.is_push() && waits_for_place(editor, slots, placement)? {
        return Ok(keys);
    }
    let mut at = 0;
    while at < keys.len() {
        if keys[at].is_some() {
            at += 1;
            continue;
        }
        let end = (at..keys.len())
            .find(|i| keys[*i].is_some())
            .unwrap_or(keys.len());
        let left = at.checked_sub(1).and_then(|i| keys[i]);
        let right = keys.get(end).copied().flatten();
        let run = keys_between(editor, left, right, end - at, placement)?;
        for (slot, key) in keys[at..end].iter_mut().zip(run) {
            *slot = Some(key);
        }
        at = end;
    }
    Ok(keys)
}

fn known_key(slot: &Slot<'_>) -> Option<SortKey> {
    match (&slot.row, slot.said.sequence) {
        (Some(row), _) if row.key.is_server() && row.server_id.is_some() => Some(row.key),
        (_, Some(sequence)) => Some(SortKey::server(sequence)),
        _ => None,
    }
}

/// Whether rows that are not part of this push still wait for their place before it.
fn waits_for_place(
    editor: &mut Editor<'_>,
    slots: &[Slot<'_>],
    placement: Placement,
) -> RowResult<bool> {
    if placement == Placement::Early {
        return Ok(true);
    }
    let id = editor.conversation().id.clone();
    let rows = slots.iter().filter_map(|slot| slot.row.as_ref());
    let pushed: BTreeSet<_> = filled(rows.map(|row| row.id));
    let waiting = editor.rows().unplaced(&id)?;
    let on_server =
        |row: &Message| row.server_id.is_some() || (row.own && row.state.is_on_server());
    Ok(waiting
        .iter()
        .any(|row| on_server(row) && !pushed.contains(&row.id)))
}

fn store(
    editor: &mut Editor<'_>,
    slot: Slot<'_>,
    key: Option<SortKey>,
    request: &Merge<'_>,
    mint: &mut dyn FnMut() -> ClientMessageId,
    merged: &mut Merged,
) -> RowResult<()> {
    let Slot {
        said,
        row,
        gap,
        beyond,
        answers,
    } = slot;
    if beyond {
        return Ok(());
    }
    let key = match &row {
        // Where it stood was this device's guess: now it waits for its place like any other.
        Some(row) if key.is_none() && row.server_id.is_none() && row.key.is_server() => {
            Some(SortKey::pending(editor.rows().next_order()?))
        }
        _ => key,
    };
    let place = Place { key, gap, answers };
    match row {
        None => insert(editor, said, place, mint, merged),
        Some(row) if row.own => confirm(editor, &row, said, place, request, merged),
        Some(row) if planted("replace-by-new-row") && row.server_id.is_none() => {
            editor.remove(&row)?;
            insert(editor, said, place, mint, merged)
        }
        Some(row) => replace(editor, &row, said, place, request, merged),
    }
}

/// Where a row stands, and what is missing right behind it.
pub(super) struct Place {
    pub(super) key: Option<SortKey>,
    pub(super) gap: Option<Gap>,
    pub(super) answers: Option<ClientMessageId>,
}

fn insert(
    editor: &mut Editor<'_>,
    said: &ServerMessage,
    place: Place,
    mint: &mut dyn FnMut() -> ClientMessageId,
    merged: &mut Merged,
) -> RowResult<()> {
    let key = match place.key {
        Some(key) => key,
        None => SortKey::pending(editor.rows().next_order()?),
    };
    let conversation = editor.conversation().id.clone();
    let seen = editor
        .conversation()
        .read_to
        .is_some_and(|marker| marker.is_server() && key <= marker);
    let message = Message {
        server_id: Some(said.id.clone()),
        role: said.role.clone(),
        sender: said.sender.clone(),
        own: said.own,
        text: if said.deleted {
            String::new()
        } else {
            said.text.clone()
        },
        key,
        created_at: said.created_at,
        deleted: said.deleted,
        unread: !said.own && !said.deleted && said.role.is_countable() && !seen,
        revision: said.revision,
        gap: place.gap,
        ..blank(mint(), &conversation)
    };
    editor.insert(&message)?;
    merged.inserted.push(message.id);
    if !message.own {
        merged.received.push(message.role);
    }
    Ok(())
}

/// An own message that the server has: bound once, its delivery proved.
fn confirm(
    editor: &mut Editor<'_>,
    row: &Message,
    said: &ServerMessage,
    place: Place,
    request: &Merge<'_>,
    merged: &mut Merged,
) -> RowResult<()> {
    let after = said_of(row, said, place, request.placement);
    if after == *row && row.state.is_on_server() {
        return beneath(editor, row, row, said, request);
    }
    if !row.state.is_on_server() {
        editor.rows().remove_outbox(row.id)?;
        merged.confirmed.push(row.id);
    }
    let placed = after.key;
    let sent = editor.deliver(
        row,
        DeliveryEvent::FoundOnServer,
        Note::at(request.now),
        |changed| {
            let state = changed.state;
            *changed = Message { state, ..after };
        },
    )?;
    if placed.is_server() && !row.key.is_server() {
        asked::disown_above(editor, &sent)?;
    }
    changes::follow(editor, &sent, request.now)?;
    beneath(editor, row, &sent, said, request)
}

/// Where changes of the user's lie over the row, the server's word goes beneath them.
fn beneath(
    editor: &mut Editor<'_>,
    before: &Message,
    now: &Message,
    said: &ServerMessage,
    request: &Merge<'_>,
) -> RowResult<()> {
    if now.overlay.is_some() && is_news(before, said, request.placement) {
        changes::told(editor, now, said, request.now)?;
    }
    Ok(())
}

/// Another's message that is here already, or a streamed answer that the server's row replaces.
fn replace(
    editor: &mut Editor<'_>,
    row: &Message,
    said: &ServerMessage,
    place: Place,
    request: &Merge<'_>,
    merged: &mut Merged,
) -> RowResult<()> {
    let mut after = said_of(row, said, place, request.placement);
    if row.server_id.is_none() {
        // No history says that an answer was stopped.
        if row.completeness != Completeness::Stopped {
            after.completeness = Completeness::Complete;
        }
        merged.answers.push(row.id);
    }
    if after != *row || planted("again-is-a-change") {
        after.state = row.state.max(DeliveryState::Sent);
        let now = editor.update(row, after)?;
        return beneath(editor, row, &now, said, request);
    }
    beneath(editor, row, row, said, request)
}
