//! What becomes of an action other than a message: its attempts and its end.

use crate::domain::{
    conversation::{COMPLETED, Status},
    delivery::{DeliveryEvent, DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId},
    message::{Completeness, Message, ServerMessage},
    outbox::{Action, ActionKind, OutboxEntry},
    plant::planted,
    ports::{CreateOutcome, Rows, chat_repository::RowResult},
    rules::{
        binding, changes, conversations,
        editor::{Editor, Note},
        settle::{Performed, Settled, Settlement},
    },
    time::WallTime,
};

/// Rows looked at to learn which answer is the newest.
pub(super) const RECENT: usize = 64;

/// An action about to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Ask the server.
    Ask {
        /// The entry as stored.
        entry: Box<OutboxEntry>,
        /// The message that it changes, by the server's name.
        message: Option<MessageId>,
    },
    /// There is nothing left to ask.
    Moot,
}

/// Marks an action as on the wire and returns what to ask; `None` where it is not to be asked now:
/// gone, settled, or its message has no name at the server yet.
///
/// # Errors
/// The store's.
pub fn record_attempt(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    wire_id: Option<String>,
    now: WallTime,
) -> RowResult<Option<Errand>> {
    let Some(mut entry) = rows.outbox_entry(id)? else {
        return Ok(None);
    };
    let event = match entry.state {
        DeliveryState::Queued => DeliveryEvent::Transmit,
        DeliveryState::Uncertain => DeliveryEvent::TransmitAgain,
        _ => return Ok(None),
    };
    let message = match entry.action.changes() {
        Some(changed) => rows.message(changed)?.and_then(|row| row.server_id),
        None => None,
    };
    if entry.action.changes().is_some() && message.is_none() {
        entry.parked = true;
        rows.put_outbox(&entry)?;
        return Ok(None);
    }
    if let Action::Stop { question } = entry.action
        && is_over(rows, &entry.conversation, question)?
    {
        return Ok(Some(Errand::Moot));
    }
    entry.state = entry.state.after(event)?;
    entry.attempt += 1;
    entry.next_attempt_at = None;
    entry.wire_id = entry.wire_id.or(wire_id);
    let mut editor = Editor::open(rows, &entry.conversation)?;
    editor.rows().put_outbox(&entry)?;
    editor.journal_action(&entry, Note::at(now))?;
    editor.finish()?;
    let entry = Box::new(entry);
    Ok(Some(Errand::Ask { entry, message }))
}

/// Whether the answer to a question has ended, or a later message makes it the wrong one to stop.
fn is_over(
    rows: &mut dyn Rows,
    conversation: &ConversationId,
    question: Option<ClientMessageId>,
) -> RowResult<bool> {
    let Some(question) = question else {
        return Ok(false);
    };
    if planted("stop-never-leaves") {
        return Ok(true);
    }
    let recent = rows.page(conversation, None, RECENT, true)?;
    let newest = newest_question(&recent);
    let ended = recent
        .iter()
        .any(|row| row.answers == Some(question) && row.completeness != Completeness::Streaming);
    Ok(ended || newest.is_some_and(|newest| newest != question))
}

/// The last message of ours that the server has, or may have.
pub(super) fn newest_question(rows: &[Message]) -> Option<ClientMessageId> {
    let on_wire = |state| matches!(state, DeliveryState::Sending | DeliveryState::Uncertain);
    let asked = |row: &&Message| row.own && (row.state.is_on_server() || on_wire(row.state));
    rows.iter().rev().find(asked).map(|row| row.id)
}

/// Applies a settlement to an action.
///
/// # Errors
/// The store's.
pub fn settle(
    rows: &mut dyn Rows,
    entry: OutboxEntry,
    settlement: Settlement,
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    match settlement {
        Settlement::Applied(_) => performed(rows, entry, Performed::Plain, now, mint),
        Settlement::Done(done) => performed(rows, entry, done, now, mint),
        Settlement::Rejected(reason) | Settlement::Expired(reason) => {
            refused(rows, entry, reason, now)
        }
        Settlement::Lost {
            reason,
            next_attempt_at,
        } => waits(
            rows,
            entry,
            DeliveryEvent::Lost,
            reason,
            next_attempt_at,
            now,
        ),
        Settlement::NotApplied {
            reason,
            next_attempt_at,
        } => {
            let event = DeliveryEvent::ProvedNotApplied;
            waits(rows, entry, event, reason, next_attempt_at, now)
        }
        Settlement::Parked(reason) => parked(rows, entry, reason, now),
        Settlement::Waiting(reason) => {
            let entry = OutboxEntry {
                reason: Some(reason),
                ..entry
            };
            keep(rows, &entry, now)
        }
        Settlement::Withdrawn => Ok(Settled::default()),
    }
}

