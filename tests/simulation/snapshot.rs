//! Everything stored on a device, as it is after a commit.

use tidings::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId},
    journal::JournalEntry,
    message::Message,
    outbox::OutboxEntry,
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    rules::binding,
};

/// Everything stored on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) rooms: Vec<(Conversation, Vec<Message>)>,
    pub(crate) outbox: Vec<OutboxEntry>,
    /// What the journal says since it was looked at last.
    pub(crate) journal: Vec<JournalEntry>,
    /// The server's names of conversations begun here.
    pub(crate) bound: Vec<(ConversationId, ConversationId)>,
}

/// What is asked of the store beside its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) journal: Option<i64>,
    pub(crate) begun: Vec<ConversationId>,
}

impl Snapshot {
    pub(crate) fn read(rows: &mut dyn Rows, wanted: Wanted) -> RowResult<Self> {
        let all = ConversationFilter {
            include_archived: true,
            limit: 0,
        };
        let mut rooms = Vec::new();
        for conversation in rows.conversations(all)? {
            let page = rows.page(&conversation.id, None, 100_000, true)?;
            rooms.push((conversation, page));
        }
        rooms.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        let mut bound = Vec::new();
        for local in wanted.begun {
            if let Some(id) = binding::bound(rows, &local)? {
                bound.push((local, id));
            }
        }
        let journal = match wanted.journal {
            Some(after) => rows.journal_after(after, 100_000)?,
            None => Vec::new(),
        };
        Ok(Self {
            rooms,
            outbox: rows.outbox(None)?,
            journal,
            bound,
        })
    }

    /// The rows of a conversation.
    pub(crate) fn rows(&self, id: &ConversationId) -> &[Message] {
        let room = self.rooms.iter().find(|(row, _)| row.id == *id);
        room.map_or(&[], |(_, rows)| rows)
    }

    pub(crate) fn entry(&self, id: ClientMessageId) -> Option<&OutboxEntry> {
        self.outbox.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn find(&self, id: ClientMessageId) -> Option<&Message> {
        self.rooms
            .iter()
            .flat_map(|(_, rows)| rows)
            .find(|row| row.id == id)
    }
}
