//! The outbox: accepted messages that the server does not have yet, for certain.

use std::fmt;

use crate::domain::{
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId},
    time::WallTime,
};

/// What a send promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendMode {
    /// Accepted on disk, retried until sent, rejected, cancelled or expired; survives a kill.
    Durable,
    /// One attempt; on proved failure the row goes and the caller gets the text back.
    Direct,
}

/// One waiting message.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// The message's key.
    pub message: ClientMessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// What is to be sent.
    pub text: String,
    /// What the send promised.
    pub mode: SendMode,
    /// Queued, Sending, Uncertain or Failed.
    pub state: DeliveryState,
    /// Place in the accept order of this device.
    pub order: i64,
    /// Attempts made.
    pub attempt: u32,
    /// Failures in a row since the last progress.
    pub failures: u32,
    /// When it was accepted.
    pub accepted_at: WallTime,
    /// When it ends as expired if nothing could be proved or sent.
    pub expires_at: WallTime,
    /// When the next attempt is due, where one is.
    pub next_attempt_at: Option<WallTime>,
    /// Why it waits or failed.
    pub reason: Option<Reason>,
    /// The newest server message known when the first attempt left: reconciling starts there.
    pub last_known: Option<MessageId>,
    /// The id it had on the wire, where the adapter prepared one.
    pub wire_id: Option<String>,
    /// Uncertain and out of our hands: it waits for the user and blocks nobody.
    pub parked: bool,
}

impl OutboxEntry {
    /// Whether later messages of its conversation wait for it.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        self.state.is_pending() && !self.parked
    }
}

/// Prints no text.
impl fmt::Debug for OutboxEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEntry")
            .field("message", &self.message)
            .field("conversation", &self.conversation)
            .field("mode", &self.mode)
            .field("state", &self.state)
            .field("order", &self.order)
            .field("attempt", &self.attempt)
            .field("failures", &self.failures)
            .field("reason", &self.reason)
            .field("parked", &self.parked)
            .finish_non_exhaustive()
    }
}