fn keep(rows: &mut dyn Rows, entry: &OutboxEntry, now: WallTime) -> RowResult<Settled> {
    let mut editor = Editor::open(rows, &entry.conversation)?;
    editor.rows().put_outbox(entry)?;
    let note = Note {
        at: now,
        reason: entry.reason.clone(),
        next_attempt_at: entry.next_attempt_at,
    };
    editor.journal_action(entry, note)?;
    editor.finish()?;
    Ok(Settled {
        failures: entry.failures,
        ..Settled::default()
    })
}

/// It is tried again. What has not left (a listing before it failed) stays queued.
fn waits(
    rows: &mut dyn Rows,
    entry: OutboxEntry,
    event: DeliveryEvent,
    reason: Reason,
    next_attempt_at: Option<WallTime>,
    now: WallTime,
) -> RowResult<Settled> {
    let state = entry.state.after(event).unwrap_or(entry.state);
    let after = OutboxEntry {
        state,
        failures: entry.failures + 1,
        reason: Some(reason),
        next_attempt_at,
        ..entry
    };
    keep(rows, &after, now)
}

/// Too old, and nobody knows: what the user may still care about asks, the rest is let go.
fn parked(
    rows: &mut dyn Rows,
    entry: OutboxEntry,
    reason: Reason,
    now: WallTime,
) -> RowResult<Settled> {
    if entry.kind().asks_when_unknown() {
        let entry = OutboxEntry {
            parked: true,
            failures: entry.failures + 1,
            reason: Some(reason),
            ..entry
        };
        return keep(rows, &entry, now);
    }
    let mut editor = Editor::open(rows, &entry.conversation)?;
    if entry.action == Action::Complete {
        editor.conversation_mut().completing = false;
    }
    let gone = OutboxEntry {
        state: DeliveryState::Cancelled,
        ..entry
    };
    editor.rows().remove_outbox(gone.id)?;
    editor.journal_action(&gone, Note::because(now, Some(reason)))?;
    editor.finish()?;
    Ok(Settled::default())
}

fn performed(
    rows: &mut dyn Rows,
    entry: OutboxEntry,
    done: Performed,
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    match (&entry.action, done) {
        (Action::Create(_), Performed::Created(outcome)) => {
            created(rows, Some(&entry), *outcome, now, mint)
        }
        // That it was done is known, what it became is not: a listing tells.
        (Action::Create(_), _) => {
            let text = "the conversation was created; which one it is, is not known yet";
            let reason = Reason::new("send.outcome_unknown", true, text);
            waits(rows, entry, DeliveryEvent::Lost, reason, None, now)
        }
        (Action::Complete, done) => {
            let mut editor = Editor::open(rows, &entry.conversation)?;
            let conversation = editor.conversation_mut();
            conversation.completing = false;
            match done {
                Performed::Completed(said) => conversation.merge(*said),
                _ => conversation.server.status = Some(Status::new(COMPLETED)),
            }
            finish(&mut editor, entry, now)?;
            editor.finish().map(|_| Settled::default())
        }
        (_, done) => {
            let said: Option<Box<ServerMessage>> = match done {
                Performed::Edited(said) => Some(said),
                _ => None,
            };
            let mut editor = Editor::open(rows, &entry.conversation)?;
            finish(&mut editor, entry.clone(), now)?;
            changes::done(&mut editor, &entry, said.as_deref(), now)?;
            editor.finish().map(|_| Settled::default())
        }
    }
}

fn created(
    rows: &mut dyn Rows,
    creation: Option<&OutboxEntry>,
    outcome: CreateOutcome,
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    let (CreateOutcome::Created(said, messages) | CreateOutcome::Existing(said, messages)) =
        outcome;
    conversations::unbury(rows, &said.id)?;
    let id = said.id.clone();
    match creation {
        Some(creation) => binding::bind(rows, creation, said, now)?,
        None => conversations::upsert(rows, said, now)?,
    };
    let (conversation, merged) = conversations::greet(rows, &id, &messages, now, mint)?;
    Ok(Settled {
        merged,
        created: Some(conversation),
        ..Settled::default()
    })
}

/// An answer to an action that is settled already. A conversation it speaks of exists.
///
/// # Errors
/// The store's.
pub fn late(
    rows: &mut dyn Rows,
    done: Performed,
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    match done {
        Performed::Created(outcome) => created(rows, None, *outcome, now, mint),
        _ => Ok(Settled::default()),
    }
}

