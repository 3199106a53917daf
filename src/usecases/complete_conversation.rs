//! `CompleteConversation`: tells the server that the conversation is done.

use crate::{
    domain::{
        conversation::Conversation, ids::ConversationId, ports::Durability, rules::conversations,
    },
    error::ChatError,
    usecases::Ports,
};

/// Completes a conversation.
#[derive(Clone, Debug)]
pub struct CompleteConversation {
    /// Which.
    pub conversation: ConversationId,
}

impl CompleteConversation {
    /// Asks the server and stores its word.
    ///
    /// # Errors
    /// [`ChatError`] of the service (`Unsupported` where it cannot) or the store.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let said = ports.service.complete(&self.conversation).await?;
        Ok(ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::upsert(rows, said)
            })
            .await?)
    }
}
