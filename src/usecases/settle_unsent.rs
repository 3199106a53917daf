//! `RetryMessage` and `CancelMessage`: what the user decides about an unsent message.

use crate::{
    domain::{
        delivery::DeliveryState,
        ids::ClientMessageId,
        message::Message,
        ports::Durability,
        rules::user::{self, Wish},
    },
    error::ChatError,
    usecases::{Ports, missing_message},
};

/// Puts a failed message back into the queue.
#[derive(Clone, Copy, Debug)]
pub struct RetryMessage {
    /// Which.
    pub message: ClientMessageId,
}

/// Takes an unsent message back.
#[derive(Clone, Copy, Debug)]
pub struct CancelMessage {
    /// Which.
    pub message: ClientMessageId,
}

impl RetryMessage {
    /// Queues it again and wakes the outbox.
    ///
    /// # Errors
    /// `NotFound`; `message.not_failed` where there is nothing to retry; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Message, ChatError> {
        let now = ports.platform.wall();
        let expires_at = now + ports.send_expiry;
        let wish = ports
            .repository
            .transact(Durability::Full, move |rows| {
                user::retry(rows, self.message, expires_at, now)
            })
            .await?;
        ports.dispatch.wake();
        granted(
            wish,
            "message.not_failed",
            "only a failed message can be retried",
        )
    }
}

impl CancelMessage {
    /// Takes it back; one on the wire right now can no longer be.
    ///
    /// # Errors
    /// `NotFound`; `message.not_cancellable` where it is on the wire or sent; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Message, ChatError> {
        let now = ports.platform.wall();
        let wish = ports
            .repository
            .transact(Durability::Full, move |rows| {
                user::cancel(rows, self.message, now)
            })
            .await?;
        ports.dispatch.wake();
        granted(
            wish,
            "message.not_cancellable",
            "only an unsent message can be cancelled",
        )
    }
}

fn granted(wish: Wish, code: &'static str, rule: &str) -> Result<Message, ChatError> {
    match wish {
        Wish::Granted(message) => Ok(message),
        Wish::Unknown => Err(missing_message()),
        Wish::Refused(state) => Err(refused(state, code, rule)),
    }
}

pub(super) fn refused(state: DeliveryState, code: &'static str, rule: &str) -> ChatError {
    let text = format!("{rule}; this one is {}", state.as_str());
    ChatError::InvalidInput {
        field: "message",
        code,
        text,
    }
}