/// Takes a done action out of the outbox.
pub(super) fn finish(editor: &mut Editor<'_>, entry: OutboxEntry, now: WallTime) -> RowResult<()> {
    let done = OutboxEntry {
        state: entry.state.after(DeliveryEvent::FoundOnServer)?,
        ..entry
    };
    editor.rows().remove_outbox(done.id)?;
    editor.journal_action(&done, Note::at(now))
}

/// Ends an action as cancelled; what it showed is the caller's to undo.
pub(super) fn drop_silently(
    editor: &mut Editor<'_>,
    entry: OutboxEntry,
    now: WallTime,
) -> RowResult<()> {
    let gone = OutboxEntry {
        state: DeliveryState::Cancelled,
        ..entry
    };
    editor.rows().remove_outbox(gone.id)?;
    editor.journal_action(&gone, Note::at(now))
}

/// Ends an action as failed: kept where something typed would go with it.
pub(super) fn give_up(
    editor: &mut Editor<'_>,
    entry: OutboxEntry,
    reason: Reason,
    now: WallTime,
) -> RowResult<()> {
    let failed = OutboxEntry {
        state: DeliveryState::Failed,
        failures: entry.failures + 1,
        reason: Some(reason.clone()),
        next_attempt_at: None,
        parked: false,
        ..entry
    };
    if failed.kind().is_kept_when_refused() {
        editor.rows().put_outbox(&failed)?;
    } else {
        editor.rows().remove_outbox(failed.id)?;
    }
    if planted("expired-silently") && reason.code == "send.expired" {
        return Ok(());
    }
    editor.journal_action(&failed, Note::because(now, Some(reason)))
}

/// Refused for good, or expired: what it showed is taken back, with the reason in the journal.
fn refused(
    rows: &mut dyn Rows,
    entry: OutboxEntry,
    reason: Reason,
    now: WallTime,
) -> RowResult<Settled> {
    let mut editor = Editor::open(rows, &entry.conversation)?;
    give_up(&mut editor, entry.clone(), reason, now)?;
    lift(&mut editor, &entry, now)?;
    editor.finish()?;
    Ok(Settled {
        failures: entry.failures + 1,
        ..Settled::default()
    })
}

/// Takes back what an action showed; the entry itself no longer waits.
pub(super) fn lift(editor: &mut Editor<'_>, entry: &OutboxEntry, now: WallTime) -> RowResult<()> {
    if let Some(message) = entry.action.changes()
        && let Some(row) = editor.rows().message(message)?
    {
        let text = entry.action.beneath().unwrap_or_default();
        return changes::show(editor, &row, text).map(drop);
    }
    match &entry.action {
        Action::Archive { .. } if planted("refused-stays-archived") => {}
        Action::Archive { beneath, .. } => unshelve(editor, entry.order, *beneath)?,
        Action::Complete => editor.conversation_mut().completing = false,
        Action::Create(_) => strand(editor, now)?,
        _ => {}
    }
    Ok(())
}

/// An archive mark goes back to what was beneath it; to be seen where no later one lies over it.
fn unshelve(editor: &mut Editor<'_>, order: i64, before: bool) -> RowResult<()> {
    let id = editor.conversation().id.clone();
    let track = ActionKind::Archive.track();
    let waiting = editor.rows().outbox_track(&id, track)?;
    let mut later = waiting.into_iter().filter(|entry| entry.order > order);
    let Some(mut next) = later.next() else {
        editor.conversation_mut().archived = before;
        return Ok(());
    };
    if let Action::Archive { beneath, .. } = &mut next.action {
        *beneath = before;
    }
    editor.rows().put_outbox(&next)
}

/// The reason of what waited for a conversation that was not created.
const NOT_CREATED: &str = "conversation.not_created";

/// A conversation could not be created: what waits in it fails with it, text kept.
fn strand(editor: &mut Editor<'_>, now: WallTime) -> RowResult<()> {
    let id = editor.conversation().id.clone();
    let reason = Reason::new(NOT_CREATED, true, "its conversation could not be created");
    for mut entry in editor.rows().outbox(Some(&id))? {
        if entry.state != DeliveryState::Queued {
            continue;
        }
        if !entry.is_send() {
            give_up(editor, entry.clone(), reason.clone(), now)?;
            lift(editor, &entry, now)?;
            continue;
        }
        let event = DeliveryEvent::Rejected;
        entry.state = entry.state.after(event)?;
        entry.reason = Some(reason.clone());
        editor.rows().put_outbox(&entry)?;
        if let Some(row) = editor.rows().message(entry.id)? {
            let note = Note::because(now, Some(reason.clone()));
            editor.deliver(&row, event, note, |_| {})?;
        }
    }
    Ok(())
}

