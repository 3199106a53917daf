//! What a realtime session reports, and what the client reports to the app.

use std::fmt;

use crate::domain::{
    connection::ConnectionStatus,
    conversation::ServerConversation,
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    message::ServerMessage,
    retry::FailureKind,
    time::WallTime,
};

/// The server's confirmation of one send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendReceipt {
    /// The server's row for the message, where the confirmation carries it.
    pub message: Option<ServerMessage>,
    /// The answer, where it came with the confirmation.
    pub answer: Option<ServerMessage>,
}

/// One thing a realtime session reports. Any of them proves that the peer is alive.
#[derive(Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The backend's ready frame.
    Ready,
    /// Bytes without a meaning of their own: a pong, a keepalive, another product's push.
    Alive,
    /// A send was taken; `None` means the oldest unconfirmed send of this session.
    Acknowledged {
        /// Our key, where the backend echoes it.
        client_id: Option<ClientMessageId>,
        /// What the confirmation carries.
        receipt: SendReceipt,
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
    Message(ServerMessage),
    /// The server reports an error; during a turn it ends the turn.
    Failed {
        /// The server's machine code, where it sent one.
        code: Option<String>,
        /// The server's words; may reach the app, never a log.
        text: String,
        /// With what it turned down a message that was sent over this session; `None` where it
        /// does not say that it did.
        refused: Option<FailureKind>,
    },
    /// Someone types, or stopped.
    Typing {
        /// Who.
        user: UserId,
        /// Whether they type now.
        active: bool,
    },
    /// Someone came or went.
    Presence {
        /// Who.
        user: UserId,
        /// Whether they are here now.
        online: bool,
        /// When they were last seen.
        last_seen: Option<WallTime>,
    },
    /// A recipient got or read everything up to a message.
    Receipt {
        /// Who.
        user: UserId,
        /// Up to here.
        up_to: MessageId,
        /// Whether read, or only delivered.
        read: bool,
    },
    /// This account read everything up to a message, on another device.
    ReadMarker {
        /// Up to here.
        up_to: MessageId,
    },
    /// What the server now says of the conversation itself: who is in it, say.
    Conversation(Box<ServerConversation>),
    /// A frame of a kind that this version does not know.
    Unknown {
        /// Its name: bounded, printable.
        name: String,
    },
    /// A frame that could not be read; history is asked once to make up for it.
    Undecodable,
    /// The session is over; no event follows.
    Closed(CloseReason),
}

/// Prints no text.
impl fmt::Debug for SessionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("Ready"),
            Self::Alive => f.write_str("Alive"),
            Self::Acknowledged { client_id, .. } => f
                .debug_struct("Acknowledged")
                .field("client_id", client_id)
                .finish_non_exhaustive(),
            Self::AnswerDelta { text } => write!(f, "AnswerDelta({} bytes)", text.len()),
            Self::AnswerCompleted { stopped } => write!(f, "AnswerCompleted(stopped: {stopped})"),
            Self::Message(message) => f.debug_tuple("Message").field(message).finish(),
            Self::Failed { code, .. } => write!(f, "Failed({code:?})"),
            Self::Typing { user, active } => write!(f, "Typing({user}, {active})"),
            Self::Presence { user, online, .. } => write!(f, "Presence({user}, {online})"),
            Self::Receipt { user, up_to, read } => write!(f, "Receipt({user}, {up_to}, {read})"),
            Self::ReadMarker { up_to } => write!(f, "ReadMarker({up_to})"),
            Self::Conversation(said) => write!(f, "Conversation({})", said.id),
            Self::Unknown { name } => write!(f, "Unknown({name})"),
            Self::Undecodable => f.write_str("Undecodable"),
            Self::Closed(reason) => f.debug_tuple("Closed").field(reason).finish(),
        }
    }
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// We closed it.
    Local,
    /// The peer closed it with a code.
    Code(u16),
    /// The connection broke without a close.
    Broken,
    /// The peer broke the protocol or a limit of ours.
    Violation,
}

/// What became of a streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamPhase {
    /// An answer begins.
    Started,
    /// Text was added at `offset`.
    Delta,
    /// The answer is whole.
    Completed,
    /// It ended early; history is read for the rest.
    Incomplete,
    /// The service ended it with an error.
    Failed,
    /// The user stopped it.
    Stopped,
}

impl StreamPhase {
    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Delta => "delta",
            Self::Completed => "completed",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// Where a synchronisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPhase {
    /// Reading began.
    Started,
    /// A hole is known and not filled yet.
    Gap,
    /// The local range equals the server's.
    Synced,
    /// The server lost continuity; a fresh snapshot was taken, nothing was wiped.
    Discontinuity,
}

impl SyncPhase {
    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Gap => "gap",
            Self::Synced => "synced",
            Self::Discontinuity => "discontinuity",
        }
    }
}

