//! The delivery journal: what happened to each sent message, in order, on disk.
//!
//! Written in the same transaction as the change it tells of, so a reader in this process or
//! another that follows the sequence misses nothing; `explain` prints it.

use crate::domain::{
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId},
    outbox::ActionKind,
    time::WallTime,
};

/// One thing that happened to one message, or to another action of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Grows by one with each entry of the store; zero before it is stored.
    pub sequence: i64,
    /// The message; for another action, its own key.
    pub message: ClientMessageId,
    /// What it was about.
    pub kind: ActionKind,
    /// Its conversation.
    pub conversation: ConversationId,
    /// When, by this device's clock.
    pub at: WallTime,
    /// The state after it.
    pub state: DeliveryState,
    /// The attempt it belongs to, counted from one; zero before the first.
    pub attempt: u32,
    /// When the next attempt is due, where one is.
    pub next_attempt_at: Option<WallTime>,
    /// The server's id, once known.
    pub server_id: Option<MessageId>,
    /// Why, where there is something to explain.
    pub reason: Option<Reason>,
}
