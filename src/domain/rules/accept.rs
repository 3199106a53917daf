//! Accepting a message: the moment from which it cannot be lost.

use std::time::Duration;

use crate::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::{Message, Role},
    order::SortKey,
    outbox::{Action, OutboxEntry, SendMode},
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    rules::{
        act, conversations,
        editor::{Editor, Note, blank},
    },
    time::WallTime,
};

/// A message to accept.
#[derive(Clone)]
pub struct Accept {
    /// Its key; accepting a known key again returns the existing row.
    pub id: ClientMessageId,
    /// Where to.
    pub conversation: ConversationId,
    /// What, already validated.
    pub text: String,
    /// What is promised.
    pub mode: SendMode,
    /// Now.
    pub now: WallTime,
    /// How long it may wait.
    pub expiry: Duration,
}

impl std::fmt::Debug for Accept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accept")
            .field("id", &self.id)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Stores row, outbox entry, journal and conversation preview together.
///
/// # Errors
/// The store's; nothing was accepted then.
pub fn accept(rows: &mut dyn Rows, request: Accept) -> RowResult<Message> {
    if let Some(existing) = rows.message(request.id)? {
        return Ok(existing);
    }
    let conversation = conversations::resolve(rows, &request.conversation)?;
    let request = Accept {
        conversation,
        ..request
    };
    let order = rows.next_order()?;
    let message = Message {
        role: Role::User,
        own: true,
        text: request.text.clone(),
        key: if planted("order-by-clock") {
            SortKey::pending(request.now.as_millis())
        } else {
            SortKey::pending(order)
        },
        state: DeliveryState::Queued,
        created_at: Some(request.now),
        ..blank(request.id, &request.conversation)
    };
    let mut editor = Editor::open(rows, &request.conversation)?;
    editor.insert(&message)?;
    editor.journal(&message, Note::at(request.now))?;
    act::revive(&mut editor, request.now + request.expiry, request.now)?;
    editor.rows().put_outbox(&entry(request, order))?;
    editor.finish()?;
    Ok(message)
}

fn entry(request: Accept, order: i64) -> OutboxEntry {
    OutboxEntry {
        id: request.id,
        conversation: request.conversation,
        action: Action::Send { text: request.text },
        mode: request.mode,
        state: DeliveryState::Queued,
        order,
        attempt: 0,
        failures: 0,
        accepted_at: request.now,
        expires_at: request.now + request.expiry,
        next_attempt_at: None,
        reason: None,
        wire_id: None,
        parked: false,
    }
}
