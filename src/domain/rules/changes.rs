//! Changes of messages that wait in the outbox: the overlay shows them at once, keeps what the
//! server says beneath it, and is lifted when the last of them ends.

use crate::domain::{
    delivery::{DeliveryEvent, DeliveryState, Reason},
    ids::ClientMessageId,
    message::{Message, Overlay, ServerMessage},
    outbox::{Action, OutboxEntry},
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        act,
        editor::{Editor, Note},
    },
    time::WallTime,
};

/// The changes of a message that still wait, by accept order.
pub(super) fn pending(
    rows: &mut dyn Rows,
    message: ClientMessageId,
) -> RowResult<Vec<OutboxEntry>> {
    let mut changes = rows.outbox_changes(message)?;
    changes.retain(|entry| entry.state.is_pending());
    Ok(changes)
}

/// Shows a message as the last waiting change leaves it, over the server's text.
pub(super) fn show(editor: &mut Editor<'_>, row: &Message, beneath: &str) -> RowResult<Message> {
    let last = pending(editor.rows(), row.id)?.pop();
    let after = laid(row, beneath, last.as_ref().map(|entry| &entry.action));
    if after == *row {
        return Ok(after);
    }
    editor.update(row, after)
}

fn laid(row: &Message, beneath: &str, change: Option<&Action>) -> Message {
    let (text, overlay) = match change {
        Some(Action::Edit { text, .. }) => (text.as_str(), Some(Overlay::Edited)),
        Some(Action::Delete { .. }) => ("", Some(Overlay::Deleted)),
        _ => (beneath, None),
    };
    let deleted = overlay == Some(Overlay::Deleted);
    Message {
        text: text.to_owned(),
        deleted,
        unread: row.unread && !deleted,
        overlay,
        ..row.clone()
    }
}

/// The text that the server has, or was sent, under what is shown.
pub(super) fn beneath(rows: &mut dyn Rows, row: &Message) -> RowResult<String> {
    if row.overlay.is_none() {
        return Ok(row.text.clone());
    }
    let first = pending(rows, row.id)?.into_iter().next();
    let text = first.as_ref().and_then(|entry| entry.action.beneath());
    Ok(text.unwrap_or(&row.text).to_owned())
}

/// The server has done a change; `said` is the message after it, where it told.
pub(super) fn done(
    editor: &mut Editor<'_>,
    entry: &OutboxEntry,
    said: Option<&ServerMessage>,
    now: WallTime,
) -> RowResult<()> {
    let Some(row) = entry.action.changes().map(|id| editor.rows().message(id)) else {
        return Ok(());
    };
    let Some(row) = row? else { return Ok(()) };
    match &entry.action {
        Action::Edit { text, .. } => {
            let text = said.map_or(text.as_str(), |said| said.text.as_str());
            let revision = said.map_or(row.revision, |said| said.revision.max(row.revision));
            rebase(editor, row.id, text)?;
            show(editor, &Message { revision, ..row }, text).map(drop)
        }
        Action::Delete { beneath, .. } if planted("deleted-comes-back") => {
            show(editor, &row, beneath).map(drop)
        }
        _ => bury(editor, &row, now),
    }
}

/// The server's text under the waiting changes is another one now.
fn rebase(editor: &mut Editor<'_>, message: ClientMessageId, text: &str) -> RowResult<()> {
    for mut entry in pending(editor.rows(), message)? {
        if entry.action.beneath() != Some(text) {
            entry.action = entry.action.over(text);
            editor.rows().put_outbox(&entry)?;
        }
    }
    Ok(())
}

/// The message is gone at the server: a tombstone for good, and no change of it waits any more.
fn bury(editor: &mut Editor<'_>, row: &Message, now: WallTime) -> RowResult<()> {
    let waiting = pending(editor.rows(), row.id)?;
    let tomb = Message {
        deleted: true,
        unread: false,
        text: String::new(),
        overlay: None,
        ..row.clone()
    };
    if tomb != *row {
        editor.update(row, tomb)?;
    }
    let reason = Reason::new(
        "message.deleted",
        false,
        "the message was deleted meanwhile",
    );
    for entry in waiting {
        match &entry.action {
            Action::Delete { .. } => act::finish(editor, entry, now)?,
            _ => act::give_up(editor, entry, reason.clone(), now)?,
        }
    }
    Ok(())
}