/// Puts a failed action back into the queue; `None` where there is no such, or it has not failed.
///
/// # Errors
/// The store's.
pub fn retry(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    expires_at: WallTime,
    now: WallTime,
) -> RowResult<Option<OutboxEntry>> {
    let Some(entry) = rows.outbox_entry(id)? else {
        return Ok(None);
    };
    if entry.is_send() || entry.state != DeliveryState::Failed {
        return Ok(None);
    }
    let again = OutboxEntry {
        state: entry.state.after(DeliveryEvent::RetryRequested)?,
        failures: 0,
        reason: None,
        expires_at,
        ..entry
    };
    let mut editor = Editor::open(rows, &again.conversation)?;
    let again = relay(&mut editor, again, expires_at, now)?;
    editor.rows().put_outbox(&again)?;
    editor.journal_action(&again, Note::at(now))?;
    if let Some(row) = changed(&mut editor, &again)? {
        let text = again.action.beneath().unwrap_or_default().to_owned();
        changes::show(&mut editor, &row, &text)?;
    }
    editor.finish()?;
    Ok(Some(again))
}

/// A conversation that could not be created is asked for again: something new is to go into it.
/// What failed with it stays the user's to decide.
pub(super) fn revive(
    editor: &mut Editor<'_>,
    expires_at: WallTime,
    now: WallTime,
) -> RowResult<()> {
    let id = editor.conversation().id.clone();
    let Some(failed) = binding::failed(editor.rows(), &id)? else {
        return Ok(());
    };
    let again = OutboxEntry {
        state: failed.state.after(DeliveryEvent::RetryRequested)?,
        failures: 0,
        reason: None,
        expires_at,
        ..failed
    };
    editor.rows().put_outbox(&again)?;
    editor.journal_action(&again, Note::at(now))
}

fn changed(editor: &mut Editor<'_>, entry: &OutboxEntry) -> RowResult<Option<Message>> {
    match entry.action.changes() {
        Some(message) => editor.rows().message(message),
        None => Ok(None),
    }
}

/// What a retried action needs about it: a change lies over what is there now, and a creation
/// brings back what failed with it.
fn relay(
    editor: &mut Editor<'_>,
    mut entry: OutboxEntry,
    expires_at: WallTime,
    now: WallTime,
) -> RowResult<OutboxEntry> {
    if let Some(row) = changed(editor, &entry)? {
        let text = changes::beneath(editor.rows(), &row)?;
        entry.parked = row.server_id.is_none();
        entry.action = entry.action.over(&text);
    }
    if !matches!(entry.action, Action::Create(_)) {
        return Ok(entry);
    }
    let id = editor.conversation().id.clone();
    for mut send in editor.rows().outbox(Some(&id))? {
        let stranded = |reason: &Reason| reason.code == NOT_CREATED;
        let with_it = send.is_send() && send.reason.as_ref().is_some_and(stranded);
        let Some(row) = editor.rows().message(send.id)?.filter(|_| with_it) else {
            continue;
        };
        let event = DeliveryEvent::RetryRequested;
        send.state = send.state.after(event)?;
        (send.reason, send.expires_at) = (None, expires_at);
        editor.rows().put_outbox(&send)?;
        editor.deliver(&row, event, Note::at(now), |_| {})?;
    }
    Ok(entry)
}

/// Takes an action back that has not been done for certain; `None` where that cannot be: it is on
/// the wire, there is no such, or it is a conversation's beginning, which is deleted instead.
///
/// # Errors
/// The store's.
pub fn cancel(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    now: WallTime,
) -> RowResult<Option<OutboxEntry>> {
    let Some(entry) = rows.outbox_entry(id)? else {
        return Ok(None);
    };
    let fixed = entry.is_send() || matches!(entry.action, Action::Create(_));
    if fixed || entry.state.after(DeliveryEvent::CancelRequested).is_err() {
        return Ok(None);
    }
    let mut editor = Editor::open(rows, &entry.conversation)?;
    drop_silently(&mut editor, entry.clone(), now)?;
    // One that failed was taken back then.
    if entry.state != DeliveryState::Failed {
        lift(&mut editor, &entry, now)?;
    }
    editor.finish()?;
    Ok(Some(entry))
}
