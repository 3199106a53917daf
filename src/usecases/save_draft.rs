//! `SaveDraft`: unsent input, kept with its conversation. No server is told.

use crate::{
    domain::{
        conversation::Conversation, ids::ConversationId, ports::Durability, rules::conversations,
        text,
    },
    error::ChatError,
    usecases::{Ports, missing_conversation},
};

/// A draft may be longer than a message, for the user to shorten; not without end.
const LONGEST: usize = 100_000;

/// Keeps what the user is typing.
#[derive(Clone)]
pub struct SaveDraft {
    /// Where.
    pub conversation: ConversationId,
    /// The input; `None`, or a blank text, for none.
    pub text: Option<String>,
}

/// Prints no text.
impl std::fmt::Debug for SaveDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaveDraft")
            .field("conversation", &self.conversation)
            .finish_non_exhaustive()
    }
}

impl SaveDraft {
    /// Stores it; the last word stands.
    ///
    /// # Errors
    /// `NotFound`, `send.too_long`; the store's.
    ///
    /// # Persistence
    /// Survives a kill.
    pub async fn execute(self, ports: &Ports) -> Result<Conversation, ChatError> {
        let text = self.text.filter(|text| !text.trim().is_empty());
        if let Some(text) = &text {
            text::validate(text, LONGEST)?;
        }
        let saved = ports
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::overlay(rows, &self.conversation, |row| row.draft = text)
            })
            .await?;
        saved.ok_or_else(missing_conversation)
    }
}
