//! What a backend can do, as it crosses in both directions.

use tidings::domain::capabilities as core;

use super::{count, index, millis, span};

/// Where the order of messages comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ServerOrder {
    /// A sequence number on each message.
    Sequence,
    /// The place in the server's history.
    HistoryPosition,
}

/// How far one realtime session reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SessionScope {
    /// One session for each conversation.
    Conversation,
    /// One session for the whole account.
    Account,
}

/// What a backend can do. The defaults are those of the plainest backend there is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "a list of independent yes-or-no facts"
)]
pub struct Capabilities {
    /// Where order comes from.
    pub server_order: ServerOrder,
    /// How far one session reaches.
    pub scope: SessionScope,
    /// The server recognises a repeated key of a message.
    #[uniffi(default = false)]
    pub idempotent_send: bool,
    /// The server recognises a repeated key of a creation.
    #[uniffi(default = false)]
    pub idempotent_create: bool,
    /// An uncertain message may be resent once a read proved its absence.
    #[uniffi(default = true)]
    pub auto_resend: bool,
    /// Messages may be sent over the realtime session.
    #[uniffi(default = false)]
    pub send_over_socket: bool,
    /// The server opens every session with a ready frame.
    #[uniffi(default = false)]
    pub ready_frame: bool,
    /// The session can resume from a cursor.
    #[uniffi(default = false)]
    pub resume: bool,
    /// Answers are streamed.
    #[uniffi(default = false)]
    pub streaming: bool,
    /// An answer can be stopped.
    #[uniffi(default = false)]
    pub stop: bool,
    /// A second message must wait for the answer to the first.
    #[uniffi(default = false)]
    pub one_turn_at_a_time: bool,
    /// The server tells of delivery and reading.
    #[uniffi(default = false)]
    pub receipts: bool,
    /// The server keeps this account's read marker.
    #[uniffi(default = false)]
    pub read_marker: bool,
    /// The server tells who types.
    #[uniffi(default = false)]
    pub typing: bool,
    /// The server tells who is online.
    #[uniffi(default = false)]
    pub presence: bool,
    /// Conversations may be bound to a business context.
    #[uniffi(default = false)]
    pub contexts: bool,
    /// Sent messages can be edited.
    #[uniffi(default = false)]
    pub edit: bool,
    /// Sent messages can be deleted.
    #[uniffi(default = false)]
    pub delete: bool,
    /// Deleted bodies stay visible to an audit read.
    #[uniffi(default = false)]
    pub audit: bool,
    /// The server archives conversations; where not, archiving is local.
    #[uniffi(default = false)]
    pub archive: bool,
    /// Conversations can be completed.
    #[uniffi(default = false)]
    pub complete: bool,
    /// Conversations can be deleted.
    #[uniffi(default = false)]
    pub delete_conversation: bool,
    /// History can be read in pages.
    #[uniffi(default = true)]
    pub history_paging: bool,
    /// The longest text, in Unicode scalars.
    #[uniffi(default = 5000)]
    pub max_text: i32,
    /// No poll comes sooner after the one before.
    #[uniffi(default = 1000)]
    pub poll_floor_ms: i64,
    /// No probe comes sooner after the last byte.
    #[uniffi(default = 0)]
    pub probe_floor_ms: i64,
}

impl From<core::Capabilities> for Capabilities {
    fn from(can: core::Capabilities) -> Self {
        Self {
            server_order: match can.server_order {
                core::ServerOrder::Sequence => ServerOrder::Sequence,
                core::ServerOrder::HistoryPosition => ServerOrder::HistoryPosition,
            },
            scope: match can.scope {
                core::SessionScope::Conversation => SessionScope::Conversation,
                core::SessionScope::Account => SessionScope::Account,
            },
            idempotent_send: can.idempotent_send,
            idempotent_create: can.idempotent_create,
            auto_resend: can.auto_resend,
            send_over_socket: can.send_over_socket,
            ready_frame: can.ready_frame,
            resume: can.resume,
            streaming: can.streaming,
            stop: can.stop,
            one_turn_at_a_time: can.one_turn_at_a_time,
            receipts: can.receipts,
            read_marker: can.read_marker,
            typing: can.typing,
            presence: can.presence,
            contexts: can.contexts,
            edit: can.edit,
            delete: can.delete,
            audit: can.audit,
            archive: can.archive,
            complete: can.complete,
            delete_conversation: can.delete_conversation,
            history_paging: can.history_paging,
            max_text: index(can.max_text),
            poll_floor_ms: millis(can.poll_floor),
            probe_floor_ms: millis(can.probe_floor),
        }
    }
}

impl From<Capabilities> for core::Capabilities {
    fn from(can: Capabilities) -> Self {
        Self {
            server_order: match can.server_order {
                ServerOrder::Sequence => core::ServerOrder::Sequence,
                ServerOrder::HistoryPosition => core::ServerOrder::HistoryPosition,
            },
            scope: match can.scope {
                SessionScope::Conversation => core::SessionScope::Conversation,
                SessionScope::Account => core::SessionScope::Account,
            },
            idempotent_send: can.idempotent_send,
            idempotent_create: can.idempotent_create,
            auto_resend: can.auto_resend,
            send_over_socket: can.send_over_socket,
            ready_frame: can.ready_frame,
            resume: can.resume,
            streaming: can.streaming,
            stop: can.stop,
            one_turn_at_a_time: can.one_turn_at_a_time,
            receipts: can.receipts,
            read_marker: can.read_marker,
            typing: can.typing,
            presence: can.presence,
            contexts: can.contexts,
            edit: can.edit,
            delete: can.delete,
            audit: can.audit,
            archive: can.archive,
            complete: can.complete,
            delete_conversation: can.delete_conversation,
            history_paging: can.history_paging,
            max_text: count(can.max_text),
            poll_floor: span(can.poll_floor_ms),
            probe_floor: span(can.probe_floor_ms),
        }
    }
}
