//! Conversations as they cross.

use tidings::{
    domain::{
        conversation as core,
        ports::{NewConversation as CoreNew, chat_repository},
    },
    usecases::{
        Accepted, catch_up::CaughtUp as CoreCaughtUp, create_conversation::Created,
        export_conversation::Export, list_conversations::Refreshed,
    },
};

use super::{
    Attribute, attribute_map, attributes, count, index, large,
    message::{Message, Role},
    small,
};

/// The business entity a conversation is bound to, for good.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Context {
    /// The entity's kind.
    pub kind: String,
    /// The entity's id, where it has one.
    pub id: Option<String>,
}

impl From<core::Context> for Context {
    fn from(context: core::Context) -> Self {
        Self {
            kind: context.kind,
            id: context.id,
        }
    }
}

impl From<Context> for core::Context {
    fn from(context: Context) -> Self {
        Self {
            kind: context.kind,
            id: context.id,
        }
    }
}

/// The newest message, as a list shows it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct LastMessage {
    /// Its local key.
    pub id: String,
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: String,
    /// When, for display.
    pub at_ms: Option<i64>,
}

/// Prints no text.
impl std::fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LastMessage").field(&self.id).finish()
    }
}

/// A conversation as stored.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConversationInfo {
    /// The server's id; a local one until a conversation begun offline is on the server.
    pub id: String,
    /// The title to show: the local one, the server's, or one made of the persona.
    pub title: String,
    /// Whether the ordinary list hides it.
    pub archived: bool,
    /// Whether messages may be sent, as far as this device knows.
    pub writable: bool,
    /// Unsent input.
    pub draft: Option<String>,
    /// The persona spoken with.
    pub persona: Option<String>,
    /// The server's own word on its state; at once `completed`, where the user has just ended it.
    pub status: Option<String>,
    /// The bound entity.
    pub context: Option<Context>,
    /// Its members, where the backend names them.
    pub participants: Vec<String>,
    /// Further scalar facts, by the backend's own names.
    pub attributes: Vec<Attribute>,
    /// The newest visible message.
    pub last_message: Option<LastMessage>,
    /// When it was created.
    pub created_at_ms: Option<i64>,
    /// Newest activity, for sorting.
    pub activity_at_ms: Option<i64>,
    /// Messages waiting to be read.
    pub unread: i32,
    /// Rows stored, tombstones included.
    pub stored: i64,
    /// Whether the server has more before what is stored.
    pub has_older: bool,
    /// Grows with every change.
    pub version: i64,
}

/// Prints neither draft nor messages.
impl std::fmt::Debug for ConversationInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConversationInfo")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl From<core::Conversation> for ConversationInfo {
    fn from(row: core::Conversation) -> Self {
        Self {
            id: row.id.to_string(),
            title: row.display_title(),
            archived: row.is_archived(),
            writable: row.is_writable(),
            status: row.status().map(str::to_owned),
            draft: row.draft,
            persona: row.server.persona,
            context: row.server.context.map(Context::from),
            participants: row
                .server
                .participants
                .iter()
                .map(ToString::to_string)
                .collect(),
            attributes: attributes(row.server.attributes),
            last_message: row.last_message.map(|last| LastMessage {
                id: last.id.to_string(),
                role: last.role.into(),
                text: last.text,
                at_ms: last.at.map(|at| at.as_millis()),
            }),
            created_at_ms: row.server.created_at.map(|at| at.as_millis()),
            activity_at_ms: row.activity_at.map(|at| at.as_millis()),
            unread: small(row.unread),
            stored: large(row.stored),
            has_older: row.sync.oldest.is_some(),
            version: large(row.version),
        }
    }
}

/// Which conversations to list, newest activity first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConversationFilter {
    /// Also those the user or the server archived.
    #[uniffi(default = false)]
    pub include_archived: bool,
    /// At most this many; zero for all.
    #[uniffi(default = 0)]
    pub limit: i32,
}

impl From<ConversationFilter> for chat_repository::ConversationFilter {
    fn from(filter: ConversationFilter) -> Self {
        Self {
            include_archived: filter.include_archived,
            limit: count(filter.limit),
        }
    }
}

/// What to create.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NewConversation {
    /// Whom to talk to.
    #[uniffi(default = None)]
    pub persona: Option<String>,
    /// The entity to bind it to.
    #[uniffi(default = None)]
    pub context: Option<Context>,
    /// Further scalar fields the backend takes, by its own names.
    #[uniffi(default = [])]
    pub attributes: Vec<Attribute>,
}

impl From<NewConversation> for CoreNew {
    fn from(new: NewConversation) -> Self {
        Self {
            key: None,
            persona: new.persona,
            context: new.context.map(Into::into),
            attributes: attribute_map(new.attributes),
        }
    }
}

impl From<&CoreNew> for NewConversation {
    fn from(new: &CoreNew) -> Self {
        Self {
            persona: new.persona.clone(),
            context: new.context.clone().map(Into::into),
            attributes: attributes(new.attributes.clone()),
        }
    }
}

/// What creating led to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CreatedConversation {
    /// The conversation.
    pub conversation: ConversationInfo,
    /// Whether it was there already.
    pub existed: bool,
}

impl From<Created> for CreatedConversation {
    fn from(created: Created) -> Self {
        Self {
            conversation: created.conversation.into(),
            existed: created.existed,
        }
    }
}

/// How a conversation stands after an action that was accepted.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChangedConversation {
    /// How it shows from now on, on this device.
    pub conversation: ConversationInfo,
    /// The key under which the action waits for the server; none where there is nothing to tell it.
    pub action: Option<String>,
}

impl From<Accepted<core::Conversation>> for ChangedConversation {
    fn from(accepted: Accepted<core::Conversation>) -> Self {
        Self {
            conversation: accepted.shown.into(),
            action: accepted.action.map(|key| key.to_string()),
        }
    }
}

/// What a catch-up brought before its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CaughtUp {
    /// Messages new to this device.
    pub new_messages: i32,
    /// Own messages that waited and were delivered.
    pub delivered: i32,
    /// Conversations in which something was new.
    pub conversations_changed: i32,
    /// Whether all was read and nothing waits any more.
    pub finished: bool,
}

impl From<CoreCaughtUp> for CaughtUp {
    fn from(done: CoreCaughtUp) -> Self {
        Self {
            new_messages: index(done.new_messages),
            delivered: index(done.delivered),
            conversations_changed: index(done.conversations_changed),
            finished: done.finished,
        }
    }
}

/// What reading the server's list led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RefreshSummary {
    /// How many the server listed.
    pub listed: i32,
    /// How many went, because the server no longer has them.
    pub removed: i32,
    /// How many could not be read.
    pub skipped: i32,
}

impl From<Refreshed> for RefreshSummary {
    fn from(refreshed: Refreshed) -> Self {
        Self {
            listed: index(refreshed.listed),
            removed: index(refreshed.removed),
            skipped: index(refreshed.skipped),
        }
    }
}

/// Everything stored of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConversationExport {
    /// The conversation.
    pub conversation: ConversationInfo,
    /// Its messages, oldest first, tombstones included.
    pub messages: Vec<Message>,
}

impl From<Export> for ConversationExport {
    fn from(export: Export) -> Self {
        Self {
            conversation: export.conversation.into(),
            messages: export
                .messages
                .into_iter()
                .map(|(_, row)| row.into())
                .collect(),
        }
    }
}
