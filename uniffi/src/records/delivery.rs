//! The outbox, the delivery journal and the fate of a message, as they cross.

use tidings::{
    domain::{delivery as core, journal::JournalEntry, outbox},
    usecases::{explain_message::Explanation, wait_for_delivery::Delivery},
};

use super::{
    large,
    message::{DeliveryState, Message},
    small,
};

/// What a send promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SendMode {
    /// Accepted on disk, retried until sent, rejected, cancelled or expired; survives a kill.
    Durable,
    /// One attempt; on proved failure the row goes and the error gives the text back.
    Direct,
}

impl From<SendMode> for outbox::SendMode {
    fn from(mode: SendMode) -> Self {
        match mode {
            SendMode::Durable => Self::Durable,
            SendMode::Direct => Self::Direct,
        }
    }
}

impl From<outbox::SendMode> for SendMode {
    fn from(mode: outbox::SendMode) -> Self {
        match mode {
            outbox::SendMode::Durable => Self::Durable,
            outbox::SendMode::Direct => Self::Direct,
        }
    }
}

/// Why a message waits or failed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Reason {
    /// Stable code, as the manual lists it.
    pub code: String,
    /// One sentence without any content of the message.
    pub sentence: String,
    /// Whether trying again can help.
    pub retryable: bool,
    /// How long the server asked to wait, in milliseconds.
    pub retry_after_ms: Option<i64>,
}

impl From<core::Reason> for Reason {
    fn from(reason: core::Reason) -> Self {
        Self {
            code: reason.code,
            sentence: reason.text,
            retryable: reason.retryable,
            retry_after_ms: reason.retry_after_ms.map(large),
        }
    }
}

/// What the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ActionKind {
    /// Wrote a message; the action's key is the message's.
    Send,
    /// Began a conversation.
    Create,
    /// Ended a conversation.
    Complete,
    /// Changed a message.
    Edit,
    /// Deleted a message.
    Delete,
    /// Read a conversation up to a message.
    MarkRead,
    /// Hid a conversation, or showed it again.
    Archive,
    /// Stopped an answer.
    Stop,
}

impl From<outbox::ActionKind> for ActionKind {
    fn from(kind: outbox::ActionKind) -> Self {
        use outbox::ActionKind as K;
        match kind {
            K::Send => Self::Send,
            K::Create => Self::Create,
            K::Complete => Self::Complete,
            K::Edit => Self::Edit,
            K::Delete => Self::Delete,
            K::MarkRead => Self::MarkRead,
            K::Archive => Self::Archive,
            K::Stop => Self::Stop,
        }
    }
}

/// What the user decides about an action that waits or failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ActionDecision {
    /// Back into the queue.
    Retry,
    /// Taken back, and what it showed with it.
    Cancel,
}

/// One thing the user did that the server does not have for certain.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct OutboxItem {
    /// Its key; for a send, the message's.
    pub id: String,
    /// Its conversation.
    pub conversation: String,
    /// What is to be done.
    pub kind: ActionKind,
    /// The local key of the message it changes, where it changes one.
    pub changes: Option<String>,
    /// What the user typed, where there is something; else empty.
    pub text: String,
    /// What the send promised.
    pub mode: SendMode,
    /// Queued, Sending, Uncertain or Failed.
    pub state: DeliveryState,
    /// Attempts made.
    pub attempt: i32,
    /// Failures in a row since the last progress.
    pub failures: i32,
    /// When it was accepted.
    pub accepted_at_ms: i64,
    /// When it ends as expired.
    pub expires_at_ms: i64,
    /// When the next attempt is due, where one is.
    pub next_attempt_at_ms: Option<i64>,
    /// Why it waits or failed.
    pub reason: Option<Reason>,
    /// It blocks nobody: of unknown outcome and out of the SDK's hands, where it waits for the
    /// user, or a change of a message whose own send is undecided.
    pub parked: bool,
}

/// Prints no text.
impl std::fmt::Debug for OutboxItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboxItem")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl From<outbox::OutboxEntry> for OutboxItem {
    fn from(entry: outbox::OutboxEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            conversation: entry.conversation.to_string(),
            kind: entry.kind().into(),
            changes: entry.action.changes().map(|key| key.to_string()),
            text: entry.text().to_owned(),
            mode: entry.mode.into(),
            state: entry.state.into(),
            attempt: small(entry.attempt),
            failures: small(entry.failures),
            accepted_at_ms: entry.accepted_at.as_millis(),
            expires_at_ms: entry.expires_at.as_millis(),
            next_attempt_at_ms: entry.next_attempt_at.map(|at| at.as_millis()),
            reason: entry.reason.map(Reason::from),
            parked: entry.parked,
        }
    }
}

/// One thing that happened to one message, or to another action.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeliveryRecord {
    /// Grows with each record of the store.
    pub sequence: i64,
    /// The message's local key, or the action's.
    pub message: String,
    /// Its conversation.
    pub conversation: String,
    /// When, by this device's clock.
    pub at_ms: i64,
    /// The state after it.
    pub state: DeliveryState,
    /// The attempt it belongs to, counted from one.
    pub attempt: i32,
    /// When the next attempt is due, where one is.
    pub next_attempt_at_ms: Option<i64>,
    /// The server's id, once known.
    pub server_id: Option<String>,
    /// Why, where there is something to explain.
    pub reason: Option<Reason>,
}

impl From<JournalEntry> for DeliveryRecord {
    fn from(entry: JournalEntry) -> Self {
        Self {
            sequence: entry.sequence,
            message: entry.message.to_string(),
            conversation: entry.conversation.to_string(),
            at_ms: entry.at.as_millis(),
            state: entry.state.into(),
            attempt: small(entry.attempt),
            next_attempt_at_ms: entry.next_attempt_at.map(|at| at.as_millis()),
            server_id: entry.server_id.map(|id| id.to_string()),
            reason: entry.reason.map(Reason::from),
        }
    }
}

/// A message's fate.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DeliveryOutcome {
    /// The server has it.
    OnServer {
        /// The row, where it is still stored.
        message: Option<Message>,
    },
    /// Proved rejected, or expired; the text is kept.
    Failed {
        /// Why.
        reason: Reason,
    },
    /// Nobody knows, and resending is the user's to decide.
    Unknown {
        /// Why.
        reason: Reason,
    },
    /// The user took it back.
    Cancelled,
}

impl From<Delivery> for DeliveryOutcome {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::OnServer(row) => Self::OnServer {
                message: row.map(|row| (*row).into()),
            },
            Delivery::Failed(reason) => Self::Failed {
                reason: reason.into(),
            },
            Delivery::Unknown(reason) => Self::Unknown {
                reason: reason.into(),
            },
            Delivery::Cancelled => Self::Cancelled,
        }
    }
}

/// A message's whole story.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MessageStory {
    /// The row, where it is still stored.
    pub message: Option<Message>,
    /// What the outbox holds of it.
    pub outbox: Option<OutboxItem>,
    /// What happened to it, in order.
    pub records: Vec<DeliveryRecord>,
}

impl From<Explanation> for MessageStory {
    fn from(story: Explanation) -> Self {
        Self {
            message: story.message.map(Message::from),
            outbox: story.outbox.map(OutboxItem::from),
            records: story.journal.into_iter().map(Into::into).collect(),
        }
    }
}
