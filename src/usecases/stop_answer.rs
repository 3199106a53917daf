//! `StopAnswer`: ends the answer to the newest message early.

use crate::{
    domain::{
        ids::{ClientMessageId, ConversationId},
        ports::Durability,
        rules::intents,
    },
    error::ChatError,
    usecases::Ports,
};

/// Stops the answer under way.
#[derive(Clone, Debug)]
pub struct StopAnswer {
    /// Where.
    pub conversation: ConversationId,
}

impl StopAnswer {
    /// Queues it; an answer that has ended by the time the server can be told is left alone, and
    /// so is the answer to a later message. Answers the key of the action.
    ///
    /// # Errors
    /// `Unsupported` where the backend cannot; the store's.
    ///
    /// # Persistence
    /// Survives a kill.
    pub async fn execute(self, ports: &Ports) -> Result<Option<ClientMessageId>, ChatError> {
        if !ports.service.capabilities().stop {
            return Err(ChatError::Unsupported(
                "this backend cannot stop an answer".to_owned(),
            ));
        }
        let (id, stamp) = (self.conversation, ports.stamp());
        let entry = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                intents::stop(rows, &id, stamp)
            })
            .await?;
        ports.dispatch.wake();
        Ok(entry)
    }
}
