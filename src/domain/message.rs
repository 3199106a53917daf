//! A message as stored, and as a server tells of it.

use std::fmt;

use crate::domain::{
    cursor::Gap,
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    order::SortKey,
    time::WallTime,
};

/// Who speaks. Unknown names are kept verbatim, never mapped to another role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    Other(String),
}

impl Role {
    /// The wire and storage name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
            Self::Function => "function",
            Self::Other(name) => name,
        }
    }

    /// Reads a name; one that is unknown is kept.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "system" => Self::System,
            "function" => Self::Function,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether a message of this role counts as unread: talk does, the service's records do not.
    #[must_use]
    pub const fn is_countable(&self) -> bool {
        !matches!(self, Self::System | Self::Function)
    }
}

/// How complete a streamed answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// All of it is here; every message that was not streamed.
    #[default]
    Complete,
    /// Text is still arriving.
    Streaming,
    /// The stream ended early; the text so far is kept until the server's text replaces it.
    Incomplete,
    /// The service ended the answer with an error; the text so far is kept.
    Failed,
    /// The user stopped it.
    Stopped,
}

impl Completeness {
    /// Every value, in the order in which they are stored.
    pub const ALL: [Self; 5] = [
        Self::Complete,
        Self::Streaming,
        Self::Incomplete,
        Self::Failed,
        Self::Stopped,
    ];
}

/// What the user did to a message and the server has not confirmed yet; it shows at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// The text is the user's new one.
    Edited,
    /// Deleted.
    Deleted,
}

impl Overlay {
    /// Every value, in the order in which they are stored.
    pub const ALL: [Self; 2] = [Self::Edited, Self::Deleted];
}

/// One row of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Local key, stable for life.
    pub id: ClientMessageId,
    /// The conversation it belongs to.
    pub conversation: ConversationId,
    /// The server's id, once known.
    pub server_id: Option<MessageId>,
    /// Who speaks.
    pub role: Role,
    /// The sender, where the backend names one.
    pub sender: Option<UserId>,
    /// Whether this account wrote it.
    pub own: bool,
    /// The text; empty where deleted.
    pub text: String,
    /// Its place.
    pub key: SortKey,
    /// Where it stands on its way.
    pub state: DeliveryState,
    /// How often it went on the wire; a row with attempts may exist on the server.
    pub attempts: u32,
    /// The newest place of the history read here when it first left: its own is above it. `None`
    /// where nothing was read yet, or nothing left.
    pub left_above: Option<SortKey>,
    /// The server's time where known, else the moment it was accepted here; for display only.
    pub created_at: Option<WallTime>,
    /// The message it answers, where this device saw the answer stream in. A stream names no
    /// question, so this is what was asked last, until the server's order says otherwise: then `None`.
    pub answers: Option<ClientMessageId>,
    /// How complete a streamed answer is.
    pub completeness: Completeness,
    /// Deleted but remembered.
    pub deleted: bool,
    /// A change of the user's that waits in the outbox. What the server says meanwhile is kept
    /// beneath it, and comes to light should it refuse.
    pub overlay: Option<Overlay>,
    /// Whether it waits to be read by this account.
    pub unread: bool,
    /// The server's revision of the content; higher wins.
    pub revision: u64,
    /// What the server has right behind this row is not stored yet.
    pub gap: Option<Gap>,
    /// Grows with every change of this row on this device; observers compare it.
    pub version: u64,
}

impl Message {
    /// Whether a row without a server id may stand for a message that the server has.
    #[must_use]
    pub const fn may_be_on_server(&self) -> bool {
        self.server_id.is_none()
            && match self.state {
                DeliveryState::Sending
                | DeliveryState::Uncertain
                | DeliveryState::Sent
                | DeliveryState::Delivered
                | DeliveryState::Read => true,
                DeliveryState::Queued | DeliveryState::Cancelled => self.attempts > 0,
                // The last attempt was refused; one before it may have been thought lost, and
                // still arrive.
                DeliveryState::Failed => self.attempts > 1,
            }
    }
}

/// Prints no text: a message body never reaches a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .field("server_id", &self.server_id)
            .field("role", &self.role)
            .field("key", &self.key)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("completeness", &self.completeness)
            .field("deleted", &self.deleted)
            .field("gap", &self.gap)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A message as the server tells of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerMessage {
    /// The server's id, verbatim.
    pub id: MessageId,
    /// The key we sent with it, where the backend echoes it.
    pub client_id: Option<ClientMessageId>,
    /// Who speaks.
    pub role: Role,
    /// The sender, where the backend names one.
    pub sender: Option<UserId>,
    /// Whether this account wrote it, on this device or another.
    pub own: bool,
    /// The text.
    pub text: String,
    /// The server's time; `None` where absent or unreadable.
    pub created_at: Option<WallTime>,
    /// The server's dense sequence number, where it has one.
    pub sequence: Option<i64>,
    /// The content's revision, 0 where the backend has none.
    pub revision: u64,
    /// A tombstone.
    pub deleted: bool,
}

/// Prints no text.
impl fmt::Debug for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerMessage")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .field("role", &self.role)
            .field("sequence", &self.sequence)
            .field("revision", &self.revision)
            .field("deleted", &self.deleted)
            .finish_non_exhaustive()
    }
}
