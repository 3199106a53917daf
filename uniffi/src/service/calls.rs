//! What is asked of a backend of the app's own, and what it answers.

use std::sync::Arc;

use super::SessionFeed;
use crate::records::{
    Attribute,
    conversation::{Context, NewConversation},
    message::Role,
};

/// A message about to leave.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct OutgoingMessage {
    /// Its local key; send it along where the backend takes one.
    pub id: String,
    /// Where to.
    pub conversation: String,
    /// What.
    pub text: String,
}

/// Prints no text.
impl std::fmt::Debug for OutgoingMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("OutgoingMessage").field(&self.id).finish()
    }
}

/// Which part of a conversation's history is asked for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum HistoryRange {
    /// The newest page, nothing being known yet.
    Newest,
    /// What came after the cursor.
    After {
        /// A `newer` of an earlier answer.
        cursor: String,
    },
    /// The page just before the cursor.
    Before {
        /// An `older` of an earlier answer.
        cursor: String,
    },
    /// The newest page, as `Newest`, where an earlier answer told where it ends.
    Tail {
        /// A `tail` of an earlier answer.
        cursor: String,
    },
}

/// One call.
#[derive(uniffi::Enum)]
pub enum ServiceCall {
    /// Create a conversation, or name the one in its place. Answer: `Created`.
    CreateConversation {
        /// The key of this creation, where there is one; send it along where the backend takes one.
        key: Option<String>,
        /// What to create.
        new: NewConversation,
    },
    /// One page of the listing. Answer: `Conversations`.
    ListConversations {
        /// Only those that take messages.
        active_only: bool,
        /// The `next` of the page before; `None` for the first.
        cursor: Option<String>,
    },
    /// The server's word on one conversation. Answer: `Conversation`.
    GetConversation {
        /// Which.
        id: String,
    },
    /// One page of history. Answer: `History`.
    History {
        /// Of which conversation.
        id: String,
        /// Which part.
        range: HistoryRange,
        /// At most that many.
        limit: i32,
    },
    /// Send a message. Answer: `Sent`.
    Send {
        /// The message.
        outgoing: OutgoingMessage,
    },
    /// Did this send happen? Answer: `Reconciled`, or a failure `Unsupported`.
    Reconcile {
        /// The message.
        outgoing: OutgoingMessage,
    },
    /// Move the read marker. Answer: `Done`.
    MarkRead {
        /// In which conversation.
        id: String,
        /// The server's id of the last one read.
        up_to: String,
    },
    /// Delete a sent message. Answer: `Done`.
    DeleteMessage {
        /// In which conversation.
        id: String,
        /// The server's id.
        message: String,
    },
    /// Edit a sent message. Answer: `MessageChanged`.
    EditMessage {
        /// In which conversation.
        id: String,
        /// The server's id.
        message: String,
        /// The new text.
        text: String,
    },
    /// Stop the answer under way. Answer: `Done`.
    StopAnswer {
        /// In which conversation.
        id: String,
    },
    /// Hide a conversation from the account's list, or show it again. Answer: `Done`.
    Archive {
        /// Which.
        id: String,
        /// Hidden.
        archived: bool,
    },
    /// Mark a conversation as done. Answer: `Conversation`.
    Complete {
        /// Which.
        id: String,
    },
    /// Delete a conversation. Answer: `Done`.
    DeleteConversation {
        /// Which.
        id: String,
    },
    /// Open a realtime session. Answer: `Done` once it is up; then push events into the feed.
    Connect {
        /// On which conversation.
        id: String,
        /// The session's number in the calls below.
        session: i64,
        /// Where its events go.
        feed: Arc<SessionFeed>,
    },
    /// Put a message on the session's wire. Answer: `Done`; the confirmation comes as an event.
    SessionSend {
        /// Which session.
        session: i64,
        /// The message.
        outgoing: OutgoingMessage,
    },
    /// Ask the peer for a sign of life. Answer: `Done`.
    SessionProbe {
        /// Which session.
        session: i64,
    },
    /// Ask over the session to stop the answer under way. Answer: `Done`.
    SessionStopAnswer {
        /// Which session.
        session: i64,
    },
    /// Tell the room that the user types, or stopped. Answer: `Done`.
    SessionSetTyping {
        /// Which session.
        session: i64,
        /// Whether they type now.
        active: bool,
    },
    /// Confirm messages that are stored now. Answer: `Done`.
    SessionAck {
        /// Which session.
        session: i64,
        /// The server's ids.
        ids: Vec<String>,
    },
    /// Close the session. Answer: `Done`.
    SessionClose {
        /// Which session.
        session: i64,
    },
}

