//! `ArchiveConversation`: shown at once, and told to a server that archives too; anywhere else it
//! is a local overlay, which survives every merge.

use crate::{
    domain::{
        conversation::Conversation,
        ids::ConversationId,
        ports::Durability,
        rules::{conversations, intents},
    },
    error::ChatError,
    usecases::{Ports, missing_conversation},
};

/// Hides a conversation from the ordinary list, or shows it again.
#[derive(Clone, Debug)]
pub struct ArchiveConversation {
    /// Which.
    pub conversation: ConversationId,
    /// Hide or show.
    pub archived: bool,
}

impl ArchiveConversation {
    /// Stores the overlay, and queues it where the server is to know.
    ///
    /// # Errors
    /// `NotFound`; the store's.
    ///
    /// # Persistence
    /// Overlay and outbox entry in one transaction, which survives a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let (stamp, told) = (ports.stamp(), ports.service.capabilities().archive);
        let changed = ports
            .repository
            .transact(Durability::Full, move |rows| {
                let id = conversations::resolve(rows, &self.conversation)?;
                if rows.conversation(&id)?.is_none() {
                    return Ok(None);
                }
                intents::archive(rows, &id, self.archived, told, stamp).map(Some)
            })
            .await?;
        ports.dispatch.wake();
        changed.map(|(row, _)| row).ok_or_else(missing_conversation)
    }
}
