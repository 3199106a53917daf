//! A message as it crosses.

use tidings::{
    domain::{delivery, message as core},
    usecases::{Accepted, read_history::HistoryView},
};

use super::{large, small};

/// Who speaks; an unknown name is kept.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Role {
    /// A person.
    User,
    /// The answering model.
    Assistant,
    /// The service itself.
    System,
    /// The record of a tool call.
    Function,
    /// A role this version does not know.
    Other {
        /// Its name.
        name: String,
    },
}

impl From<core::Role> for Role {
    fn from(role: core::Role) -> Self {
        match role {
            core::Role::User => Self::User,
            core::Role::Assistant => Self::Assistant,
            core::Role::System => Self::System,
            core::Role::Function => Self::Function,
            core::Role::Other(name) => Self::Other { name },
        }
    }
}

impl From<Role> for core::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Assistant => Self::Assistant,
            Role::System => Self::System,
            Role::Function => Self::Function,
            Role::Other { name } => Self::Other(name),
        }
    }
}

/// Where a message stands between the user's tap and the reader's eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DeliveryState {
    /// On disk, waiting for its turn.
    Queued,
    /// On the wire.
    Sending,
    /// Sent, outcome unknown: a read decides, never a guess.
    Uncertain,
    /// The server has it; also the state of what came from the server.
    Sent,
    /// It reached a recipient's device.
    Delivered,
    /// A recipient read it.
    Read,
    /// Proved rejected, or expired: the text is kept, the user decides.
    Failed,
    /// The user took it back.
    Cancelled,
}

impl From<delivery::DeliveryState> for DeliveryState {
    fn from(state: delivery::DeliveryState) -> Self {
        use delivery::DeliveryState as S;
        match state {
            S::Queued => Self::Queued,
            S::Sending => Self::Sending,
            S::Uncertain => Self::Uncertain,
            S::Sent => Self::Sent,
            S::Delivered => Self::Delivered,
            S::Read => Self::Read,
            S::Failed => Self::Failed,
            S::Cancelled => Self::Cancelled,
        }
    }
}

/// How complete a streamed answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Completeness {
    /// All of it is here; every message that was not streamed.
    Complete,
    /// Text is still arriving.
    Streaming,
    /// The stream ended early; the text so far is kept.
    Incomplete,
    /// The service ended it with an error; the text so far is kept.
    Failed,
    /// The user stopped it.
    Stopped,
}

impl From<core::Completeness> for Completeness {
    fn from(completeness: core::Completeness) -> Self {
        use core::Completeness as C;
        match completeness {
            C::Complete => Self::Complete,
            C::Streaming => Self::Streaming,
            C::Incomplete => Self::Incomplete,
            C::Failed => Self::Failed,
            C::Stopped => Self::Stopped,
        }
    }
}

/// A change of the user's that waits for the server, and shows already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PendingChange {
    /// The text.
    Edit,
    /// The deletion.
    Delete,
}

impl From<core::Overlay> for PendingChange {
    fn from(overlay: core::Overlay) -> Self {
        match overlay {
            core::Overlay::Edited => Self::Edit,
            core::Overlay::Deleted => Self::Delete,
        }
    }
}

/// One row of a conversation.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// Local key, stable for life.
    pub id: String,
    /// The conversation it belongs to.
    pub conversation: String,
    /// The server's id, once known.
    pub server_id: Option<String>,
    /// Who speaks.
    pub role: Role,
    /// The sender, where the backend names one.
    pub sender: Option<String>,
    /// Whether this account wrote it.
    pub own: bool,
    /// The text; empty where deleted.
    pub text: String,
    /// Where it stands on its way.
    pub state: DeliveryState,
    /// How often it went on the wire.
    pub attempts: i32,
    /// The server's time where known, else that of the accept here; for display only.
    pub created_at_ms: Option<i64>,
    /// The message it answers, where this device saw the answer stream in and nothing contradicts it.
    pub answers: Option<String>,
    /// How complete a streamed answer is.
    pub completeness: Completeness,
    /// Deleted but remembered.
    pub deleted: bool,
    /// A change of the user's that waits for the server, and shows already.
    pub pending: Option<PendingChange>,
    /// Whether it waits to be read by this account.
    pub unread: bool,
    /// Whether messages right behind it are not on this device yet.
    pub gap_after: bool,
    /// The server's revision of the content.
    pub revision: i64,
    /// Grows with every change of this row on this device.
    pub version: i64,
}

/// Prints no text.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl From<core::Message> for Message {
    fn from(row: core::Message) -> Self {
        Self {
            id: row.id.to_string(),
            conversation: row.conversation.to_string(),
            server_id: row.server_id.map(|id| id.to_string()),
            role: row.role.into(),
            sender: row.sender.map(|id| id.to_string()),
            own: row.own,
            text: row.text,
            state: row.state.into(),
            attempts: small(row.attempts),
            created_at_ms: row.created_at.map(|at| at.as_millis()),
            answers: row.answers.map(|id| id.to_string()),
            completeness: row.completeness.into(),
            deleted: row.deleted,
            pending: row.overlay.map(Into::into),
            unread: row.unread,
            gap_after: row.gap.is_some(),
            revision: large(row.revision),
            version: large(row.version),
        }
    }
}

/// A page of stored messages, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HistoryPage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Hand this back for the page before; `None` at the beginning of what is stored.
    pub older: Option<String>,
}

impl From<HistoryView> for HistoryPage {
    fn from(view: HistoryView) -> Self {
        Self {
            messages: view
                .messages
                .into_iter()
                .map(|(_, row)| row.into())
                .collect(),
            older: view.older.map(|cursor| cursor.encode()),
        }
    }
}

/// How a message stands after an action that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChangedMessage {
    /// How it shows from now on, on this device.
    pub message: Message,
    /// The key under which the action waits for the server; none where there is nothing to tell it.
    pub action: Option<String>,
}

impl From<Accepted<core::Message>> for ChangedMessage {
    fn from(accepted: Accepted<core::Message>) -> Self {
        Self {
            message: accepted.shown.into(),
            action: accepted.action.map(|key| key.to_string()),
        }
    }
}
