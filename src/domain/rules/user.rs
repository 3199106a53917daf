//! What the user decides about an unsent message: retry, or take it back.

use crate::domain::{
    delivery::{DeliveryEvent, DeliveryState},
    ids::ClientMessageId,
    message::Message,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        act, binding, changes,
        editor::{Editor, Note},
    },
    time::WallTime,
};

/// How a wish of the user's ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Done; the message after it.
    Granted(Message),
    /// The message is in a state in which this makes no sense; the state.
    Refused(DeliveryState),
    /// There is no such message.
    Unknown,
}

/// Puts a failed message back into the queue, with a fresh life and its old place.
///
/// # Errors
/// The store's.
pub fn retry(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    expires_at: WallTime,
    now: WallTime,
) -> RowResult<Wish> {
    let Some(message) = rows.message(id)? else {
        return Ok(Wish::Unknown);
    };
    // A message cannot be sent before its conversation exists: both are tried again.
    if let Some(creation) = binding::failed(rows, &message.conversation)? {
        act::retry(rows, creation.id, expires_at, now)?;
        let row = rows.message(id)?;
        if let Some(row) = row.filter(|row| row.state == DeliveryState::Queued) {
            return Ok(Wish::Granted(row));
        }
    }
    let entry = rows.outbox_entry(id)?;
    let (Some(mut entry), DeliveryState::Failed) = (entry, message.state) else {
        return Ok(Wish::Refused(message.state));
    };
    entry.state = entry.state.after(DeliveryEvent::RetryRequested)?;
    entry.failures = 0;
    entry.next_attempt_at = None;
    entry.reason = None;
    entry.expires_at = expires_at;
    let mut editor = Editor::open(rows, &message.conversation)?;
    editor.rows().put_outbox(&entry)?;
    let after = editor.deliver(
        &message,
        DeliveryEvent::RetryRequested,
        Note::at(now),
        |_| {},
    )?;
    editor.finish()?;
    Ok(Wish::Granted(after))
}

/// Takes an unsent message back. One whose outcome is unknown stops being resent, and is still
/// bound should the server turn out to have it.
///
/// # Errors
/// The store's.
pub fn cancel(rows: &mut dyn Rows, id: ClientMessageId, now: WallTime) -> RowResult<Wish> {
    let Some(message) = rows.message(id)? else {
        return Ok(Wish::Unknown);
    };
    if message.state.after(DeliveryEvent::CancelRequested).is_err() {
        return Ok(Wish::Refused(message.state));
    }
    let mut editor = Editor::open(rows, &message.conversation)?;
    let after = changes::take_back(&mut editor, &message, now)?;
    editor.finish()?;
    Ok(Wish::Granted(after))
}