/// Prints no text.
impl std::fmt::Debug for ServiceCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceCall")
    }
}

/// A message as the server tells of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ServerMessage {
    /// The server's id, verbatim.
    pub id: String,
    /// Who speaks.
    pub role: Role,
    /// The text.
    pub text: String,
    /// Whether this account wrote it, on this device or another.
    pub own: bool,
    /// The key we sent with it, where the backend echoes it.
    #[uniffi(default = None)]
    pub client_id: Option<String>,
    /// The sender, where the backend names one.
    #[uniffi(default = None)]
    pub sender: Option<String>,
    /// The server's time.
    #[uniffi(default = None)]
    pub created_at_ms: Option<i64>,
    /// The server's dense sequence number, where it has one.
    #[uniffi(default = None)]
    pub sequence: Option<i64>,
    /// The content's revision; higher wins.
    #[uniffi(default = 0)]
    pub revision: i64,
    /// A tombstone.
    #[uniffi(default = false)]
    pub deleted: bool,
}

/// Prints no text.
impl std::fmt::Debug for ServerMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerMessage").field(&self.id).finish()
    }
}

/// What the server says of a conversation; what is left out says nothing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ServerConversation {
    /// The server's id.
    pub id: String,
    /// The persona spoken with.
    #[uniffi(default = None)]
    pub persona: Option<String>,
    /// The server's word on whether it takes messages.
    #[uniffi(default = None)]
    pub status: Option<String>,
    /// A title.
    #[uniffi(default = None)]
    pub title: Option<String>,
    /// The bound entity.
    #[uniffi(default = None)]
    pub context: Option<Context>,
    /// When it was created.
    #[uniffi(default = None)]
    pub created_at_ms: Option<i64>,
    /// When it last changed.
    #[uniffi(default = None)]
    pub updated_at_ms: Option<i64>,
    /// When its newest message was written.
    #[uniffi(default = None)]
    pub last_message_at_ms: Option<i64>,
    /// Its members.
    #[uniffi(default = [])]
    pub participants: Vec<String>,
    /// Further scalar facts.
    #[uniffi(default = [])]
    pub attributes: Vec<Attribute>,
    /// In a listing: a text that is another one whenever anything of the conversation changed, so
    /// that what is known need not be read again; none where there is nothing of the kind.
    #[uniffi(default = None)]
    pub mark: Option<String>,
}

/// What a look-up says of an uncertain send.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ReconcileAnswer {
    /// The server has it.
    Applied {
        /// Its row.
        message: ServerMessage,
    },
    /// The server does not, and will not.
    NotApplied,
    /// It cannot tell.
    Unknown,
}

/// An answer to a [`ServiceCall`].
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ServiceAnswer {
    /// A conversation that was created or found.
    Created {
        /// The conversation.
        conversation: ServerConversation,
        /// The messages that came along.
        messages: Vec<ServerMessage>,
        /// Whether it was there already.
        existed: bool,
    },
    /// One page of the listing.
    Conversations {
        /// The conversations.
        list: Vec<ServerConversation>,
        /// Where the next page starts; `None` at the end.
        next: Option<String>,
    },
    /// One conversation.
    Conversation {
        /// The conversation.
        conversation: ServerConversation,
    },
    /// One page of history, oldest first.
    History {
        /// The messages, in the server's order.
        messages: Vec<ServerMessage>,
        /// Where to read on backwards; `None` when the page holds the beginning.
        older: Option<String>,
        /// Where the next forward read starts.
        newer: String,
        /// Whether more is there in the forward direction right now.
        more: bool,
        /// Where the newest page ends, so that it can be read before what lies between; none where
        /// the server does not say.
        tail: Option<String>,
    },
    /// The server took a message.
    Sent {
        /// Its row, where the confirmation carries it.
        message: Option<ServerMessage>,
        /// The answer, where it came along.
        answer: Option<ServerMessage>,
    },
    /// A message after an edit.
    MessageChanged {
        /// Its row.
        message: ServerMessage,
    },
    /// What became of an uncertain send.
    Reconciled {
        /// The finding.
        found: ReconcileAnswer,
    },
    /// It is done; nothing more to say.
    Done,
}

