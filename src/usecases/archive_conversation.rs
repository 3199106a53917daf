//! `ArchiveConversation`: a local overlay, so it works everywhere and survives every merge.

use crate::{
    domain::{
        conversation::Conversation, ids::ConversationId, ports::Durability, rules::conversations,
    },
    error::ChatError,
    usecases::Ports,
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
    /// Stores the overlay.
    ///
    /// # Errors
    /// `NotFound`; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let changed = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::overlay(rows, &self.conversation, |row| row.archived = self.archived)
            })
            .await?;
        changed.ok_or_else(|| ChatError::NotFound("there is no such conversation here".to_owned()))
    }
}
