//! `MarkRead`: the own read marker, here at once and on a server that keeps one when it hears.

use crate::{
    domain::{conversation::Conversation, ids::ConversationId, ports::Durability, rules::intents},
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
    /// Moves the marker, and queues it where the server is to know.
    ///
    /// # Errors
    /// The store's. A server that refuses keeps its own older marker; the local one stands.
    ///
    /// # Persistence
    /// Marker and outbox entry in one transaction, which survives a kill.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let (id, stamp) = (self.conversation, ports.stamp());
        let kept = ports.service.capabilities().read_marker;
        let (conversation, entry) = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                intents::read(rows, &id, kept, stamp)
            })
            .await?;
        if entry.is_some() {
            ports.dispatch.wake();
        }
        Ok(conversation)
    }
}
