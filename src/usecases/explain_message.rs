//! `ExplainMessage`: a message's whole story, as the journal has it.

use crate::{
    domain::{ids::ClientMessageId, journal::JournalEntry, message::Message, outbox::OutboxEntry},
    error::ChatError,
    usecases::Ports,
};

/// Tells a message's story.
#[derive(Clone, Copy, Debug)]
pub struct ExplainMessage {
    /// Which.
    pub message: ClientMessageId,
}

/// A message's story.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The row, unless it was removed (a direct send that failed).
    pub message: Option<Message>,
    /// What is still owed, where anything is.
    pub outbox: Option<OutboxEntry>,
    /// What happened, in order.
    pub journal: Vec<JournalEntry>,
}

impl ExplainMessage {
    /// Reads the story.
    ///
    /// # Errors
    /// `NotFound` where nothing was ever known of it; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Explanation, ChatError> {
        let id = self.message;
        let story = ports
            .repository
            .view(move |rows| {
                Ok(Explanation {
                    message: rows.message(id)?,
                    outbox: rows.outbox_entry(id)?,
                    journal: rows.journal_of(id)?,
                })
            })
            .await?;
        if story.message.is_none() && story.journal.is_empty() {
            return Err(ChatError::NotFound(
                "there is no such message here".to_owned(),
            ));
        }
        Ok(story)
    }
}
