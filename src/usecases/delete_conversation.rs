//! `DeleteConversation`: on the server first, then here; never as a means of recovery.

use crate::{
    domain::{
        ids::ConversationId,
        ports::Durability,
        rules::{
            conversations,
            intents::{self, Removed},
        },
    },
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
    /// Deletes on the server, where one that is gone already counts as deleted, then the rows. One
    /// that only this device knows goes with all that waits in it.
    ///
    /// # Errors
    /// `send.outcome_unknown` while nobody knows whether the server has it;
    /// [`ChatError`] of the service (`Unsupported` where it cannot), the rows being kept then; or
    /// the store's.
    pub async fn execute(self, ports: &Ports) -> Result<(), ChatError> {
        let local = self.conversation;
        let (id, removed) = ports
            .repository
            .transact(Durability::Full, move |rows| {
                let id = conversations::resolve(rows, &local)?;
                let removed = intents::remove_begun(rows, &id)?;
                Ok((id, removed))
            })
            .await?;
        match removed {
            Removed::Gone => return Ok(()),
            Removed::Undecided => return Err(ChatError::OutcomeUnknown),
            Removed::Elsewhere => {}
        }
        ports.service.delete_conversation(&id).await?;
        ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::bury(rows, &id)
            })
            .await?;
        Ok(())
    }
}
