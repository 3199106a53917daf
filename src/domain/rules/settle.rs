//! Settling an attempt: its one entry into the store, whatever became of it.

use crate::domain::{
    conversation::{Conversation, ServerConversation},
    delivery::{DeliveryEvent, DeliveryState, Reason},
    event::SendReceipt,
    ids::ClientMessageId,
    message::{Message, ServerMessage},
    outbox::{OutboxEntry, SendMode},
    ports::{CreateOutcome, Rows, chat_repository::RowResult},
    rules::{
        act, changes,
        editor::{Editor, Note},
        merge::{self, Merge, Merged, Placement},
    },
    time::WallTime,
};

/// What became of an attempt, or of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The server confirmed the message.
    Applied(SendReceipt),
    /// The server did the action, or nothing is left to be done.
    Done(Performed),
    /// The outcome is unknown.
    Lost {
        /// Why.
        reason: Reason,
        /// When to ask again, where asking at once would be a storm.
        next_attempt_at: Option<WallTime>,
    },
    /// It is proved that the server does not have it; it is tried again at the given time.
    NotApplied {
        /// Why.
        reason: Reason,
        /// When it is tried again.
        next_attempt_at: Option<WallTime>,
    },
    /// Turned down for good.
    Rejected(Reason),
    /// Too old.
    Expired(Reason),
    /// Uncertain and out of our hands: wait for the user.
    Parked(Reason),
    /// Queued, and held back for the given reason: nothing but the reason changes.
    Waiting(Reason),
    /// Direct only: proved absent after the caller was told "unknown"; the text becomes a draft.
    Withdrawn,
}

/// What the server said when it had done an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Performed {
    /// Nothing further.
    Plain,
    /// The message after its edit.
    Edited(Box<ServerMessage>),
    /// The conversation after its end.
    Completed(Box<ServerConversation>),
    /// The conversation created, or found in its place.
    Created(Box<CreateOutcome>),
}

/// What the settlement did.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The message after it; `None` where its row was removed or is gone.
    pub message: Option<Message>,
    /// The text of a removed row.
    pub draft: Option<String>,
    /// Failures in a row, after this one.
    pub failures: u32,
    /// Rows that came with the confirmation.
    pub merged: Merged,
    /// The conversation that a creation became.
    pub created: Option<Conversation>,
}

/// Applies a settlement; `placement` says what is known of the place of confirmed rows.
///
/// An entry that is gone (cancelled, already found) is left alone, but rows
/// that came with a confirmation are merged all the same.
///
/// # Errors
/// The store's.
pub fn settle(
    rows: &mut dyn Rows,
    id: ClientMessageId,
    settlement: Settlement,
    placement: Placement,
    now: WallTime,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    let mut entry = rows.outbox_entry(id)?;
    if let Some(action) = entry.take_if(|entry| !entry.is_send()) {
        return act::settle(rows, action, settlement, now, mint);
    }
    if let Settlement::Done(performed) = settlement {
        return act::late(rows, performed, now, mint);
    }
    let Some(message) = rows.message(id)? else {
        return Ok(Settled::default());
    };
    match (settlement, entry) {
        (Settlement::Applied(receipt), entry) => {
            let request = Confirmation {
                message,
                entry,
                receipt,
                placement,
                now,
            };
            applied(rows, request, mint)
        }
        (settlement, Some(entry)) => unsent(rows, &message, entry, settlement, now),
        (_, None) => Ok(Settled {
            message: Some(message),
            ..Settled::default()
        }),
    }
}

struct Confirmation {
    message: Message,
    entry: Option<OutboxEntry>,
    receipt: SendReceipt,
    placement: Placement,
    now: WallTime,
}

fn applied(
    rows: &mut dyn Rows,
    request: Confirmation,
    mint: &mut dyn FnMut() -> ClientMessageId,
) -> RowResult<Settled> {
    let Confirmation {
        message,
        entry,
        receipt,
        placement,
        now,
    } = request;
    let mut editor = Editor::open(rows, &message.conversation)?;
    if entry.is_some() {
        editor.rows().remove_outbox(message.id)?;
    }
    // A read of the history may have found it first; then the confirmation is old news.
    let event = if message.state == DeliveryState::Sending {
        DeliveryEvent::Applied
    } else {
        DeliveryEvent::FoundOnServer
    };
    let server_id = receipt.message.as_ref().map(|row| row.id.clone());
    let held = match &server_id {
        Some(server) => editor
            .rows()
            .message_by_server_id(&message.conversation, server)?,
        None => None,
    };
    let held = held.filter(|row| row.id != message.id);
    let taken = held.is_some();
    let mistaken = held.filter(|row| message.server_id.is_none() && came_by_itself(row));
    if let Some(mistaken) = &mistaken {
        editor.remove(mistaken)?;
    }
    let sent = editor.deliver(&message, event, Note::at(now), |row| {
        if let Some(mistaken) = mistaken {
            take_over(row, mistaken);
        } else if row.server_id.is_none() && !taken {
            row.server_id = server_id;
        }
    })?;
    let page: Vec<_> = receipt.message.into_iter().chain(receipt.answer).collect();
    let merged = merge::merge(
        &mut editor,
        Merge {
            page: &page,
            placement,
            proof: None,
            now,
        },
        mint,
    )?;
    let message = editor.rows().message(sent.id)?;
    if let Some(message) = &message {
        changes::follow(&mut editor, message, now)?;
    }
    editor.finish()?;
    Ok(Settled {
        message,
        merged,
        ..Settled::default()
    })
}

