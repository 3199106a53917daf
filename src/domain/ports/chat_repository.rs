//! The store, as the core sees it: transactions over a handful of row primitives.
//!
//! The rules of what belongs in one transaction live in [`crate::domain::rules`], written once
//! against [`Rows`]; an adapter only supplies the primitives and the transaction around them.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use async_trait::async_trait;

use crate::domain::{
    conversation::Conversation,
    ids::{ClientMessageId, ConversationId, MessageId},
    journal::JournalEntry,
    message::Message,
    order::SortKey,
    outbox::{OutboxEntry, Track},
    ports::key_provider::KeyError,
    search::{Found, Search},
};

/// Why the store could not do it. Nothing of the transaction happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// No room left on the disk.
    #[error("the disk is full: free some space, nothing was changed")]
    Full,
    /// Locked, read-only or unreachable; may work later.
    #[error("the store cannot be used right now: {0}")]
    Unavailable(String),
    /// The file is damaged. It is replaced, with all that was unsent kept: at once where it was
    /// found in use by this process alone, else at the next opening by one that is alone.
    #[error("the store file is damaged: what is unsent is kept, try again")]
    Corrupt,
    /// The file is another program's database; it was not touched.
    #[error("the file is another program's database; it was left as it is")]
    Foreign,
    /// The file was written by a newer version; it was not touched.
    #[error("the store was written by a newer version: update the app")]
    Newer,
    /// The device is locked, and the store's key with it; works later.
    #[error("the device is locked: try again when it is unlocked")]
    Locked,
    /// The store is encrypted, or is to be, and there is no key; it was not touched.
    #[error("the store is encrypted and no key was given; it was left as it is")]
    NoKey,
    /// The key does not open the store; it was not touched.
    #[error("the key does not open the store; it was left as it is")]
    WrongKey,
    /// A key was given, or the store is encrypted, and this build has no cipher; nothing was
    /// touched.
    #[error("this build has no cipher for an encrypted store: build with the feature `encryption`")]
    NoCipher,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A rule of ours was broken: report it.
    #[error("internal: {0}")]
    Internal(String),
}

impl RepositoryError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full => "store.full",
            Self::Unavailable(_) => "store.unavailable",
            Self::Corrupt => "store.corrupt",
            Self::Foreign => "store.foreign",
            Self::Newer => "store.newer",
            Self::Locked => "store.locked",
            Self::NoKey => "store.no_key",
            Self::WrongKey => "store.wrong_key",
            Self::NoCipher => "store.no_cipher",
            Self::Closed => "closed",
            Self::Internal(_) => "internal",
        }
    }
}

impl From<crate::domain::delivery::IllegalTransition> for RepositoryError {
    fn from(broken: crate::domain::delivery::IllegalTransition) -> Self {
        Self::Internal(broken.to_string())
    }
}

impl From<KeyError> for RepositoryError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Locked => Self::Locked,
            KeyError::Missing => Self::NoKey,
        }
    }
}

/// How much a commit must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// A killed process.
    Normal,
    /// A power cut too.
    Full,
}

/// A number that grows whenever the store changed, by this process or another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// Which conversations to list, newest activity first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Also those the user or the server archived.
    pub include_archived: bool,
    /// At most this many; zero for all.
    pub limit: usize,
}

/// Result of a primitive.
pub type RowResult<T> = Result<T, RepositoryError>;

/// The row primitives of one transaction.
///
/// Lists come in the order named. Keys, ids and states are stored as they are given; no primitive
/// decides anything. Refused, as [`RepositoryError::Internal`] and with nothing changed, is a row
/// that cannot be one: a message, entry or journal entry whose conversation is not stored, a
/// second row with one key, or with one server id in one conversation.
pub trait Rows {
    /// The conversation with this id.
    fn conversation(&mut self, id: &ConversationId) -> RowResult<Option<Conversation>>;
    /// Conversations, newest activity first, ties by id.
    fn conversations(&mut self, filter: ConversationFilter) -> RowResult<Vec<Conversation>>;
    /// Inserts the conversation, or replaces all its fields.
    fn put_conversation(&mut self, conversation: &Conversation) -> RowResult<()>;
    /// Removes the conversation with its messages, outbox entries and journal.
    fn remove_conversation(&mut self, id: &ConversationId) -> RowResult<()>;
    /// Moves the messages, outbox entries and journal of one conversation to another; both are
    /// stored.
    fn move_rows(&mut self, from: &ConversationId, to: &ConversationId) -> RowResult<()>;

