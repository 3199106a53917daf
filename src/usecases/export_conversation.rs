//! `ExportConversation`: everything stored of a conversation, page by page.

use crate::{
    domain::{
        conversation::Conversation,
        ids::ConversationId,
        message::Message,
        rules::{conversations, transcript},
    },
    error::ChatError,
    usecases::{
        Ports, document, missing_conversation,
        read_history::{PageCursor, ReadHistory},
    },
};

/// Exports a conversation.
#[derive(Clone, Debug)]
pub struct ExportConversation {
    /// Which.
    pub conversation: ConversationId,
}

/// A conversation with all its visible messages, oldest first.
#[derive(Clone, Debug)]
pub struct Export {
    /// The conversation.
    pub conversation: Conversation,
    /// Place and message.
    pub messages: Vec<(u64, Message)>,
}

const PAGE: usize = 500;

impl ExportConversation {
    /// Reads it all.
    ///
    /// # Errors
    /// `NotFound`; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<Export, ChatError> {
        let id = self.conversation.clone();
        let stored = ports
            .repository
            .view(move |rows| {
                let id = conversations::resolve(rows, &id)?;
                rows.conversation(&id)
            })
            .await?;
        let conversation = stored.ok_or_else(missing_conversation)?;
        let mut pages = Vec::new();
        let mut before: Option<PageCursor> = None;
        loop {
            let page = ReadHistory {
                conversation: self.conversation.clone(),
                before,
                limit: PAGE,
                include_deleted: false,
            }
            .execute(ports)
            .await?;
            pages.push(page.messages);
            before = page.older;
            if before.is_none() {
                break;
            }
        }
        let messages = pages.into_iter().rev().flatten().collect();
        Ok(Export {
            conversation,
            messages,
        })
    }
}

/// Writes a conversation as a document that can be imported.
#[derive(Clone, Debug)]
pub struct ExportDocument {
    /// Which.
    pub conversation: ConversationId,
}

impl ExportDocument {
    /// All rows of one moment, deleted ones too, as JSON; see [`document`].
    ///
    /// # Errors
    /// `NotFound`, `export.too_large`; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<String, ChatError> {
        let taken = ports
            .repository
            .view(move |rows| transcript::take(rows, &self.conversation))
            .await?;
        document::write(taken.ok_or_else(missing_conversation)?)
    }
}
