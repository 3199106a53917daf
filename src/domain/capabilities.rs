//! What a backend can do, as data: engines branch on this, never on a backend's name.

use std::time::Duration;

/// How far one realtime session reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionScope {
    /// One session for each conversation.
    Conversation,
    /// One session for the whole account.
    Account,
}

/// Where the order of messages comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerOrder {
    /// A sequence number on each message.
    Sequence,
    /// The place in the server's history.
    HistoryPosition,
}

/// What a backend can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a list of independent yes-or-no facts"
)]
pub struct Capabilities {
    /// The server recognises a repeated [`crate::domain::ids::ClientMessageId`].
    pub idempotent_send: bool,
    /// The server recognises a repeated creation by its key.
    pub idempotent_create: bool,
    /// An uncertain message may be resent by the engine once a read proved its absence.
    pub auto_resend: bool,
    /// Messages may be sent over the realtime session.
    pub send_over_socket: bool,
    /// The server opens every session with a ready frame.
    pub ready_frame: bool,
    /// Where order comes from.
    pub server_order: ServerOrder,
    /// The session can resume from a cursor.
    pub resume: bool,
    /// How far one session reaches.
    pub scope: SessionScope,
    /// Answers are streamed.
    pub streaming: bool,
    /// An answer can be stopped.
    pub stop: bool,
    /// A second message must wait for the answer to the first.
    pub one_turn_at_a_time: bool,
    /// The server tells of delivery and reading.
    pub receipts: bool,
    /// The server keeps this account's read marker.
    pub read_marker: bool,
    /// The server tells who types.
    pub typing: bool,
    /// The server tells who is online.
    pub presence: bool,
    /// Conversations may be bound to a business context.
    pub contexts: bool,
    /// Sent messages can be edited.
    pub edit: bool,
    /// Sent messages can be deleted.
    pub delete: bool,
    /// Deleted bodies stay visible to an audit read.
    pub audit: bool,
    /// The server archives conversations; where not, archiving is local.
    pub archive: bool,
    /// Conversations can be completed.
    pub complete: bool,
    /// Conversations can be deleted.
    pub delete_conversation: bool,
    /// History can be read in pages.
    pub history_paging: bool,
    /// The longest text, in Unicode scalars.
    pub max_text: usize,
    /// No poll comes sooner after the one before.
    pub poll_floor: Duration,
    /// No probe comes sooner after the last byte.
    pub probe_floor: Duration,
}