    /// The message with this key.
    fn message(&mut self, id: ClientMessageId) -> RowResult<Option<Message>>;
    /// The message with this server id.
    fn message_by_server_id(
        &mut self,
        conversation: &ConversationId,
        id: &MessageId,
    ) -> RowResult<Option<Message>>;
    /// Rows in the pending half of the order that the server may have, in order: those of others,
    /// and own ones with at least one attempt. Rows never attempted are left out, so the cost does
    /// not grow with a long queue.
    fn unplaced(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>>;
    /// Rows with a gap right behind them, in order.
    fn gaps(&mut self, conversation: &ConversationId) -> RowResult<Vec<Message>>;
    /// Adds a row; its key must be new.
    fn insert_message(&mut self, message: &Message) -> RowResult<()>;
    /// Replaces all fields of the row with this key.
    fn update_message(&mut self, message: &Message) -> RowResult<()>;
    /// Removes the row altogether.
    fn remove_message(&mut self, id: ClientMessageId) -> RowResult<()>;
    /// Up to `limit` rows with keys below `before` (the newest, where `None`), oldest first;
    /// tombstones only where asked for.
    fn page(
        &mut self,
        conversation: &ConversationId,
        before: Option<SortKey>,
        limit: usize,
        include_deleted: bool,
    ) -> RowResult<Vec<Message>>;
    /// Up to `limit` rows with keys above `after`, oldest first, tombstones too: they keep a place.
    fn page_after(
        &mut self,
        conversation: &ConversationId,
        after: SortKey,
        limit: usize,
    ) -> RowResult<Vec<Message>>;
    /// Up to `limit` rows with the lowest keys, in order, tombstones too.
    fn oldest(&mut self, conversation: &ConversationId, limit: usize) -> RowResult<Vec<Message>>;
    /// About how many bytes the rows take.
    fn size(&mut self) -> RowResult<u64>;
    /// The nearest server-placed key above `key`; the lowest of all where `None`.
    fn server_key_above(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>>;
    /// The nearest server-placed key below `key`; the highest of all where `None`.
    fn server_key_below(
        &mut self,
        conversation: &ConversationId,
        key: Option<SortKey>,
    ) -> RowResult<Option<SortKey>>;
    /// Unread rows with keys up to and including `up_to`, in order.
    fn unread_up_to(
        &mut self,
        conversation: &ConversationId,
        up_to: SortKey,
    ) -> RowResult<Vec<Message>>;
    /// Visible messages that match, newest first; what was stored before is found at once.
    fn search(&mut self, search: &Search) -> RowResult<Found>;

    /// A number that this store has never given before; for accept order.
    fn next_order(&mut self) -> RowResult<i64>;
    /// The outbox entry of this message.
    fn outbox_entry(&mut self, id: ClientMessageId) -> RowResult<Option<OutboxEntry>>;
    /// Inserts the entry, or replaces all its fields.
    fn put_outbox(&mut self, entry: &OutboxEntry) -> RowResult<()>;
    /// Removes the entry, if there.
    fn remove_outbox(&mut self, id: ClientMessageId) -> RowResult<()>;
    /// For each track of each conversation the entry that is pending and not parked which comes
    /// first: one on the wire or uncertain, else by accept order. What was retried is older than
    /// what left meanwhile, and must not take its place.
    fn outbox_heads(&mut self) -> RowResult<Vec<OutboxEntry>>;
    /// What is pending and not parked in one track of a conversation, by accept order.
    fn outbox_track(
        &mut self,
        conversation: &ConversationId,
        track: Track,
    ) -> RowResult<Vec<OutboxEntry>>;
    /// The changes of one message, by accept order.
    fn outbox_changes(&mut self, message: ClientMessageId) -> RowResult<Vec<OutboxEntry>>;
    /// The creations of conversations, by accept order.
    fn outbox_creations(&mut self) -> RowResult<Vec<OutboxEntry>>;
    /// All entries, by accept order; of one conversation where named.
    fn outbox(&mut self, conversation: Option<&ConversationId>) -> RowResult<Vec<OutboxEntry>>;

    /// Appends to the journal; the store gives the sequence.
    fn append_journal(&mut self, entry: &JournalEntry) -> RowResult<()>;
    /// Entries with a sequence above `after`, in order, at most `limit`.
    fn journal_after(&mut self, after: i64, limit: usize) -> RowResult<Vec<JournalEntry>>;
    /// All entries of one message, in order.
    fn journal_of(&mut self, id: ClientMessageId) -> RowResult<Vec<JournalEntry>>;
    /// The highest sequence given so far; zero where none was.
    fn journal_head(&mut self) -> RowResult<i64>;

    /// A small named value.
    fn setting(&mut self, name: &str) -> RowResult<Option<String>>;
    /// Sets a small named value.
    fn put_setting(&mut self, name: &str, value: &str) -> RowResult<()>;
}

/// What runs inside a transaction.
pub type Job = Box<dyn FnOnce(&mut dyn Rows) -> RowResult<()> + Send>;

/// The store.
#[async_trait]
pub trait ChatRepository: Send + Sync + fmt::Debug {
    /// Runs the job in one write transaction: all of it is stored, or nothing.
    ///
    /// # Errors
    /// The job's error, or the store's own; nothing was changed then.
    ///
    /// # Cancel safety
    /// Dropping the future does not stop a job that was handed over; it is still all or nothing.
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()>;

    /// Runs the job against one consistent view.
    ///
    /// # Errors
    /// The job's error, or the store's own.
    async fn read(&self, job: Job) -> RowResult<()>;

    /// The current revision.
    fn revision(&self) -> Revision;

    /// Waits until the revision is beyond `seen`, and returns it.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    async fn changed(&self, seen: Revision) -> Revision;

    /// How often a damaged store was replaced since it was opened. What was saved then is told by
    /// [`rules::salvage::word`](crate::domain::rules::salvage::word).
    fn salvages(&self) -> u64 {
        0
    }

    /// Whether this process is the one that sends and synchronises.
    fn is_owner(&self) -> bool {
        true
    }

    /// Waits until this process is the owner.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    async fn became_owner(&self) {}

    /// Finishes what was handed over, then releases files and locks until [`Self::resume`]; says
    /// whether anything was released. Calls in between fail as `Unavailable`, and who waits for a
    /// change or for ownership goes on waiting.
    async fn suspend(&self) -> bool {
        false
    }

    /// Opens again what [`Self::suspend`] released; ownership has to be won anew.
    ///
    /// # Errors
    /// The store's; it stays suspended then.
    async fn resume(&self) -> RowResult<()> {
        Ok(())
    }

    /// Finishes what was handed over, then releases files and locks.
    async fn close(&self);
}

/// Typed conveniences over the two transaction verbs.
impl dyn ChatRepository {
    /// [`ChatRepository::write`] with a result.
    ///
    /// # Errors
    /// As [`ChatRepository::write`].
    pub fn transact<T: Send + 'static>(
        &self,
        durability: Durability,
        job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
    ) -> Answered<'_, T> {
        let (slot, job) = with_slot(job);
        Answered {
            done: self.write(durability, job),
            slot,
        }
    }

