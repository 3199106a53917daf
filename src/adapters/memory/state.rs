//! All tables of the memory store, their indexes and constraints.

use std::ops::Bound;

use super::table::Table;
use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId, MessageId},
    journal::JournalEntry,
    message::Message,
    order::SortKey,
    outbox::OutboxEntry,
    ports::{RepositoryError, chat_repository::RowResult},
};

/// A message and its place in the order of inserts.
#[derive(Debug)]
struct Stored {
    serial: i64,
    message: Message,
}

/// A place in a conversation; the serial parts rows that share a key.
type Place = (ConversationId, SortKey, i64);

pub(super) const SERIAL: &str = "serial";
pub(super) const ORDER: &str = "order";
pub(super) const JOURNAL: &str = "journal";

/// All tables. Indexes are tables too, so that one undo covers them.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) conversations: Table<ConversationId, Conversation>,
    messages: Table<ClientMessageId, Stored>,
    places: Table<Place, ClientMessageId>,
    pub(super) serials: Table<i64, ClientMessageId>,
    pub(super) server_ids: Table<(ConversationId, MessageId), ClientMessageId>,
    pub(super) outbox: Table<ClientMessageId, OutboxEntry>,
    pub(super) journal: Table<i64, JournalEntry>,
    pub(super) settings: Table<String, String>,
    counters: Table<&'static str, i64>,
}

impl State {
    pub(super) fn finish(&mut self, keep: bool) {
        self.conversations.finish(keep);
        self.messages.finish(keep);
        self.places.finish(keep);
        self.serials.finish(keep);
        self.server_ids.finish(keep);
        self.outbox.finish(keep);
        self.journal.finish(keep);
        self.settings.finish(keep);
        self.counters.finish(keep);
    }

    /// About as many bytes as the texts have.
    pub(super) fn size(&self) -> u64 {
        let texts = self
            .messages
            .values()
            .map(|stored| stored.message.text.len());
        texts.sum::<usize>() as u64
    }

    pub(super) fn count_up(&mut self, counter: &'static str) -> i64 {
        let next = self.counter(counter) + 1;
        self.counters.put(counter, next);
        next
    }

    pub(super) fn counter(&self, counter: &'static str) -> i64 {
        self.counters.get(&counter).copied().unwrap_or(0)
    }

    pub(super) fn require(&self, conversation: &ConversationId) -> RowResult<()> {
        match self.conversations.get(conversation) {
            Some(_) => Ok(()),
            None => Err(broken("a row names a conversation that is not stored")),
        }
    }

    /// The constraints, looked at before anything is touched: a job may go on after an error.
    pub(super) fn admit(&self, message: &Message) -> RowResult<()> {
        self.require(&message.conversation)?;
        let holder = message.server_id.clone().and_then(|server_id| {
            let name = (message.conversation.clone(), server_id);
            self.server_ids.get(&name)
        });
        match holder {
            Some(other) if *other != message.id => Err(broken("two rows with one server id")),
            _ => Ok(()),
        }
    }

    /// Enters an admitted message everywhere; it must not be stored at that moment.
    pub(super) fn enter(&mut self, serial: i64, message: &Message) {
        let place = (message.conversation.clone(), message.key, serial);
        if let Some(server_id) = &message.server_id {
            let name = (message.conversation.clone(), server_id.clone());
            self.server_ids.put(name, message.id);
        }
        self.places.put(place, message.id);
        self.serials.put(serial, message.id);
        let message = message.clone();
        self.messages.put(message.id, Stored { serial, message });
    }

    /// Takes the message out of everything, and returns its serial.
    pub(super) fn leave(&mut self, id: ClientMessageId) -> Option<i64> {
        let Stored { serial, message } = self.messages.get(&id)?;
        let serial = *serial;
        let place = (message.conversation.clone(), message.key, serial);
        let name = message.server_id.clone();
        if let Some(name) = name.map(|server_id| (place.0.clone(), server_id)) {
            self.server_ids.remove(&name);
        }
        self.places.remove(&place);
        self.serials.remove(&serial);
        self.messages.remove(&id);
        Some(serial)
    }

    /// Moves what belongs to one conversation to another.
    pub(super) fn move_rows(
        &mut self,
        from: &ConversationId,
        to: &ConversationId,
    ) -> RowResult<()> {
        self.require(to)?;
        let rows: Vec<Message> = self.span(from, None, None).cloned().collect();
        for row in rows {
            if let Some(serial) = self.leave(row.id) {
                let conversation = to.clone();
                self.enter(
                    serial,
                    &Message {
                        conversation,
                        ..row
                    },
                );
            }
        }
        let entries = self.outbox.values().filter(|one| one.conversation == *from);
        for entry in entries.cloned().collect::<Vec<_>>() {
            let conversation = to.clone();
            self.outbox.put(
                entry.id,
                OutboxEntry {
                    conversation,
                    ..entry
                },
            );
        }
        let told = self
            .journal
            .values()
            .filter(|one| one.conversation == *from);
        for entry in told.cloned().collect::<Vec<_>>() {
            let conversation = to.clone();
            self.journal.put(
                entry.sequence,
                JournalEntry {
                    conversation,
                    ..entry
                },
            );
        }
        Ok(())
    }

    pub(super) fn look_up(&self, id: &ClientMessageId) -> Option<&Message> {
        self.messages.get(id).map(|stored| &stored.message)
    }

    /// The rows of a conversation with keys in the range, ascending; walks both ways.
    pub(super) fn span(
        &self,
        conversation: &ConversationId,
        above: Option<SortKey>,
        below: Option<SortKey>,
    ) -> impl DoubleEndedIterator<Item = &Message> {
        let place = |key: i64, serial| (conversation.clone(), SortKey::from_i64(key), serial);
        let low = match above {
            Some(key) => Bound::Excluded(place(key.as_i64(), i64::MAX)),
            None => Bound::Included(place(i64::MIN, i64::MIN)),
        };
        let high = match below {
            Some(key) => Bound::Excluded(place(key.as_i64(), i64::MIN)),
            None => Bound::Included(place(i64::MAX, i64::MAX)),
        };
        let ids = self.places.rows().range(low.as_ref(), high.as_ref());
        ids.filter_map(|(_, id)| self.look_up(id))
    }
}

pub(super) fn broken(rule: &str) -> RepositoryError {
    RepositoryError::Internal(rule.to_owned())
}
