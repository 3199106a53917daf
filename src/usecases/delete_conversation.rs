//! `DeleteConversation`: on the server first, then here; never as a means of recovery.

use crate::{
    domain::{ids::ConversationId, ports::Durability, rules::conversations},
    error::ChatError,
    usecases::Ports,
};

/// Deletes a conversation for good.
#[derive(Clone, Debug)]
pub struct DeleteConversation {
    /// Which.
    pub conversation: ConversationId,
}

impl DeleteConversation {
    /// Deletes on the server, where one that is gone already counts as deleted, then the rows.
    ///
    /// # Errors
    /// [`ChatError`] of the service (`Unsupported` where it cannot), the rows being kept then; or
    /// the store's.
    pub async fn execute(self, ports: &Ports) -> Result<(), ChatError> {
        ports
            .service
            .delete_conversation(&self.conversation)
            .await?;
        ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::bury(rows, &self.conversation)
            })
            .await?;
        Ok(())
    }
}
