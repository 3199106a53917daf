//! Describing a scripted server before it starts.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Script, ScriptedService, Server, Shared, id};
use crate::domain::{
    capabilities::{Capabilities, ServerOrder, SessionScope},
    conversation::ServerConversation,
    message::Role,
};

/// Describes a [`ScriptedService`].
#[derive(Debug)]
pub struct ScriptedServiceBuilder {
    capabilities: Capabilities,
    answer: Option<String>,
    greets: bool,
    server: Server,
}

impl Default for ScriptedServiceBuilder {
    fn default() -> Self {
        Self {
            capabilities: answering_backend(),
            answer: None,
            greets: true,
            server: Server::default(),
        }
    }
}

impl ScriptedServiceBuilder {
    /// The server has this conversation, empty.
    #[must_use]
    pub fn conversation(self, name: &str) -> Self {
        self.stored(ServerConversation::bare(id(name)))
    }

    /// The server has this conversation, empty.
    #[must_use]
    pub fn stored(mut self, conversation: ServerConversation) -> Self {
        self.server.insert(conversation);
        self
    }

    /// The conversation holds these messages already.
    #[must_use]
    pub fn holding(mut self, conversation: &str, rows: &[(Role, &str)]) -> Self {
        for (role, text) in rows {
            self.server.append(&id(conversation), role.clone(), text);
        }
        self
    }

    /// Each message is answered with this text, streamed word by word where a session is open.
    #[must_use]
    pub fn answering(mut self, text: &str) -> Self {
        self.answer = Some(text.to_owned());
        self
    }

    /// Sessions open without the ready frame that is due.
    #[must_use]
    pub fn without_greeting(mut self) -> Self {
        self.greets = false;
        self
    }

    /// Changes what the backend can do.
    #[must_use]
    pub fn capable(mut self, change: impl FnOnce(&mut Capabilities)) -> Self {
        change(&mut self.capabilities);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    #[must_use]
    pub fn build(mut self) -> ScriptedService {
        self.server.knows_keys = self.capabilities.idempotent_send;
        self.server.knows_creations = self.capabilities.idempotent_create;
        ScriptedService {
            shared: Arc::new(Shared {
                capabilities: self.capabilities,
                answer: self.answer,
                greets: self.greets,
                started: tokio::time::Instant::now(),
                script: Mutex::new(Script::default()),
                server: Mutex::new(self.server),
                sessions: Mutex::default(),
            }),
        }
    }
}

/// A backend without keys that streams one answer at a time: the hardest kind.
const fn answering_backend() -> Capabilities {
    Capabilities {
        idempotent_send: false,
        idempotent_create: false,
        auto_resend: true,
        send_over_socket: true,
        ready_frame: true,
        server_order: ServerOrder::HistoryPosition,
        resume: false,
        scope: SessionScope::Conversation,
        streaming: true,
        stop: true,
        one_turn_at_a_time: true,
        receipts: false,
        read_marker: true,
        typing: true,
        presence: false,
        contexts: true,
        edit: false,
        delete: true,
        audit: false,
        archive: false,
        complete: true,
        delete_conversation: true,
        history_paging: true,
        max_text: 5_000,
        poll_floor: Duration::from_secs(1),
        probe_floor: Duration::ZERO,
    }
}
