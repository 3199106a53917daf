//! `SendChatMessage`: from the user's tap to the accepted row.

use crate::{
    domain::{
        delivery::Reason,
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::SendMode,
        ports::Durability,
        rules::{
            accept::{self, Accept},
            conversations,
        },
        text,
    },
    error::{ChatError, SendMessageError},
    usecases::{
        Ports,
        wait_for_delivery::{Delivery, WaitForDelivery},
    },
};

/// Sends one message.
#[derive(Clone)]
pub struct SendChatMessage {
    /// Where to.
    pub conversation: ConversationId,
    /// What.
    pub text: String,
    /// What is promised.
    pub mode: SendMode,
    /// The key to use; a repeated call with the same key returns the same message. Minted where
    /// absent.
    pub id: Option<ClientMessageId>,
}

impl std::fmt::Debug for SendChatMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendChatMessage")
            .field("conversation", &self.conversation)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl SendChatMessage {
    /// Validates and accepts; a durable send returns then, a direct one when its fate is known.
    ///
    /// # Errors
    /// Validation and store errors, nothing being stored then. Direct: also what the server or
    /// the network said, with the text as `draft`.
    ///
    /// # Cancel safety
    /// Dropping the future before the accept is done leaves it all or nothing; afterwards the
    /// message is sent all the same.
    ///
    /// # Persistence
    /// Row, outbox entry and journal in one transaction; durable sends survive a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Message, SendMessageError> {
        text::validate(&self.text, ports.service.capabilities().max_text)?;
        let writable = self.check_writable(ports).await;
        writable.map_err(|error| SendMessageError {
            draft: (self.mode == SendMode::Direct).then(|| self.text.clone()),
            error,
        })?;
        let message = self.accept(ports).await?;
        ports.dispatch.wake();
        match self.mode {
            SendMode::Durable => Ok(message),
            SendMode::Direct => self.outcome(ports, message).await,
        }
    }

    async fn check_writable(&self, ports: &Ports) -> Result<(), ChatError> {
        let id = self.conversation.clone();
        let (id, stored) = ports
            .repository
            .view(move |rows| {
                let id = conversations::resolve(rows, &id)?;
                let stored = rows.conversation(&id)?;
                Ok((id, stored))
            })
            .await?;
        if id.is_local() && self.mode == SendMode::Direct {
            // It would wait for the creation, and a direct send waits for nothing.
            return Err(ChatError::Offline {
                code: "network.unreachable",
                text: "the conversation is not on the server yet".to_owned(),
            });
        }
        match stored {
            Some(conversation) if !conversation.is_writable() => Err(ChatError::NotActive),
            _ => Ok(()),
        }
    }

    async fn accept(&self, ports: &Ports) -> Result<Message, ChatError> {
        let request = Accept {
            id: self.id.unwrap_or_else(|| ports.platform.mint()),
            conversation: self.conversation.clone(),
            text: self.text.clone(),
            mode: self.mode,
            now: ports.platform.wall(),
            expiry: ports.send_expiry,
        };
        let durability = match self.mode {
            SendMode::Durable => Durability::Full,
            SendMode::Direct => Durability::Normal,
        };
        let accepted = ports
            .repository
            .transact(durability, move |rows| accept::accept(rows, request))
            .await?;
        Ok(accepted)
    }

    async fn outcome(&self, ports: &Ports, message: Message) -> Result<Message, SendMessageError> {
        let failed = |reason: &Reason| SendMessageError {
            error: ChatError::of_reason(reason),
            draft: Some(self.text.clone()),
        };
        match (WaitForDelivery {
            message: message.id,
        })
        .execute(ports)
        .await?
        {
            Delivery::OnServer(sent) => Ok(sent.map_or(message, |sent| *sent)),
            Delivery::Failed(reason) | Delivery::Unknown(reason) => Err(failed(&reason)),
            Delivery::Cancelled => Ok(message),
        }
    }
}
