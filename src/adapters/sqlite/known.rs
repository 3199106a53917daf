//! What a transaction knows of the rows it has read or written one by one.
//!
//! Rules read a row, change it and look at it again. While the transaction lasts nobody else writes,
//! so what was read last is still true; and what a row was before tells what an update must write.

use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId, MessageId},
    message::Message,
    outbox::OutboxEntry,
    sorted_map::SortedMap,
};

/// Rows as they are stored at this moment.
#[derive(Debug, Default)]
pub(super) struct Known {
    conversations: SortedMap<ConversationId, Conversation>,
    messages: SortedMap<ClientMessageId, Message>,
    /// Which message had this id of the server's last.
    named: SortedMap<MessageId, ClientMessageId>,
    outbox: SortedMap<ClientMessageId, OutboxEntry>,
}

/// Jobs of one transaction share no more than these.
const SHARED: usize = 64;

impl Known {
    /// What the next job of the same transaction may go on with: many write to one conversation, and
    /// hardly two to one message.
    pub(super) fn for_the_next(self) -> Self {
        let mut conversations = self.conversations;
        if conversations.len() > SHARED {
            conversations.clear();
        }
        Self {
            conversations,
            ..Self::default()
        }
    }

    pub(super) fn conversation(&self, id: &ConversationId) -> Option<&Conversation> {
        self.conversations.get(id)
    }

    pub(super) fn message(&self, id: ClientMessageId) -> Option<&Message> {
        self.messages.get(&id)
    }

    pub(super) fn by_server_id(&self, of: &ConversationId, id: &MessageId) -> Option<&Message> {
        let row = self.message(*self.named.get(id)?)?;
        (row.conversation == *of && row.server_id.as_ref() == Some(id)).then_some(row)
    }

    pub(super) fn outbox_entry(&self, id: ClientMessageId) -> Option<&OutboxEntry> {
        self.outbox.get(&id)
    }

    pub(super) fn keep_conversation(&mut self, row: &Conversation) {
        self.conversations.insert(row.id.clone(), row.clone());
    }

    pub(super) fn keep_message(&mut self, row: &Message) {
        if let Some(name) = &row.server_id {
            self.named.insert(name.clone(), row.id);
        }
        self.messages.insert(row.id, row.clone());
    }

    pub(super) fn keep_outbox(&mut self, row: &OutboxEntry) {
        self.outbox.insert(row.id, row.clone());
    }

    pub(super) fn forget_message(&mut self, id: ClientMessageId) {
        self.messages.remove(&id);
    }

    pub(super) fn forget_outbox(&mut self, id: ClientMessageId) {
        self.outbox.remove(&id);
    }
}