/// A passing fact the app may show; whatever must not be missed is in the store instead.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A conversation's connection changed.
    Connection {
        /// Which.
        conversation: ConversationId,
        /// How it is now.
        status: ConnectionStatus,
    },
    /// A streamed answer moved on.
    Stream {
        /// Which conversation.
        conversation: ConversationId,
        /// The answer's key.
        id: ClientMessageId,
        /// What happened.
        phase: StreamPhase,
        /// Where `text` begins, in bytes of the answer.
        offset: usize,
        /// The new text; for an ended answer empty, for a failed one the server's words.
        text: String,
    },
    /// Someone types; without a user, the answering model does.
    Typing {
        /// Which conversation.
        conversation: ConversationId,
        /// Who.
        user: Option<UserId>,
        /// Whether they type now.
        active: bool,
    },
    /// Someone came or went.
    Presence {
        /// Which conversation.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Whether they are here now.
        online: bool,
        /// When they were last seen.
        last_seen: Option<WallTime>,
    },
    /// A recipient got or read everything up to a message.
    Receipt {
        /// Which conversation.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Up to here.
        up_to: MessageId,
        /// Whether read, or only delivered.
        read: bool,
    },
    /// Synchronisation moved on.
    Sync {
        /// Which conversation.
        conversation: ConversationId,
        /// Where it stands.
        phase: SyncPhase,
        /// Messages new to this device since it started.
        fetched: usize,
    },
    /// The server asked for quiet.
    Cooldown {
        /// Until when.
        until: WallTime,
        /// What waits.
        scope: &'static str,
    },
    /// The server sent something this version does not know.
    Unknown {
        /// Which conversation.
        conversation: ConversationId,
        /// Its name.
        name: String,
    },
    /// A conversation begun on this device is on the server: from now on it goes by that name. The
    /// local one still leads to it.
    ConversationBound {
        /// The name it had.
        local: ConversationId,
        /// The name it has.
        conversation: ConversationId,
    },
    /// The token was refused and could not be refreshed: the app must sign in again.
    SignInRequired,
    /// A direct send turned out never to have arrived; its text is the conversation's draft.
    DraftRestored {
        /// Which conversation.
        conversation: ConversationId,
        /// The message that went.
        id: ClientMessageId,
    },
    /// The fifth failure in a row of a waiting message.
    SendTroubled {
        /// Which conversation.
        conversation: ConversationId,
        /// The message.
        id: ClientMessageId,
    },
    /// This reader was slower than the events; `missed` of them are gone, the store has the truth.
    Discontinuity {
        /// How many.
        missed: u64,
    },
    /// The store cannot be written; nothing more is taken in until it can.
    StoreTroubled {
        /// The stable code.
        code: &'static str,
    },
    /// The store was damaged and begins anew with what was saved: everything unsent, every draft,
    /// what is local of the conversations. The history is read from the server again. Told once,
    /// in the first process that listens.
    StoreSalvaged {
        /// The name of the damaged file, kept beside the store; empty where the store itself was
        /// whole and some commits were put back into it.
        kept: String,
        /// Unsent actions that were saved.
        unsent: u64,
        /// Drafts that were saved.
        drafts: u64,
        /// Unsent actions that could not be: both of their copies were damaged, or the message that
        /// they change. What was typed in one is in the damaged file, if anywhere.
        lost: u64,
    },
}

/// Prints no text.
impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection {
                conversation,
                status,
            } => {
                write!(f, "Connection({conversation}, {status:?})")
            }
            Self::Stream {
                conversation,
                id,
                phase,
                offset,
                text,
            } => {
                write!(
                    f,
                    "Stream({conversation}, {id}, {phase:?}, {offset}+{})",
                    text.len()
                )
            }
            Self::Typing {
                conversation,
                active,
                ..
            } => write!(f, "Typing({conversation}, {active})"),
            Self::Presence { user, online, .. } => write!(f, "Presence({user}, {online})"),
            Self::Receipt {
                user, up_to, read, ..
            } => write!(f, "Receipt({user}, {up_to}, {read})"),
            Self::Sync {
                conversation,
                phase,
                fetched,
            } => {
                write!(f, "Sync({conversation}, {phase:?}, {fetched})")
            }
            Self::Cooldown { until, scope } => write!(f, "Cooldown({scope}, {until})"),
            Self::Unknown { conversation, name } => write!(f, "Unknown({conversation}, {name})"),
            Self::ConversationBound {
                local,
                conversation,
            } => write!(f, "ConversationBound({local}, {conversation})"),
            Self::SignInRequired => f.write_str("SignInRequired"),
            Self::DraftRestored { conversation, id } => {
                write!(f, "DraftRestored({conversation}, {id})")
            }
            Self::SendTroubled { conversation, id } => {
                write!(f, "SendTroubled({conversation}, {id})")
            }
            Self::Discontinuity { missed } => write!(f, "Discontinuity({missed})"),
            Self::StoreTroubled { code } => write!(f, "StoreTroubled({code})"),
            Self::StoreSalvaged { unsent, drafts, .. } => {
                write!(f, "StoreSalvaged({unsent}, {drafts})")
            }
        }
    }
}
