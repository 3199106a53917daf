//! The port's primitives over one open transaction.

use rusqlite::Connection;

use super::{
    conversation_rows, error::failed, housekeeping, journal_rows, known::Known, message_rows,
    outbox_rows, search_rows, spare::Ledger,
};
use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId, MessageId},
    journal::JournalEntry,
    message::Message,
    order::SortKey,
    outbox::{OutboxEntry, Track},
    ports::{
        RepositoryError, Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
    search::{Found, Search},
};

/// One transaction's view of the file.
pub(super) struct SqliteRows<'a> {
    db: &'a Connection,
    /// What is changed of the rows that are kept twice; `None` where nothing may be changed.
    ledger: Option<&'a mut Ledger>,
    /// Only where it can write: who reads asks once.
    known: Known,
    /// Why SQLite gave the transaction up by itself, as it may when the disk is full. A job that
    /// overlooks that error must not go on: its statements would commit one by one.
    lost: Option<RepositoryError>,
    /// Whether the full-text index could not be read.
    damaged: bool,
}

impl<'a> SqliteRows<'a> {
    pub(super) fn writing(db: &'a Connection, ledger: &'a mut Ledger) -> Self {
        Self {
            db,
            ledger: Some(ledger),
            known: Known::default(),
            lost: None,
            damaged: false,
        }
    }

    pub(super) fn reading(db: &'a Connection) -> Self {
        Self {
            db,
            ledger: None,
            known: Known::default(),
            lost: None,
            damaged: false,
        }
    }

    /// As [`Self::writing`], with what a job before it in the same transaction knew.
    pub(super) fn knowing(self, known: Known) -> Self {
        Self { known, ..self }
    }

    /// What is known now, or why the whole transaction is gone.
    pub(super) fn end(self) -> Result<Known, RepositoryError> {
        self.lost.map_or(Ok(self.known), Err)
    }

    /// Whether the full-text index has to be made again.
    pub(super) const fn found_damage(&self) -> bool {
        self.damaged
    }

    fn look<T>(&mut self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> RowResult<T> {
        if let Some(cause) = &self.lost {
            return Err(cause.clone());
        }
        query(self.db).map_err(|error| self.note(error))
    }

    fn change<T>(
        &mut self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> RowResult<T> {
        if self.ledger.is_some() {
            return self.look(statement);
        }
        Err(RepositoryError::Internal(
            "a write inside a read".to_owned(),
        ))
    }

    /// As [`Self::change`], for rows that are kept twice.
    fn change_kept<T>(
        &mut self,
        statement: impl FnOnce(&Connection) -> rusqlite::Result<T>,
        write_down: impl FnOnce(&mut Ledger),
    ) -> RowResult<T> {
        let done = self.change(statement)?;
        self.ledger.as_deref_mut().map(write_down);
        Ok(done)
    }

    /// A message that was read by itself is likely to be changed.
    fn learn(&mut self, found: Option<Message>) -> Option<Message> {
        if let Some(row) = found.as_ref().filter(|_| self.ledger.is_some()) {
            self.known.keep_message(row);
        }
        found
    }

    fn note(&mut self, error: rusqlite::Error) -> RepositoryError {
        // What failed may have been half done.
        self.known = Known::default();
        let error = failed(error);
        if self.db.is_autocommit() {
            self.lost = Some(error.clone());
        }
        error
    }
}

impl Rows for SqliteRows<'_> {
    fn conversation(&mut self, id: &ConversationId) -> RowResult<Option<Conversation>> {
        if let Some(row) = self.known.conversation(id) {
            return Ok(Some(row.clone()));
        }
        let found = self.look(|db| conversation_rows::one(db, id))?;
        if let Some(row) = found.as_ref().filter(|_| self.ledger.is_some()) {
            self.known.keep_conversation(row);
        }
        Ok(found)
    }

    fn conversations(&mut self, filter: ConversationFilter) -> RowResult<Vec<Conversation>> {
        self.look(|db| conversation_rows::list(db, filter))
    }

    fn put_conversation(&mut self, conversation: &Conversation) -> RowResult<()> {
        let before = self.conversation(&conversation.id)?;
        self.change_kept(
            |db| conversation_rows::put(db, before.as_ref(), conversation),
            |ledger| ledger.conversation(conversation),
        )?;
        self.known.keep_conversation(conversation);
        Ok(())
    }

    fn remove_conversation(&mut self, id: &ConversationId) -> RowResult<()> {
        self.known = Known::default();
        self.change_kept(
            |db| {
                journal_rows::keep_head(db)?;
                conversation_rows::remove(db, id)
            },
            |ledger| ledger.removed(id),
        )
    }

    fn move_rows(&mut self, from: &ConversationId, to: &ConversationId) -> RowResult<()> {
        if self.conversation(to)?.is_none() {
            let text = "rows go to a conversation that is not stored";
            return Err(RepositoryError::Internal(text.to_owned()));
        }
        let moved = self.outbox(Some(from))?;
        self.known = Known::default();
        self.change_kept(
            |db| {
                message_rows::move_all(db, from, to)?;
                outbox_rows::move_all(db, from, to)?;
                journal_rows::move_all(db, from, to)
            },
            |ledger| moved.iter().for_each(|entry| ledger.outbox(entry)),
        )
    }

    fn message(&mut self, id: ClientMessageId) -> RowResult<Option<Message>> {
        if let Some(row) = self.known.message(id) {
            return Ok(Some(row.clone()));
        }
        let found = self.look(|db| message_rows::one(db, id))?;
        Ok(self.learn(found))
    }

    fn message_by_server_id(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
    ) -> RowResult<Option<Message>> {
        if let Some(row) = self.known.by_server_id(conversation, id) {
            return Ok(Some(row.clone()));
        }
        let found = self.look(|db| message_rows::by_server_id(db, conversation, id))?;
        Ok(self.learn(found))
    }

    fn unplaced(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::unplaced(db, conversation))
    }