/// A row that was taken for another device's, since nothing told whose it was when it came.
const fn came_by_itself(row: &Message) -> bool {
    row.own && row.attempts == 0 && row.overlay.is_none()
}

/// What is known of it is what is known of ours.
fn take_over(row: &mut Message, mistaken: Message) {
    row.server_id = mistaken.server_id;
    (row.key, row.gap) = (mistaken.key, mistaken.gap);
    (row.sender, row.created_at) = (mistaken.sender, mistaken.created_at);
    if row.overlay.is_none() {
        (row.text, row.revision) = (mistaken.text, mistaken.revision);
        row.deleted = mistaken.deleted;
    }
}

fn unsent(
    rows: &mut dyn Rows,
    message: &Message,
    mut entry: OutboxEntry,
    settlement: Settlement,
    now: WallTime,
) -> RowResult<Settled> {
    if matches!(settlement, Settlement::Withdrawn) || must_vanish(&entry, &settlement) {
        return vanish(rows, message, settlement, now);
    }
    if let Settlement::Waiting(reason) = settlement {
        return wait(rows, message, entry, reason, now);
    }
    if message.state != DeliveryState::Sending
        && let Settlement::Lost { reason, .. } = settlement
    {
        // Nothing is on the wire: there is nothing to become uncertain about.
        return wait(rows, message, entry, reason, now);
    }
    let (event, reason, next) = match settlement {
        Settlement::Lost {
            reason,
            next_attempt_at,
        } => (Some(DeliveryEvent::Lost), reason, next_attempt_at),
        Settlement::NotApplied {
            reason,
            next_attempt_at,
        } => (
            Some(DeliveryEvent::ProvedNotApplied),
            reason,
            next_attempt_at,
        ),
        Settlement::Rejected(reason) => (Some(DeliveryEvent::Rejected), reason, None),
        Settlement::Expired(reason) => (Some(DeliveryEvent::Expired), reason, None),
        Settlement::Parked(reason) => (None, reason, None),
        Settlement::Applied(_)
        | Settlement::Done(_)
        | Settlement::Waiting(_)
        | Settlement::Withdrawn => {
            return Ok(Settled::default());
        }
    };
    if event.is_none() {
        entry.parked = true;
    }
    entry.failures += 1;
    entry.reason = Some(reason.clone());
    entry.next_attempt_at = next;
    let note = Note {
        at: now,
        reason: Some(reason),
        next_attempt_at: next,
    };
    let failures = entry.failures;
    let mut editor = Editor::open(rows, &message.conversation)?;
    let after = match event {
        Some(event) => {
            entry.state = entry.state.after(event)?;
            editor.deliver(message, event, note, |_| {})?
        }
        None => {
            editor.journal(message, note)?;
            editor.update(message, message.clone())?
        }
    };
    editor.rows().put_outbox(&entry)?;
    changes::follow(&mut editor, &after, now)?;
    editor.finish()?;
    Ok(Settled {
        message: Some(after),
        failures,
        ..Settled::default()
    })
}

fn wait(
    rows: &mut dyn Rows,
    message: &Message,
    entry: OutboxEntry,
    reason: Reason,
    now: WallTime,
) -> RowResult<Settled> {
    let mut editor = Editor::open(rows, &message.conversation)?;
    editor.journal(message, Note::because(now, Some(reason.clone())))?;
    editor.rows().put_outbox(&OutboxEntry {
        reason: Some(reason),
        ..entry
    })?;
    Ok(Settled {
        message: Some(message.clone()),
        ..Settled::default()
    })
}

/// A direct send that is proved not to be on the server leaves no row.
const fn must_vanish(entry: &OutboxEntry, settlement: &Settlement) -> bool {
    matches!(entry.mode, SendMode::Direct)
        && matches!(
            settlement,
            Settlement::NotApplied { .. } | Settlement::Rejected(_) | Settlement::Expired(_)
        )
}

/// The row goes, the journal keeps why: whoever waits for the outcome reads it there.
fn vanish(
    rows: &mut dyn Rows,
    message: &Message,
    settlement: Settlement,
    now: WallTime,
) -> RowResult<Settled> {
    let withdrawn = matches!(settlement, Settlement::Withdrawn);
    let reason = match settlement {
        Settlement::NotApplied { reason, .. }
        | Settlement::Rejected(reason)
        | Settlement::Expired(reason) => reason,
        _ => Reason::new(
            "send.not_sent",
            true,
            "the server never got it; the text is the draft",
        ),
    };
    let mut editor = Editor::open(rows, &message.conversation)?;
    editor.rows().remove_outbox(message.id)?;
    let failed = Message {
        state: DeliveryState::Failed,
        ..message.clone()
    };
    editor.journal(&failed, Note::because(now, Some(reason)))?;
    let typed = changes::abandon(&mut editor, message, now)?;
    editor.remove(message)?;
    // Its caller knows what was sent, not what it was made since.
    let unknown = withdrawn.then(|| message.text.clone());
    if let Some(text) = typed.or(unknown).filter(|text| !text.is_empty()) {
        keep_as_draft(editor.conversation_mut(), &text);
    }
    editor.finish()?;
    Ok(Settled {
        draft: Some(message.text.clone()),
        ..Settled::default()
    })
}

/// What the user is typing meanwhile is not overwritten: the returned text goes before it.
pub(super) fn keep_as_draft(conversation: &mut Conversation, text: &str) {
    conversation.draft = Some(match conversation.draft.take() {
        Some(typed) if !typed.is_empty() && typed != text => format!("{text}\n{typed}"),
        _ => text.to_owned(),
    });
}