/// The server told of a message over which changes lie: its word goes beneath them.
pub(super) fn told(
    editor: &mut Editor<'_>,
    row: &Message,
    said: &ServerMessage,
    now: WallTime,
) -> RowResult<()> {
    if said.deleted {
        return bury(editor, row, now);
    }
    rebase(editor, row.id, &said.text)?;
    let first = pending(editor.rows(), row.id)?.into_iter().next();
    let applied = |entry: &OutboxEntry| {
        let same = matches!(&entry.action, Action::Edit { text, .. } if *text == said.text);
        same && entry.state == DeliveryState::Uncertain
    };
    if let Some(entry) = first.filter(applied) {
        // Its confirmation was lost; here is the proof.
        act::finish(editor, entry.clone(), now)?;
        done(editor, &entry, Some(said), now)?;
    }
    Ok(())
}

/// A message's own delivery moved on: what waited for it is let go, folded in, or dropped.
pub(super) fn follow(editor: &mut Editor<'_>, row: &Message, now: WallTime) -> RowResult<()> {
    if row.overlay.is_none() {
        return Ok(());
    }
    match row.state {
        DeliveryState::Queued | DeliveryState::Failed => fold_in(editor, row, now),
        DeliveryState::Cancelled => drop_all(editor, row, now).map(drop),
        state if state.is_on_server() && row.server_id.is_some() => release(editor, row.id),
        _ => Ok(()),
    }
}

fn release(editor: &mut Editor<'_>, message: ClientMessageId) -> RowResult<()> {
    for mut entry in pending(editor.rows(), message)? {
        if entry.parked && entry.state == DeliveryState::Queued {
            entry.parked = false;
            entry.reason = None;
            editor.rows().put_outbox(&entry)?;
        }
    }
    Ok(())
}

/// The server does not have it: the last change is what will be sent, or nothing will.
fn fold_in(editor: &mut Editor<'_>, row: &Message, now: WallTime) -> RowResult<()> {
    let last = pending(editor.rows(), row.id)?.pop();
    let bare = drop_all(editor, row, now)?;
    match last.map(|entry| entry.action) {
        Some(Action::Edit { text, .. }) => rewrite(editor, &bare, text).map(drop),
        Some(Action::Delete { .. }) => take_back(editor, &bare, now).map(drop),
        _ => Ok(()),
    }
}

/// Changes the text of a message that has not left.
pub(super) fn rewrite(editor: &mut Editor<'_>, row: &Message, text: String) -> RowResult<Message> {
    let send = editor.rows().outbox_entry(row.id)?;
    if let Some(mut send) = send.filter(|_| !planted("edit-unsent-shown-only")) {
        let text = text.clone();
        send.action = Action::Send { text };
        editor.rows().put_outbox(&send)?;
    }
    editor.update(
        row,
        Message {
            text,
            ..row.clone()
        },
    )
}

/// Takes a message back that the server does not have, or may not have.
pub(super) fn take_back(
    editor: &mut Editor<'_>,
    row: &Message,
    now: WallTime,
) -> RowResult<Message> {
    if !planted("deleted-still-queued") {
        editor.rows().remove_outbox(row.id)?;
    }
    let event = DeliveryEvent::CancelRequested;
    let after = editor.deliver(row, event, Note::at(now), |_| {})?;
    if after.overlay.is_some() {
        return drop_all(editor, &after, now);
    }
    Ok(after)
}

/// Ends every change of a message whose row goes; the text that the user gave it last.
pub(super) fn abandon(
    editor: &mut Editor<'_>,
    row: &Message,
    now: WallTime,
) -> RowResult<Option<String>> {
    let changes = editor.rows().outbox_changes(row.id)?;
    let last = changes.last().map(|entry| entry.text().to_owned());
    for entry in changes {
        act::drop_silently(editor, entry, now)?;
    }
    Ok(last.filter(|text| !text.is_empty()))
}

/// Ends every change of a message as cancelled, and shows what lies beneath.
fn drop_all(editor: &mut Editor<'_>, row: &Message, now: WallTime) -> RowResult<Message> {
    let text = beneath(editor.rows(), row)?;
    for entry in pending(editor.rows(), row.id)? {
        act::drop_silently(editor, entry, now)?;
    }
    show(editor, row, &text)
}
