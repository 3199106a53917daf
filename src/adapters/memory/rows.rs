//! The row primitives over maps, with the same constraints that the SQLite schema states.

use std::ops::Bound;

use super::table::Table;
use crate::{
    adapters::storage::fold::Needle,
    domain::{
        conversation::Conversation,
        ids::{ClientMessageId, ConversationId, MessageId},
        journal::JournalEntry,
        message::Message,
        order::SortKey,
        outbox::OutboxEntry,
        ports::{
            RepositoryError, Rows,
            chat_repository::{ConversationFilter, RowResult},
        },
    },
};

/// A message and its place in the order of inserts.
#[derive(Debug)]
struct Stored {
    serial: i64,
    message: Message,
}

/// A place in a conversation; the serial parts rows that share a key.
type Place = (ConversationId, SortKey, i64);

const SERIAL: &str = "serial";
const ORDER: &str = "order";
const JOURNAL: &str = "journal";

/// All tables. Indexes are tables too, so that one undo covers them.
#[derive(Debug, Default)]
pub(super) struct State {
    conversations: Table<ConversationId, Conversation>,
    messages: Table<ClientMessageId, Stored>,
    places: Table<Place, ClientMessageId>,
    serials: Table<i64, ClientMessageId>,
    server_ids: Table<(ConversationId, MessageId), ClientMessageId>,
    outbox: Table<ClientMessageId, OutboxEntry>,
    journal: Table<i64, JournalEntry>,
    settings: Table<String, String>,
    counters: Table<&'static str, i64>,
}

impl State {
    pub(super) const fn writing(&mut self) -> MemoryRows<'_> {
        MemoryRows {
            state: self,
            writable: true,
        }
    }

    pub(super) const fn reading(&mut self) -> MemoryRows<'_> {
        MemoryRows {
            state: self,
            writable: false,
        }
    }

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

    fn count_up(&mut self, counter: &'static str) -> i64 {
        let next = self.counter(counter) + 1;
        self.counters.put(counter, next);
        next
    }

    fn counter(&self, counter: &'static str) -> i64 {
        self.counters.get(&counter).copied().unwrap_or(0)
    }

    fn require(&self, conversation: &ConversationId) -> RowResult<()> {
        match self.conversations.get(conversation) {
            Some(_) => Ok(()),
            None => Err(broken("a row names a conversation that is not stored")),
        }
    }

    /// The constraints, looked at before anything is touched: a job may go on after an error.
    fn admit(&self, message: &Message) -> RowResult<()> {
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
    fn enter(&mut self, serial: i64, message: &Message) {
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
    fn leave(&mut self, id: ClientMessageId) -> Option<i64> {
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

    fn look_up(&self, id: &ClientMessageId) -> Option<&Message> {
        self.messages.get(id).map(|stored| &stored.message)
    }

    /// The rows of a conversation with keys in the range, ascending; walks both ways.
    fn span(
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
        // A range whose ends cross would panic: an outside caller may ask for one.
        let sane = above.is_none_or(|low| below.is_none_or(|high| low < high));
        let range = sane.then(|| self.places.rows().range((low, high)));
        let ids = range.into_iter().flatten();
        ids.filter_map(|(_, id)| self.look_up(id))
    }
}

fn broken(rule: &str) -> RepositoryError {
    RepositoryError::Internal(rule.to_owned())
}

/// One transaction's view.
pub(super) struct MemoryRows<'a> {
    state: &'a mut State,
    writable: bool,
}

impl MemoryRows<'_> {
    fn change(&mut self) -> RowResult<&mut State> {
        if self.writable {
            return Ok(self.state);
        }
        Err(broken("a write inside a read"))
    }
}

fn taken<'a>(rows: impl Iterator<Item = &'a Message>, limit: usize) -> Vec<Message> {
    rows.take(limit).cloned().collect()
}