    fn gaps(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::gaps(db, conversation))
    }

    fn insert_message(&mut self, message: &Message) -> RowResult<()> {
        self.change(|db| message_rows::insert(db, message))
    }

    fn update_message(&mut self, message: &Message) -> RowResult<()> {
        let before = self.message(message.id)?;
        self.change(|db| match &before {
            Some(before) => message_rows::update(db, before, message),
            None => Err(rusqlite::Error::QueryReturnedNoRows),
        })?;
        self.known.keep_message(message);
        Ok(())
    }

    fn remove_message(&mut self, id: ClientMessageId) -> RowResult<()> {
        self.known.forget_message(id);
        self.change(|db| message_rows::remove(db, id))
    }

    fn page(
        &mut self,
        conversation: &ConversationId,
        before: Option<SortKey>,
        limit: usize,
        include_deleted: bool,
    ) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::page(db, conversation, before, limit, include_deleted))
    }

    fn page_after(
        &mut self,
        conversation: &ConversationId,
        after: SortKey,
        limit: usize,
    ) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::page_after(db, conversation, after, limit))
    }

    fn oldest(&mut self, conversation: &ConversationId, limit: usize) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::oldest(db, conversation, limit))
    }

    fn size(&mut self) -> RowResult<u64> {
        self.look(housekeeping::size)
    }

    fn server_key_above(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>> {
        self.look(|db| message_rows::server_key_above(db, conversation, key))
    }

    fn server_key_below(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>> {
        self.look(|db| message_rows::server_key_below(db, conversation, key))
    }

    fn unread_up_to(
        &mut self,
        conversation: &ConversationId,
        up_to: SortKey,
    ) -> RowResult<Vec<Message>> {
        self.look(|db| message_rows::unread_up_to(db, conversation, up_to))
    }

    fn search(&mut self, search: &Search) -> RowResult<Found> {
        let answer = self.look(|db| search_rows::ask(db, search))?;
        self.damaged |= answer.damaged;
        Ok(answer.found)
    }

    fn next_order(&mut self) -> RowResult<i64> {
        self.change(outbox_rows::next_order)
    }

    fn outbox_entry(&mut self, id: ClientMessageId) -> RowResult<Option<OutboxEntry>> {
        if let Some(row) = self.known.outbox_entry(id) {
            return Ok(Some(row.clone()));
        }
        let found = self.look(|db| outbox_rows::one(db, id))?;
        if let Some(row) = found.as_ref().filter(|_| self.ledger.is_some()) {
            self.known.keep_outbox(row);
        }
        Ok(found)
    }

    fn put_outbox(&mut self, entry: &OutboxEntry) -> RowResult<()> {
        let before = self.known.outbox_entry(entry.id).cloned();
        self.change_kept(
            |db| outbox_rows::put(db, before.as_ref(), entry),
            |ledger| ledger.outbox(entry),
        )?;
        self.known.keep_outbox(entry);
        Ok(())
    }

    fn remove_outbox(&mut self, id: ClientMessageId) -> RowResult<()> {
        self.known.forget_outbox(id);
        self.change_kept(
            |db| outbox_rows::remove(db, id),
            |ledger| ledger.left_outbox(id),
        )
    }

    fn outbox_heads(&mut self) -> RowResult<Vec<OutboxEntry>> {
        self.look(outbox_rows::heads)
    }

    fn outbox_track(
        &mut self,
        conversation: &ConversationId,
        track: Track,
    ) -> RowResult<Vec<OutboxEntry>> {
        self.look(|db| outbox_rows::track(db, conversation, track))
    }

    fn outbox_changes(&mut self, message: ClientMessageId) -> RowResult<Vec<OutboxEntry>> {
        self.look(|db| outbox_rows::changes(db, message))
    }

    fn outbox_creations(&mut self) -> RowResult<Vec<OutboxEntry>> {
        self.look(outbox_rows::creations)
    }

    fn outbox(&mut self, conversation: Option<&ConversationId>) -> RowResult<Vec<OutboxEntry>> {
        self.look(|db| outbox_rows::list(db, conversation))
    }

    fn append_journal(&mut self, entry: &JournalEntry) -> RowResult<()> {
        self.change(|db| journal_rows::append(db, entry))
    }

    fn journal_after(&mut self, after: i64, limit: usize) -> RowResult<Vec<JournalEntry>> {
        self.look(|db| journal_rows::after(db, after, limit))
    }

    fn journal_of(&mut self, id: ClientMessageId) -> RowResult<Vec<JournalEntry>> {
        self.look(|db| journal_rows::of(db, id))
    }

    fn journal_head(&mut self) -> RowResult<i64> {
        self.look(journal_rows::head)
    }

    fn setting(&mut self, name: &str) -> RowResult<Option<String>> {
        self.look(|db| journal_rows::setting(db, name))
    }

    fn put_setting(&mut self, name: &str, value: &str) -> RowResult<()> {
        self.change_kept(
            |db| journal_rows::put_setting(db, name, value),
            |ledger| ledger.setting(name),
        )
    }
}
