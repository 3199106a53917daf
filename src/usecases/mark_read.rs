//! `MarkRead`: the own read marker, here at once and on the server where it has one.

use crate::{
    domain::{
        conversation::Conversation, ids::ConversationId, ports::Durability, retry::FailureKind,
        rules::reading,
    },
    error::ChatError,
    usecases::Ports,
};

/// Marks a conversation as read to its end.
#[derive(Clone, Debug)]
pub struct MarkRead {
    /// Which.
    pub conversation: ConversationId,
}

impl MarkRead {
    /// Moves the marker.
    ///
    /// # Errors
    /// The store's. A server that cannot be told keeps its own older marker; the local one stands.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let id = self.conversation.clone();
        let (conversation, reached) = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                reading::mark_read(rows, &id, None)
            })
            .await?;
        if let Some(reached) = reached
            && let Err(error) = ports.service.mark_read(&self.conversation, &reached).await
            && error.kind != FailureKind::Unsupported
        {
            tracing::info!(conversation = %self.conversation, code = error.code(), "read.not_told");
        }
        Ok(conversation)
    }
}
