//! `EditMessage`: an unsent one is rewritten, a sent one is edited where the backend can.

use crate::{
    domain::{
        ids::ClientMessageId,
        message::Message,
        ports::Durability,
        rules::intents::{self, Change},
        text,
    },
    error::ChatError,
    usecases::{Accepted, Ports, missing_message, settle_unsent::refused},
};

/// Edits one message.
#[derive(Clone)]
pub struct EditMessage {
    /// Which.
    pub message: ClientMessageId,
    /// Its new text.
    pub text: String,
}

/// Prints no text.
impl std::fmt::Debug for EditMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EditMessage")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

impl EditMessage {
    /// Rewrites an unsent message; shows the new text of a sent one at once and queues the edit,
    /// the old text coming back with a reason should the server refuse it. Answers the message as
    /// it shows now, and the key of the action, where one waits.
    ///
    /// # Errors
    /// The text's; `NotFound`; `Unsupported` where the backend cannot edit what was sent;
    /// `message.not_editable` for a deleted or another's message; the store's.
    ///
    /// # Persistence
    /// New text and outbox entry in one transaction, which survives a power cut.
    pub async fn execute(self, ports: &Ports) -> Result<Accepted<Message>, ChatError> {
        let able = ports.service.capabilities();
        text::validate(&self.text, able.max_text)?;
        let (id, text, stamp) = (self.message, self.text, ports.stamp());
        let change = ports
            .repository
            .transact(Durability::Full, move |rows| {
                intents::edit(rows, id, text, able.edit, stamp)
            })
            .await?;
        ports.dispatch.wake();
        match change {
            Change::Taken(shown, action) => Ok(Accepted { shown, action }),
            Change::Unknown => Err(missing_message()),
            Change::Unsupported => Err(ChatError::Unsupported(
                "this backend cannot edit a message that was sent".to_owned(),
            )),
            Change::Refused(state) => {
                let rule = "only an own message that is not deleted can be edited";
                Err(refused(state, "message.not_editable", rule))
            }
        }
    }
}
