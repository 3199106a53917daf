//! A handle on one open conversation.

use std::{fmt, sync::Arc};

use crate::{
    client::ChatClient,
    domain::{
        connection::ConnectionStatus, ids::ConversationId, message::Message, outbox::SendMode,
    },
    error::{ChatError, SendMessageError},
    runtime::{
        command::{Command, Commands},
        observers::TimelineObserver,
    },
};

/// An open conversation: connected while any clone of this handle lives.
#[derive(Clone)]
pub struct ConversationHandle {
    client: ChatClient,
    open: Arc<Open>,
}

struct Open {
    id: ConversationId,
    commands: Commands,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.commands.tell(Command::Close(self.id.clone()));
    }
}

impl fmt::Debug for ConversationHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConversationHandle")
            .field(&self.open.id)
            .finish()
    }
}

impl ConversationHandle {
    pub(crate) fn new(client: ChatClient, commands: Commands, id: ConversationId) -> Self {
        commands.tell(Command::Open(id.clone()));
        Self {
            client,
            open: Arc::new(Open { id, commands }),
        }
    }

    /// Which conversation.
    #[must_use]
    pub fn id(&self) -> &ConversationId {
        &self.open.id
    }

    /// Sends a message that survives everything.
    ///
    /// # Errors
    /// [`SendMessageError`].
    pub async fn send(&self, text: impl Into<String>) -> Result<Message, SendMessageError> {
        self.client
            .send(self.open.id.clone(), text, SendMode::Durable)
            .await
    }

    /// The newest `window` messages, then their changes.
    #[must_use]
    pub fn observe(&self, window: usize) -> TimelineObserver {
        self.client.observe_timeline(self.open.id.clone(), window)
    }

    /// Reads one page before what is stored; answers whether there is still more.
    ///
    /// # Errors
    /// [`ChatError`].
    pub async fn load_older(&self) -> Result<bool, ChatError> {
        self.client.load_older(self.open.id.clone()).await
    }

    /// Marks everything as read.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_read(&self) -> Result<(), ChatError> {
        self.client.mark_read(self.open.id.clone()).await.map(drop)
    }

    /// How it is connected right now; changes come as events.
    ///
    /// # Errors
    /// [`ChatError::Closed`].
    pub async fn connection(&self) -> Result<ConnectionStatus, ChatError> {
        let conversation = self.open.id.clone();
        self.open
            .commands
            .ask(|reply| Command::Status {
                conversation,
                reply,
            })
            .await
    }

    /// Stops the answer under way; see [`ChatClient::stop_answer`].
    ///
    /// # Errors
    /// `Unsupported`, the store's.
    pub async fn stop_answer(&self) -> Result<(), ChatError> {
        let stopped = self.client.stop_answer(self.open.id.clone()).await;
        stopped.map(drop)
    }

    /// Tells the others that the user types, or stopped.
    ///
    /// # Errors
    /// `Unsupported`, [`ChatError`] of the service.
    pub async fn set_typing(&self, active: bool) -> Result<(), ChatError> {
        let conversation = self.open.id.clone();
        self.open
            .commands
            .ask(|reply| Command::SetTyping {
                conversation,
                active,
                reply,
            })
            .await
    }
}
