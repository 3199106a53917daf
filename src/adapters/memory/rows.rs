//! The row primitives over maps, with the same constraints that the SQLite schema states.

use std::ops::Bound;

use super::state::{JOURNAL, ORDER, SERIAL, State, broken};
use crate::domain::{
    conversation::Conversation,
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId, MessageId},
    journal::JournalEntry,
    message::Message,
    order::SortKey,
    outbox::{ActionKind, OutboxEntry, Track},
    ports::{
        Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    search::{Found, Search, SearchKey},
    sorting::sort_by_key,
};

/// One transaction's view.
pub(super) struct MemoryRows<'a> {
    state: &'a mut State,
    writable: bool,
}

impl<'a> MemoryRows<'a> {
    pub(super) const fn writing(state: &'a mut State) -> Self {
        Self {
            state,
            writable: true,
        }
    }

    pub(super) const fn reading(state: &'a mut State) -> Self {
        Self {
            state,
            writable: false,
        }
    }

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
        sort_by_key(&mut list, |one| std::cmp::Reverse(one.activity_at));
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

    fn move_rows(&mut self, from: &ConversationId, to: &ConversationId) -> RowResult<()> {
        self.change()?.move_rows(from, to)
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

    fn gaps(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>> {
        let rows = self.state.span(conversation, None, None);
        Ok(rows.filter(|row| row.gap.is_some()).cloned().collect())
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
        Ok(taken(
            self.state.span(conversation, Some(after), None),
            limit,
        ))
    }

    fn oldest(&mut self, conversation: &ConversationId, limit: usize) -> RowResult<Vec<Message>> {
        Ok(taken(self.state.span(conversation, None, None), limit))
    }

    fn size(&mut self) -> RowResult<u64> {
        Ok(self.state.size())
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

    fn search(&mut self, search: &Search) -> RowResult<Found> {
        let wanted = |row: &Message| {
            let here = search.conversation.as_ref();
            !row.deleted && here.is_none_or(|id| row.conversation == *id)
        };
        let rows = self.state.serials.rows().iter();
        let rows = rows.filter_map(|(serial, id)| Some((*serial, self.state.look_up(id)?)));
        let mut hits: Vec<(SearchKey, &Message)> = rows
            .filter(|(_, row)| wanted(row))
            .map(|(serial, row)| (SearchKey::new(row.created_at, serial), row))
            .filter(|(key, _)| search.before.is_none_or(|before| *key < before))
            .filter(|(_, row)| search.query.matches(&row.text))
            .collect();
        sort_by_key(&mut hits, |(key, _)| std::cmp::Reverse(*key));
        hits.truncate(search.limit);
        Ok(Found {
            messages: hits
                .into_iter()
                .map(|(key, row)| (key, row.clone()))
                .collect(),
            complete: true,
        })
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
        state.outbox.put(entry.id, entry.clone());
        Ok(())
    }

    fn remove_outbox(&mut self, id: ClientMessageId) -> RowResult<()> {
        self.change()?.outbox.remove(&id);
        Ok(())
    }

    fn outbox_heads(&mut self) -> RowResult<Vec<OutboxEntry>> {
        let mut heads: Vec<OutboxEntry> = Vec::new();
        let mut entries = self.outbox(None)?;
        sort_by_key(&mut entries, |entry| entry.state == DeliveryState::Queued);
        for entry in entries {
            let served = |head: &OutboxEntry| {
                head.conversation == entry.conversation
                    && head.kind().track() == entry.kind().track()
            };
            if entry.blocks() && !heads.iter().any(served) {
                heads.push(entry);
            }
        }
        sort_by_key(&mut heads, |head| head.order);
        Ok(heads)
    }

    fn outbox_track(
        &mut self,
        conversation: &ConversationId,
        track: Track,
    ) -> RowResult<Vec<OutboxEntry>> {
        let mut waiting = self.outbox(Some(conversation))?;
        waiting.retain(|entry| entry.blocks() && entry.kind().track() == track);
        Ok(waiting)
    }

    fn outbox_changes(&mut self, message: ClientMessageId) -> RowResult<Vec<OutboxEntry>> {
        let mut changes = self.outbox(None)?;
        changes.retain(|entry| entry.action.changes() == Some(message));
        Ok(changes)
    }

    fn outbox_creations(&mut self) -> RowResult<Vec<OutboxEntry>> {
        let mut creations = self.outbox(None)?;
        creations.retain(|entry| entry.kind() == ActionKind::Create);
        Ok(creations)
    }

    fn outbox(&mut self, conversation: Option<&ConversationId>) -> RowResult<Vec<OutboxEntry>> {
        let all = self.state.outbox.values();
        let named = all.filter(|entry| conversation.is_none_or(|id| entry.conversation == *id));
        let mut list: Vec<OutboxEntry> = named.cloned().collect();
        sort_by_key(&mut list, |entry| entry.order);
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
        let journal = self.state.journal.rows();
        let later = journal.range(Bound::Excluded(&after), Bound::Unbounded);
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
