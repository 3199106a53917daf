//! What the tests' own backends have in common: one conversation, and capabilities to start from.

use std::sync::Arc;

use tidings_ffi::{
    Capabilities, ChatClient, ClientOptions, ServicePort,
    calls::{ServerConversation, ServiceAnswer},
    records::{
        capabilities::{ServerOrder, SessionScope},
        conversation::NewConversation,
        options::{Backend, Store, Tokens},
    },
};

/// What the plainest backend can do.
pub(crate) fn least() -> Capabilities {
    Capabilities {
        server_order: ServerOrder::HistoryPosition,
        scope: SessionScope::Conversation,
        idempotent_send: false,
        idempotent_create: false,
        auto_resend: true,
        send_over_socket: false,
        ready_frame: false,
        resume: false,
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
        history_paging: true,
        max_text: 5000,
        poll_floor_ms: 1000,
        probe_floor_ms: 0,
    }
}

/// A client of this backend, with a store in memory.
pub(crate) async fn client(
    service: Arc<dyn ServicePort>,
    capabilities: Capabilities,
) -> Arc<ChatClient> {
    let options = ClientOptions {
        backend: Backend::Custom {
            service,
            capabilities,
        },
        store: Store::Memory,
        tokens: Tokens::None,
        settings: Vec::new(),
    };
    ChatClient::start(options).await.unwrap()
}

/// A conversation of whatever kind.
pub(crate) fn anything() -> NewConversation {
    NewConversation {
        persona: None,
        context: None,
        attributes: Vec::new(),
    }
}

/// The one there is.
pub(crate) fn conversation() -> ServerConversation {
    ServerConversation {
        id: "c1".to_owned(),
        persona: None,
        status: None,
        title: None,
        context: None,
        created_at_ms: None,
        updated_at_ms: None,
        last_message_at_ms: None,
        participants: Vec::new(),
        attributes: Vec::new(),
        mark: None,
    }
}

/// The answer that it was created.
pub(crate) fn created() -> ServiceAnswer {
    ServiceAnswer::Created {
        conversation: conversation(),
        messages: Vec::new(),
        existed: false,
    }
}
