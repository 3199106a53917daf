//! Accepting an action into the outbox: beside, or folded into, what waits already.

use crate::domain::{
    delivery::DeliveryState,
    ids::ClientMessageId,
    outbox::{Action, ActionKind, Fold, OutboxEntry, SendMode, fold},
    plant::planted,
    ports::chat_repository::RowResult,
    rules::{
        act,
        editor::{Editor, Note},
    },
    time::WallTime,
};

/// When, and under which key.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The key, should an entry of its own be needed.
    pub id: ClientMessageId,
    /// Now.
    pub now: WallTime,
    /// When it is too old to be worth doing.
    pub expires_at: WallTime,
}

/// Accepts an action; the key of the entry that holds it, `None` where nothing is left to do.
///
/// `held` parks it: it waits for the send of the message that it changes.
pub(super) fn enqueue(
    editor: &mut Editor<'_>,
    stamp: Stamp,
    action: Action,
    held: bool,
) -> RowResult<Option<ClientMessageId>> {
    let waiting = last_about(editor, &action)?;
    let folded = waiting.as_ref().map_or(Fold::Behind, |waiting| {
        fold(&waiting.action, waiting.state, waiting.attempt, &action)
    });
    match (folded, waiting) {
        (Fold::Into(action), Some(waiting)) => renew(editor, waiting, action, stamp).map(Some),
        (Fold::Instead(action), Some(waiting)) => {
            act::drop_silently(editor, waiting, stamp.now)?;
            append(editor, stamp, action, held).map(Some)
        }
        (Fold::Neither, Some(waiting)) => {
            act::drop_silently(editor, waiting, stamp.now)?;
            Ok(None)
        }
        (Fold::Already, Some(waiting)) => Ok(Some(waiting.id)),
        _ => append(editor, stamp, action, held).map(Some),
    }
}

/// The last entry about the same thing.
fn last_about(editor: &mut Editor<'_>, action: &Action) -> RowResult<Option<OutboxEntry>> {
    let id = editor.conversation().id.clone();
    let kind = action.kind();
    let mut about = match (action.changes(), kind) {
        (Some(message), _) => editor.rows().outbox_changes(message)?,
        (None, ActionKind::Send | ActionKind::Create) => Vec::new(),
        (None, _) => editor.rows().outbox_track(&id, kind.track())?,
    };
    about.retain(|entry| entry.state.is_pending() || entry.action.changes().is_some());
    about.retain(|entry| entry.action.changes().is_some() || entry.kind() == kind);
    let Some(mut last) = about.pop() else {
        return Ok(None);
    };
    if let Some(beneath) = action.beneath() {
        // A failed one was not told of what the server has said since.
        last.action = last.action.over(beneath);
    }
    Ok(Some(last))
}

/// The waiting entry says the new thing from now on, with a fresh life.
fn renew(
    editor: &mut Editor<'_>,
    waiting: OutboxEntry,
    action: Action,
    stamp: Stamp,
) -> RowResult<ClientMessageId> {
    let state = match waiting.state {
        DeliveryState::Failed => DeliveryState::Queued,
        state => state,
    };
    let renewed = OutboxEntry {
        action,
        state,
        expires_at: stamp.expires_at,
        ..waiting
    };
    editor.rows().put_outbox(&renewed)?;
    editor.journal_action(&renewed, Note::at(stamp.now))?;
    Ok(renewed.id)
}

fn append(
    editor: &mut Editor<'_>,
    stamp: Stamp,
    action: Action,
    held: bool,
) -> RowResult<ClientMessageId> {
    let mut order = editor.rows().next_order()?;
    if action == Action::Complete && planted("end-overtakes") {
        order = 0;
    }
    let entry = OutboxEntry {
        id: stamp.id,
        conversation: editor.conversation().id.clone(),
        action,
        mode: SendMode::Durable,
        state: DeliveryState::Queued,
        order,
        attempt: 0,
        failures: 0,
        accepted_at: stamp.now,
        expires_at: stamp.expires_at,
        next_attempt_at: None,
        reason: None,
        wire_id: None,
        parked: held,
    };
    if entry.kind() != ActionKind::Create {
        act::revive(editor, stamp.expires_at, stamp.now)?;
    }
    editor.rows().put_outbox(&entry)?;
    editor.journal_action(&entry, Note::at(stamp.now))?;
    Ok(entry.id)
}