    /// [`ChatRepository::read`] with a result.
    ///
    /// # Errors
    /// As [`ChatRepository::read`].
    pub fn view<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
    ) -> Answered<'_, T> {
        let (slot, job) = with_slot(job);
        Answered {
            done: self.read(job),
            slot,
        }
    }
}

type Slot<T> = std::sync::Arc<std::sync::Mutex<Option<T>>>;

fn with_slot<T: Send + 'static>(
    job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
) -> (Slot<T>, Job) {
    let slot: Slot<T> = Slot::default();
    let fill = std::sync::Arc::clone(&slot);
    let job: Job = Box::new(move |rows| {
        let value = job(rows)?;
        *fill
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
        Ok(())
    });
    (slot, job)
}

/// The answer of a transaction that is under way.
///
/// Its type is the value's alone, whatever the job: compiled once for all that ask for the same.
#[must_use = "what was handed over begins when this is awaited"]
pub struct Answered<'a, T> {
    done: Pin<Box<dyn Future<Output = RowResult<()>> + Send + 'a>>,
    slot: Slot<T>,
}

impl<T> fmt::Debug for Answered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answered")
    }
}

impl<T> Future for Answered<'_, T> {
    type Output = RowResult<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ready!(self.done.as_mut().poll(context));
        Poll::Ready(done.and_then(|()| take(&self.slot)))
    }
}

fn take<T>(slot: &Slot<T>) -> RowResult<T> {
    let mut slot = slot
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    slot.take()
        .ok_or_else(|| RepositoryError::Internal("a transaction returned nothing".to_owned()))
}
