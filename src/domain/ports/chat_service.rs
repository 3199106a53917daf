//! A chat backend, as the core sees it.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::domain::{
    capabilities::Capabilities,
    conversation::{NewConversation, ServerConversation},
    cursor::{HistoryRange, SyncCursor},
    event::SendReceipt,
    ids::{ClientMessageId, ConversationId, MessageId},
    message::ServerMessage,
    ports::RealtimeSession,
    retry::ServiceError,
};

/// A message about to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its key, sent along where the backend takes one.
    pub id: ClientMessageId,
    /// Where to.
    pub conversation: ConversationId,
    /// What.
    pub text: String,
    /// The id prepared for the wire, where the adapter made one.
    pub wire_id: Option<String>,
}

/// Prints no text.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .finish_non_exhaustive()
    }
}

/// What creating led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// A new one, with the messages that came along (a greeting, perhaps).
    Created(ServerConversation, Vec<ServerMessage>),
    /// The server had one already; this is it.
    Existing(ServerConversation, Vec<ServerMessage>),
}

/// Which conversations to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListScope {
    /// Every one, whatever its status.
    All,
    /// Only those that take messages.
    Active,
}

/// One page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationPage {
    /// The conversations.
    pub conversations: Vec<ServerConversation>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<SyncCursor>,
    /// Items that could not be read and were left out.
    pub skipped: usize,
}

/// One page of history, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// The messages, in the server's order.
    pub messages: Vec<ServerMessage>,
    /// Where to read on backwards; `None` when the page holds the beginning.
    pub older: Option<SyncCursor>,
    /// Where the next forward read starts.
    pub newer: SyncCursor,
    /// Whether more is there in the forward direction right now.
    pub more: bool,
    /// Where the newest page ends, so that it can be read before what lies between; `None` where
    /// forward reads bring more than rows at their places (changes of older ones, say).
    pub tail: Option<SyncCursor>,
    /// Rows of older places that changed since the place this page was read from, deletions say. What
    /// of them is stored takes the change; the rest comes, as it is then, when its place is read.
    pub changed: Vec<ServerMessage>,
    /// Items that could not be read and were left out.
    pub skipped: usize,
}

/// What a backend's own look-up says of an uncertain send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// The server has it.
    Applied(Box<ServerMessage>),
    /// The server does not, and will not.
    NotApplied,
    /// It cannot tell.
    Unknown,
}

/// A chat backend.
///
/// Every error answers whether the call may be retried and whether it took effect. Dropping any
/// of the futures leaves the outcome unknown, never the adapter broken.
#[async_trait]
pub trait ChatService: Send + Sync + fmt::Debug {
    /// What this backend can do.
    fn capabilities(&self) -> Capabilities;

    /// Creates a conversation, or returns the one the server says is in its place.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError>;

    /// One page of the listing; start without a cursor, go on until there is no next one.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn list_conversations(
        &self,
        scope: &ListScope,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError>;

    /// The server's word on one conversation.
    ///
    /// # Errors
    /// [`ServiceError`], `NotFound` where it is gone.
    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError>;

    /// One page of history.
    ///
    /// # Errors
    /// [`ServiceError`]; `CursorRefused` where the server no longer knows the cursor.
    async fn history(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError>;

    /// Sends a message by a request of its own.
    ///
    /// # Errors
    /// [`ServiceError`].
    async fn send(&self, outgoing: &Outgoing) -> Result<SendReceipt, ServiceError>;

    /// Opens a realtime session. The upgrade is done when this returns; whether the session is
    /// ready is told by its first event where the backend has a ready frame.
    ///
    /// # Errors
    /// [`ServiceError`] with the upgrade's HTTP status.
    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError>;

    /// The id this message will have on the wire, to be stored before the first attempt.
    fn prepare(&self, _id: ClientMessageId) -> Option<String> {
        None
    }

    /// The backend's own answer to "did this send happen", where it has one.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it has none: history is read instead.
    async fn reconcile(&self, _outgoing: &Outgoing) -> Result<Reconciled, ServiceError> {
        Err(ServiceError::unsupported("look up a send"))
    }

    /// Moves the server's read marker.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where there is none.
    async fn mark_read(
        &self,
        _id: &ConversationId,
        _up_to: &MessageId,
    ) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("mark as read"))
    }

    /// Deletes a sent message.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn delete_message(
        &self,
        _id: &ConversationId,
        _message: &MessageId,
    ) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("delete a message"))
    }

    /// Edits a sent message.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn edit_message(
        &self,
        _id: &ConversationId,
        _message: &MessageId,
        _text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        Err(ServiceError::unsupported("edit a message"))
    }

    /// Stops the answer under way.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn stop_answer(&self, _id: &ConversationId) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("stop an answer"))
    }

    /// Hides a conversation from the account's ordinary list, or shows it again.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn archive(&self, _id: &ConversationId, _archived: bool) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("archive a conversation"))
    }

    /// Marks a conversation as done.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn complete(&self, _id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        Err(ServiceError::unsupported("complete a conversation"))
    }

    /// Deletes a conversation; one that is gone already counts as deleted.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where it cannot.
    async fn delete_conversation(&self, _id: &ConversationId) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("delete a conversation"))
    }
}