impl Rows for MemoryRows<'_> {
    fn conversation(&mut self, id: &ConversationId) -> RowResult<Option<Conversation>> {
        Ok(self.state.conversations.get(id).cloned())
    }

    fn conversations(&mut self, filter: ConversationFilter) -> RowResult<Vec<Conversation>> {
        let all = self.state.conversations.values();
        let mut list: Vec<&Conversation> = all
            .filter(|one| filter.include_archived || !one.is_archived())
            .collect();
        // Stable, and the map is in order of ids: that is the tie rule.
        list.sort_by_key(|one| std::cmp::Reverse(one.activity_at));
        if filter.limit > 0 {
            list.truncate(filter.limit);
        }
        Ok(list.into_iter().cloned().collect())
    }

    fn put_conversation(&mut self, conversation: &Conversation) -> RowResult<()> {
        let table = &mut self.change()?.conversations;
        table.put(conversation.id.clone(), conversation.clone());
        Ok(())
    }

    fn remove_conversation(&mut self, id: &ConversationId) -> RowResult<()> {
        let state = self.change()?;
        let doomed: Vec<ClientMessageId> = state.span(id, None, None).map(|row| row.id).collect();
        for message in doomed {
            state.leave(message);
        }
        state
            .outbox
            .remove_where(|_, entry| entry.conversation == *id);
        state
            .journal
            .remove_where(|_, entry| entry.conversation == *id);
        state.conversations.remove(id);
        Ok(())
    }

    fn message(&mut self, id: ClientMessageId) -> RowResult<Option<Message>> {
        Ok(self.state.look_up(&id).cloned())
    }

    fn message_by_server_id(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
    ) -> RowResult<Option<Message>> {
        let name = (conversation.clone(), id.clone());
        let found = self.state.server_ids.get(&name);
        Ok(found.and_then(|id| self.state.look_up(id)).cloned())
    }

    fn unplaced(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>> {
        let rows = self.state.span(conversation, None, None);
        let unplaced = rows.filter(|row| !row.key.is_server() && (!row.own || row.attempts > 0));
        Ok(unplaced.cloned().collect())
    }

    fn insert_message(&mut self, message: &Message) -> RowResult<()> {
        let state = self.change()?;
        if state.look_up(&message.id).is_some() {
            return Err(broken("two rows with one key"));
        }
        state.admit(message)?;
        let serial = state.count_up(SERIAL);
        state.enter(serial, message);
        Ok(())
    }

    fn update_message(&mut self, message: &Message) -> RowResult<()> {
        let state = self.change()?;
        state.admit(message)?;
        let serial = state.leave(message.id);
        let serial = serial.ok_or_else(|| broken("no row with this key to update"))?;
        state.enter(serial, message);
        Ok(())
    }

    fn remove_message(&mut self, id: ClientMessageId) -> RowResult<()> {
        self.change()?.leave(id);
        Ok(())
    }

    fn page(
        &mut self,
        conversation: &ConversationId,
        before: Option<SortKey>,
        limit: usize,
        include_deleted: bool,
    ) -> RowResult<Vec<Message>> {
        let rows = self.state.span(conversation, None, before).rev();
        let shown = rows.filter(|row| include_deleted || !row.deleted);
        let mut page = taken(shown, limit);
        page.reverse();
        Ok(page)
    }

    fn page_after(
        &mut self,
        conversation: &ConversationId,
        after: SortKey,
        limit: usize,
    ) -> RowResult<Vec<Message>> {
        let rows = self.state.span(conversation, Some(after), None);
        Ok(taken(rows.filter(|row| !row.deleted), limit))
    }

    fn server_key_above(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>> {
        let first = self.state.span(conversation, key, None).next();
        Ok(first.map(|row| row.key).filter(|key| key.is_server()))
    }

    fn server_key_below(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>> {
        let end = SortKey::pending(0);
        let below = key.map_or(end, |key| key.min(end));
        let last = self.state.span(conversation, None, Some(below)).next_back();
        Ok(last.map(|row| row.key))
    }

    fn unread_up_to(
        &mut self,
        conversation: &ConversationId,
        up_to: SortKey,
    ) -> RowResult<Vec<Message>> {
        let rows = self.state.span(conversation, None, None);
        let read = rows.take_while(|row| row.key <= up_to);
        Ok(read.filter(|row| row.unread).cloned().collect())
    }

    fn search(&mut self, text: &str, limit: usize) -> RowResult<Vec<Message>> {
        let needle = Needle::new(text);
        let newest = self.state.serials.values().rev();
        let rows = newest.filter_map(|id| self.state.look_up(id));
        let hits = rows.filter(|row| !row.deleted && needle.is_in(&row.text));
        Ok(taken(hits, limit))
    }

    fn next_order(&mut self) -> RowResult<i64> {
        Ok(self.change()?.count_up(ORDER))
    }

    fn outbox_entry(&mut self, id: ClientMessageId) -> RowResult<Option<OutboxEntry>> {
        Ok(self.state.outbox.get(&id).cloned())
    }

    fn put_outbox(&mut self, entry: &OutboxEntry) -> RowResult<()> {
        let state = self.change()?;
        state.require(&entry.conversation)?;
        state.outbox.put(entry.message, entry.clone());
        Ok(())
    }

    fn remove_outbox(&mut self, id: ClientMessageId) -> RowResult<()> {
        self.change()?.outbox.remove(&id);
        Ok(())
    }

    fn outbox_heads(&mut self) -> RowResult<Vec<OutboxEntry>> {
        let mut heads: Vec<OutboxEntry> = Vec::new();
        for entry in self.outbox(None)? {
            let served = |head: &OutboxEntry| head.conversation == entry.conversation;
            if entry.blocks() && !heads.iter().any(served) {
                heads.push(entry);
            }
        }
        Ok(heads)
    }

    fn outbox(&mut self, conversation: Option<&ConversationId>) -> RowResult<Vec<OutboxEntry>> {
        let all = self.state.outbox.values();
        let named = all.filter(|entry| conversation.is_none_or(|id| entry.conversation == *id));
        let mut list: Vec<OutboxEntry> = named.cloned().collect();
        list.sort_by_key(|entry| entry.order);
        Ok(list)
    }

    fn append_journal(&mut self, entry: &JournalEntry) -> RowResult<()> {
        let state = self.change()?;
        state.require(&entry.conversation)?;
        let sequence = state.count_up(JOURNAL);
        let entry = JournalEntry {
            sequence,
            ..entry.clone()
        };
        state.journal.put(sequence, entry);
        Ok(())
    }

    fn journal_after(&mut self, after: i64, limit: usize) -> RowResult<Vec<JournalEntry>> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let later = self.state.journal.rows().range(range);
        Ok(later.take(limit).map(|(_, entry)| entry.clone()).collect())
    }

    fn journal_of(&mut self, id: ClientMessageId) -> RowResult<Vec<JournalEntry>> {
        let all = self.state.journal.values();
        Ok(all.filter(|entry| entry.message == id).cloned().collect())
    }

    fn journal_head(&mut self) -> RowResult<i64> {
        Ok(self.state.counter(JOURNAL))
    }

    fn setting(&mut self, name: &str) -> RowResult<Option<String>> {
        Ok(self.state.settings.get(&name.to_owned()).cloned())
    }

    fn put_setting(&mut self, name: &str, value: &str) -> RowResult<()> {
        let settings = &mut self.change()?.settings;
        settings.put(name.to_owned(), value.to_owned());
        Ok(())
    }
}