/// What went wrong on the way to a server.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FailureKind {
    /// The request never left.
    Unreachable,
    /// A deadline passed.
    TimedOut,
    /// The connection broke while the call was under way.
    Interrupted,
    /// The token was refused, or there is none.
    SignInRequired,
    /// Signed in, yet not allowed.
    NotAllowed,
    /// The thing named does not exist.
    NotFound,
    /// It exists already.
    Conflict {
        /// The one that is there, where the server named it.
        existing: Option<String>,
    },
    /// Too many requests.
    RateLimited,
    /// The cap on active conversations is reached.
    TooManyActive,
    /// The conversation takes no messages any more.
    NotActive,
    /// The server found the content wrong.
    Invalid,
    /// The server failed or is overloaded.
    Unavailable,
    /// An answer came that is not this protocol's.
    Protocol,
    /// This backend cannot do that.
    Unsupported,
    /// The cursor is no longer known to the server.
    CursorRefused,
}

/// Whether a failed call took effect all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CallOutcome {
    /// Proved that it did not.
    NotApplied,
    /// Nobody knows: bytes left, no answer came.
    Unknown,
}

/// A failed call. Say `Unknown` unless it is proved that nothing happened: what is called
/// not applied may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ServiceFailure {
    /// What went wrong.
    pub kind: FailureKind,
    /// Whether it took effect.
    pub outcome: CallOutcome,
    /// Whether the same call may be tried again later.
    #[uniffi(default = true)]
    pub retryable: bool,
    /// Not before this much time has passed, where the server said so.
    #[uniffi(default = None)]
    pub retry_after_ms: Option<i64>,
}

/// One thing that a realtime session reports.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum SessionEvent {
    /// The backend's ready frame.
    Ready,
    /// A sign of life without a meaning of its own.
    Alive,
    /// A send was taken; without a key, the oldest unconfirmed one of this session.
    Acknowledged {
        /// Our key, where the backend echoes it.
        client_id: Option<String>,
        /// The server's row, where it came along.
        message: Option<ServerMessage>,
    },
    /// A piece of the streamed answer, to be appended as it is.
    AnswerDelta {
        /// The piece.
        text: String,
    },
    /// The streamed answer is whole.
    AnswerCompleted {
        /// Whether it ended because the user stopped it.
        stopped: bool,
    },
    /// A whole message.
    Received {
        /// Its row.
        message: ServerMessage,
    },
    /// The server reports an error; during a turn it ends the turn.
    Failed {
        /// The server's machine code, where it sent one.
        code: Option<String>,
        /// The server's words.
        text: String,
        /// With what it turned down a message that was sent over this session; none where it does
        /// not say that it did.
        refused: Option<FailureKind>,
    },
    /// Someone types, or stopped.
    Typing {
        /// Who.
        user: String,
        /// Whether they type now.
        active: bool,
    },
    /// Someone came or went.
    Presence {
        /// Who.
        user: String,
        /// Whether they are here now.
        online: bool,
        /// When they were last seen.
        last_seen_ms: Option<i64>,
    },
    /// A recipient got or read everything up to a message.
    Receipt {
        /// Who.
        user: String,
        /// The server's id of the last one.
        up_to: String,
        /// Whether read, or only delivered.
        read: bool,
    },
    /// This account read everything up to a message, on another device.
    ReadMarker {
        /// The server's id of the last one.
        up_to: String,
    },
    /// A frame of a kind that the adapter does not know.
    Unknown {
        /// Its name.
        name: String,
    },
    /// A frame that could not be read; history is asked once to make up for it.
    Undecodable,
    /// The session is over; no event follows.
    Closed,
}

/// Prints no text.
impl std::fmt::Debug for SessionEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionEvent")
    }
}
