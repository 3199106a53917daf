//! The backend of commands that need none: every call says that there is no network.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tidings::domain::{
    capabilities::{Capabilities, ServerOrder, SessionScope},
    conversation::ServerConversation,
    cursor::{HistoryRange, SyncCursor},
    event::SendReceipt,
    ids::ConversationId,
    ports::{
        ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
        Outgoing, RealtimeSession,
    },
    retry::ServiceError,
};

/// A backend that cannot be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfflineService;

fn no_network<T>() -> Result<T, ServiceError> {
    Err(ServiceError::unreachable(
        "no server was named: give its --url",
    ))
}

#[async_trait]
impl ChatService for OfflineService {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            idempotent_send: false,
            idempotent_create: false,
            auto_resend: false,
            send_over_socket: false,
            ready_frame: false,
            server_order: ServerOrder::HistoryPosition,
            resume: false,
            scope: SessionScope::Conversation,
            streaming: false,
            stop: false,
            one_turn_at_a_time: false,
            receipts: false,
            read_marker: false,
            typing: false,
            presence: false,
            contexts: false,
            edit: false,
            delete: false,
            audit: false,
            archive: false,
            complete: false,
            delete_conversation: false,
            history_paging: false,
            max_text: 5_000,
            poll_floor: Duration::from_secs(1),
            probe_floor: Duration::ZERO,
        }
    }

    async fn create_conversation(
        &self,
        _: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        no_network()
    }

    async fn list_conversations(
        &self,
        _: &ListScope,
        _: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        no_network()
    }

    async fn conversation(&self, _: &ConversationId) -> Result<ServerConversation, ServiceError> {
        no_network()
    }

    async fn history(
        &self,
        _: &ConversationId,
        _: &HistoryRange,
        _: usize,
    ) -> Result<HistoryPage, ServiceError> {
        no_network()
    }

    async fn send(&self, _: &Outgoing) -> Result<SendReceipt, ServiceError> {
        no_network()
    }

    async fn connect(&self, _: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        no_network()
    }
}
