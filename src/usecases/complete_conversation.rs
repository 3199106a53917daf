//! `CompleteConversation`: the conversation is done, here at once and on the server when it hears.

use crate::{
    domain::{conversation::Conversation, ids::ConversationId, ports::Durability, rules::intents},
    error::ChatError,
    usecases::{Accepted, Ports},
};

/// Completes a conversation.
#[derive(Clone, Debug)]
pub struct CompleteConversation {
    /// Which.
    pub conversation: ConversationId,
}

impl CompleteConversation {
    /// Closes it for further messages and queues the end behind those that wait. Answers the
    /// conversation, and the key of the action, where one waits.
    ///
    /// # Errors
    /// `Unsupported` where the backend cannot; the store's.
    ///
    /// # Persistence
    /// Overlay and outbox entry in one transaction, which survives a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Accepted<Conversation>, ChatError> {
        if !ports.service.capabilities().complete {
            return Err(ChatError::Unsupported(
                "this backend cannot complete a conversation".to_owned(),
            ));
        }
        let stamp = ports.stamp();
        let (shown, action) = ports
            .repository
            .transact(Durability::Full, move |rows| {
                intents::complete(rows, &self.conversation, stamp)
            })
            .await?;
        ports.dispatch.wake();
        Ok(Accepted { shown, action })
    }
}
