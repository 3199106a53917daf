//! `ReadHistory`: a page of stored messages with their places in the conversation.

use crate::{
    domain::{ids::ConversationId, message::Message, order::SortKey, rules::conversations},
    error::ChatError,
    usecases::{Ports, missing_conversation},
};

/// Where a page ends: just before a message of known place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCursor {
    key: SortKey,
    position: u64,
}

impl PageCursor {
    /// The text to hand to whoever will ask for the next page.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{}.{}", self.key.as_i64(), self.position)
    }

    /// Reads what [`Self::encode`] wrote.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let (key, position) = text.split_once('.')?;
        let key = key.parse().ok()?;
        let position = position.parse().ok()?;
        Some(Self {
            key: SortKey::from_i64(key),
            position,
        })
    }
}

/// A page of history, oldest first.
#[derive(Clone, Debug)]
pub struct HistoryView {
    /// Message and 0-based place in the conversation as stored.
    pub messages: Vec<(u64, Message)>,
    /// Where the page before ends; `None` at the stored beginning.
    pub older: Option<PageCursor>,
}

/// Reads a page.
#[derive(Clone, Debug)]
pub struct ReadHistory {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The page before this cursor; the newest where `None`.
    pub before: Option<PageCursor>,
    /// At most this many messages.
    pub limit: usize,
    /// Also tombstones.
    pub include_deleted: bool,
}

impl ReadHistory {
    /// Reads the page by index, whatever the history's size.
    ///
    /// # Errors
    /// `NotFound` where the conversation is not stored; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<HistoryView, ChatError> {
        let page = ports
            .repository
            .view(move |rows| {
                let id = conversations::resolve(rows, &self.conversation)?;
                let Some(conversation) = rows.conversation(&id)? else {
                    return Ok(None);
                };
                let before = self.before.map(|cursor| cursor.key);
                let page = rows.page(&id, before, self.limit, self.include_deleted)?;
                let end = self
                    .before
                    .map_or(conversation.stored, |cursor| cursor.position);
                Ok(Some(placed(page, end, self.limit)))
            })
            .await?;
        page.ok_or_else(missing_conversation)
    }
}

fn placed(page: Vec<Message>, end: u64, limit: usize) -> HistoryView {
    let first = end.saturating_sub(page.len() as u64);
    let full = page.len() == limit && first > 0;
    let older = page.first().filter(|_| full).map(|row| PageCursor {
        key: row.key,
        position: first,
    });
    let messages = page
        .into_iter()
        .enumerate()
        .map(|(i, row)| (first + i as u64, row))
        .collect();
    HistoryView { messages, older }
}
