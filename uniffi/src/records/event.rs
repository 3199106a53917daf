//! Passing events as they cross.

use tidings::domain::event as core;

use super::{connection::ConnectionStatus, index, large};

/// What became of a streamed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum StreamPhase {
    /// An answer begins.
    Started,
    /// Text was added.
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

impl From<core::StreamPhase> for StreamPhase {
    fn from(phase: core::StreamPhase) -> Self {
        use core::StreamPhase as P;
        match phase {
            P::Started => Self::Started,
            P::Delta => Self::Delta,
            P::Completed => Self::Completed,
            P::Incomplete => Self::Incomplete,
            P::Failed => Self::Failed,
            P::Stopped => Self::Stopped,
        }
    }
}

/// Where a synchronisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
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

impl From<core::SyncPhase> for SyncPhase {
    fn from(phase: core::SyncPhase) -> Self {
        use core::SyncPhase as P;
        match phase {
            P::Started => Self::Started,
            P::Gap => Self::Gap,
            P::Synced => Self::Synced,
            P::Discontinuity => Self::Discontinuity,
        }
    }
}

/// A passing fact an app may show; whatever must not be missed is in the store instead.
#[derive(Clone, PartialEq, Eq, uniffi::Enum)]
pub enum ClientEvent {
    /// A conversation's connection changed.
    Connection {
        /// Which.
        conversation: String,
        /// How it is now.
        status: ConnectionStatus,
    },
    /// A streamed answer moved on.
    Stream {
        /// Which conversation.
        conversation: String,
        /// The answer's key.
        id: String,
        /// What happened.
        phase: StreamPhase,
        /// Where `text` begins, in UTF-8 bytes of the answer.
        offset: i64,
        /// The new text; for a failed answer the server's words.
        text: String,
    },
    /// Someone types; without a user, the answering model does.
    Typing {
        /// Which conversation.
        conversation: String,
        /// Who.
        user: Option<String>,
        /// Whether they type now.
        active: bool,
    },
    /// Someone came or went.
    Presence {
        /// Which conversation.
        conversation: String,
        /// Who.
        user: String,
        /// Whether they are here now.
        online: bool,
        /// When they were last seen.
        last_seen_ms: Option<i64>,
    },
    /// A recipient got or read everything up to a message.
    Receipt {
        /// Which conversation.
        conversation: String,
        /// Who.
        user: String,
        /// The server's id of the last one.
        up_to: String,
        /// Whether read, or only delivered.
        read: bool,
    },
    /// Synchronisation moved on.
    Sync {
        /// Which conversation.
        conversation: String,
        /// Where it stands.
        phase: SyncPhase,
        /// Messages new to this device since it started.
        fetched: i32,
    },
    /// The server asked for quiet.
    Cooldown {
        /// Until when.
        until_ms: i64,
        /// What waits.
        scope: String,
    },
    /// A conversation begun on this device is on the server, and goes by that name from now on; the
    /// local one still leads to it.
    ConversationBound {
        /// The name it had.
        local: String,
        /// The name it has.
        conversation: String,
    },
    /// The token was refused and could not be refreshed: the app must sign in again.
    SignInRequired,
    /// A direct send turned out never to have arrived; its text is the conversation's draft.
    DraftRestored {
        /// Which conversation.
        conversation: String,
        /// The message that went.
        id: String,
    },
    /// The fifth failure in a row of a waiting message.
    SendTroubled {
        /// Which conversation.
        conversation: String,
        /// The message.
        id: String,
    },
    /// This reader was slower than the events; that many are gone, the store has the truth.
    Discontinuity {
        /// How many.
        missed: i64,
    },
    /// The store cannot be written; nothing more is taken in until it can.
    StoreTroubled {
        /// The stable code.
        code: String,
    },
    /// Something this version has no word for.
    Unknown {
        /// Which conversation, where it belongs to one.
        conversation: Option<String>,
        /// Its name.
        name: String,
    },
}

/// Prints the kind only.
impl std::fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connection { .. } => "Connection",
            Self::Stream { .. } => "Stream",
            Self::Typing { .. } => "Typing",
            Self::Presence { .. } => "Presence",
            Self::Receipt { .. } => "Receipt",
            Self::Sync { .. } => "Sync",
            Self::Cooldown { .. } => "Cooldown",
            Self::ConversationBound { .. } => "ConversationBound",
            Self::SignInRequired => "SignInRequired",
            Self::DraftRestored { .. } => "DraftRestored",
            Self::SendTroubled { .. } => "SendTroubled",
            Self::Discontinuity { .. } => "Discontinuity",
            Self::StoreTroubled { .. } => "StoreTroubled",
            Self::Unknown { .. } => "Unknown",
        })
    }
}

// one match
impl From<core::ClientEvent> for ClientEvent {
    fn from(event: core::ClientEvent) -> Self {
        use core::ClientEvent as E;
        match event {
            E::Connection {
                conversation,
                status,
            } => Self::Connection {
                conversation: conversation.to_string(),
                status: status.into(),
            },
            E::Stream {
                conversation,
                id,
                phase,
                offset,
                text,
            } => Self::Stream {
                conversation: conversation.to_string(),
                id: id.to_string(),
                phase: phase.into(),
                offset: i64::try_from(offset).unwrap_or(i64::MAX),
                text,
            },
            E::Typing {
                conversation,
                user,
                active,
            } => Self::Typing {
                conversation: conversation.to_string(),
                user: user.map(|id| id.to_string()),
                active,
            },
            E::Presence {
                conversation,
                user,
                online,
                last_seen,
            } => Self::Presence {
                conversation: conversation.to_string(),
                user: user.to_string(),
                online,
                last_seen_ms: last_seen.map(|at| at.as_millis()),
            },
            E::Receipt {
                conversation,
                user,
                up_to,
                read,
            } => Self::Receipt {
                conversation: conversation.to_string(),
                user: user.to_string(),
                up_to: up_to.to_string(),
                read,
            },
            other => further(other),
        }
    }
}

// one match
fn further(event: core::ClientEvent) -> ClientEvent {
    use core::ClientEvent as E;
    match event {
        E::Sync {
            conversation,
            phase,
            fetched,
        } => ClientEvent::Sync {
            conversation: conversation.to_string(),
            phase: phase.into(),
            fetched: index(fetched),
        },
        E::Cooldown { until, scope } => ClientEvent::Cooldown {
            until_ms: until.as_millis(),
            scope: scope.to_owned(),
        },
        E::ConversationBound {
            local,
            conversation,
        } => ClientEvent::ConversationBound {
            local: local.to_string(),
            conversation: conversation.to_string(),
        },
        E::SignInRequired => ClientEvent::SignInRequired,
        E::DraftRestored { conversation, id } => ClientEvent::DraftRestored {
            conversation: conversation.to_string(),
            id: id.to_string(),
        },
        E::SendTroubled { conversation, id } => ClientEvent::SendTroubled {
            conversation: conversation.to_string(),
            id: id.to_string(),
        },
        E::Discontinuity { missed } => ClientEvent::Discontinuity {
            missed: large(missed),
        },
        E::StoreTroubled { code } => ClientEvent::StoreTroubled {
            code: code.to_owned(),
        },
        E::Unknown { conversation, name } => ClientEvent::Unknown {
            conversation: Some(conversation.to_string()),
            name,
        },
        newer => ClientEvent::Unknown {
            conversation: None,
            name: format!("{newer:?}")
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect(),
        },
    }
}
