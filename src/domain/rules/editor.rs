//! One conversation under change: the only place that inserts, moves or removes a message.
//!
//! It keeps what the conversation row repeats (newest message, unread count, stored count) true
//! in the same transaction.

use crate::domain::{
    conversation::{Conversation, LastMessage, ServerConversation},
    delivery::{DeliveryEvent, DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId},
    journal::JournalEntry,
    message::Message,
    plant::planted,
    ports::{Rows, chat_repository::RowResult},
    time::WallTime,
};

/// A conversation row and the means to change its messages.
pub struct Editor<'a> {
    rows: &'a mut dyn Rows,
    conversation: Conversation,
    last_is_stale: bool,
    dirty: bool,
}

impl std::fmt::Debug for Editor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Editor")
            .field("conversation", &self.conversation)
            .finish_non_exhaustive()
    }
}

impl<'a> Editor<'a> {
    /// Opens a conversation; one never heard of starts bare, since a miss here is no miss there.
    ///
    /// # Errors
    /// The store's.
    pub fn open(rows: &'a mut dyn Rows, id: &ConversationId) -> RowResult<Self> {
        let conversation = match rows.conversation(id)? {
            Some(stored) => stored,
            None => {
                // Stored at once: its messages refer to it.
                let bare = Conversation::new(ServerConversation::bare(id.clone()));
                rows.put_conversation(&bare)?;
                bare
            }
        };
        Ok(Self {
            rows,
            conversation,
            last_is_stale: false,
            dirty: false,
        })
    }

    /// The row primitives, for reads and for the outbox.
    pub fn rows(&mut self) -> &mut dyn Rows {
        self.rows
    }

    /// The conversation as it will be stored.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The conversation, to be changed; stored by [`Self::finish`].
    pub const fn conversation_mut(&mut self) -> &mut Conversation {
        self.dirty = true;
        &mut self.conversation
    }

    /// Adds a message.
    ///
    /// # Errors
    /// The store's.
    pub fn insert(&mut self, message: &Message) -> RowResult<()> {
        self.rows.insert_message(message)?;
        self.dirty = true;
        self.conversation.stored += 1;
        self.conversation.unread += u32::from(message.unread);
        if planted("count-twice") {
            self.conversation.unread += u32::from(message.unread);
        }
        self.preview(message);
        Ok(())
    }

    /// Stores a changed message; its version grows.
    ///
    /// # Errors
    /// The store's.
    pub fn update(&mut self, before: &Message, mut after: Message) -> RowResult<Message> {
        after.version = before.version + 1;
        self.rows.update_message(&after)?;
        self.dirty = true;
        let unread = self.conversation.unread + u32::from(after.unread);
        self.conversation.unread = unread.saturating_sub(u32::from(before.unread));
        if self.conversation.read_to == Some(before.key) {
            self.conversation.read_to = Some(after.key);
        }
        let shown = self.conversation.last_message.as_ref().map(|last| last.id);
        if shown == Some(after.id) {
            self.last_is_stale = true;
        } else {
            self.preview(&after);
        }
        Ok(after)
    }

    /// Removes a row without a trace.
    ///
    /// # Errors
    /// The store's.
    pub fn remove(&mut self, message: &Message) -> RowResult<()> {
        self.rows.remove_message(message.id)?;
        self.dirty = true;
        self.conversation.stored = self.conversation.stored.saturating_sub(1);
        self.conversation.unread = self
            .conversation
            .unread
            .saturating_sub(u32::from(message.unread));
        self.last_is_stale = true;
        Ok(())
    }

    /// Looks for the newest message anew when finished, for rows were changed without this editor.
    pub const fn look_again(&mut self) {
        self.dirty = true;
        self.last_is_stale = true;
    }

    /// Moves a message's delivery on and writes the journal where the state really changed.
    ///
    /// # Errors
    /// The store's; `Internal` where the transition is not in the table.
    pub fn deliver(
        &mut self,
        before: &Message,
        event: DeliveryEvent,
        note: Note,
        change: impl FnOnce(&mut Message),
    ) -> RowResult<Message> {
        let mut after = before.clone();
        after.state = before.state.after(event)?;
        change(&mut after);
        if after.state != before.state {
            self.journal(&after, note)?;
        }
        self.update(before, after)
    }

    /// Appends to the journal what is now true of a message.
    ///
    /// # Errors
    /// The store's.
    pub fn journal(&mut self, message: &Message, note: Note) -> RowResult<()> {
        self.rows.append_journal(&JournalEntry {
            sequence: 0,
            message: message.id,
            conversation: message.conversation.clone(),
            at: note.at,
            state: message.state,
            attempt: message.attempts,
            next_attempt_at: note.next_attempt_at,
            server_id: message.server_id.clone(),
            reason: note.reason,
        })
    }

    /// Stores the conversation row, where anything changed.
    ///
    /// # Errors
    /// The store's.
    pub fn finish(mut self) -> RowResult<Conversation> {
        if !self.dirty {
            return Ok(self.conversation);
        }
        if self.last_is_stale {
            let id = self.conversation.id.clone();
            let newest = self.rows.page(&id, None, 1, false)?;
            self.conversation.last_message = None;
            if let Some(message) = newest.first() {
                self.preview(message);
            }
        }
        self.conversation.version += 1;
        self.rows.put_conversation(&self.conversation)?;
        Ok(self.conversation)
    }

    fn preview(&mut self, message: &Message) {
        let newest = self.conversation.last_message.as_ref().map(|last| last.key);
        if message.deleted || newest.is_some_and(|key| key > message.key) {
            return;
        }
        self.conversation.activity_at = self.conversation.activity_at.max(message.created_at);
        self.conversation.last_message = Some(LastMessage {
            id: message.id,
            role: message.role.clone(),
            text: message.text.clone(),
            at: message.created_at,
            key: message.key,
        });
    }
}

/// When and why, for the journal.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// When.
    pub at: WallTime,
    /// Why.
    pub reason: Option<Reason>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<WallTime>,
}

impl Note {
    /// Only a time.
    #[must_use]
    pub const fn at(at: WallTime) -> Self {
        Self {
            at,
            reason: None,
            next_attempt_at: None,
        }
    }

    /// A time and a reason.
    #[must_use]
    pub const fn because(at: WallTime, reason: Option<Reason>) -> Self {
        Self {
            at,
            reason,
            next_attempt_at: None,
        }
    }
}

/// A fresh row; the caller fills in what differs.
#[must_use]
pub fn blank(id: ClientMessageId, conversation: &ConversationId) -> Message {
    use crate::domain::{
        message::{Completeness, Role},
        order::SortKey,
    };
    Message {
        id,
        conversation: conversation.clone(),
        server_id: None,
        role: Role::User,
        sender: None,
        own: false,
        text: String::new(),
        key: SortKey::pending(0),
        state: DeliveryState::Sent,
        attempts: 0,
        created_at: None,
        answers: None,
        completeness: Completeness::Complete,
        deleted: false,
        unread: false,
        revision: 0,
        version: 1,
    }
}
