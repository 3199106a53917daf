//! `DeleteMessage`: an unsent one is taken back, a sent one is deleted where the backend can.

use crate::{
    domain::{
        ids::ClientMessageId,
        message::Message,
        ports::Durability,
        rules::intents::{self, Change},
    },
    error::ChatError,
    usecases::{Accepted, Ports, missing_message, settle_unsent::refused},
};

/// Deletes one message.
#[derive(Clone, Copy, Debug)]
pub struct DeleteMessage {
    /// Which.
    pub message: ClientMessageId,
}

impl DeleteMessage {
    /// Takes an unsent message back; hides a sent one at once and queues its deletion, which comes
    /// back with a reason should the server refuse it. Answers the message as it shows now, and
    /// the key of the action, where one waits.
    ///
    /// # Errors
    /// `NotFound`; `Unsupported` where the backend cannot; `message.not_cancellable` for one on the
    /// wire of a backend that cannot delete; the store's.
    ///
    /// # Persistence
    /// Tombstone and outbox entry in one transaction, which survives a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Accepted<Message>, ChatError> {
        let (id, stamp) = (self.message, ports.stamp());
        let can = ports.service.capabilities().delete;
        let change = ports
            .repository
            .transact(Durability::Full, move |rows| {
                intents::delete(rows, id, can, stamp)
            })
            .await?;
        ports.dispatch.wake();
        match change {
            Change::Taken(shown, action) => Ok(Accepted { shown, action }),
            Change::Unknown => Err(missing_message()),
            Change::Unsupported => Err(ChatError::Unsupported(
                "this backend cannot delete a message".to_owned(),
            )),
            Change::Refused(state) => {
                let rule = "only an unsent message can be cancelled";
                Err(refused(state, "message.not_cancellable", rule))
            }
        }
    }
}
