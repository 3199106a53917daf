//! Observers: one snapshot, then changes, read from the store.
//!
//! An observer holds what it last showed. When the store changed it looks again and tells the
//! difference, so there is no queue to overflow: a slow reader skips what was overtaken and never
//! gets a hole, and changes made by another process are seen alike.

use std::sync::Arc;

use crate::{
    domain::{
        conversation::Conversation,
        ids::{ClientMessageId, ConversationId},
        journal::JournalEntry,
        message::Message,
        outbox::OutboxEntry,
        plant::planted,
        ports::{ChatRepository, Revision, chat_repository::ConversationFilter},
        rules::conversations,
        sorted_map::SortedMap,
        sorting::filled,
        timeline::{TimelineDiff, diff},
    },
    error::ChatError,
};

/// More changes than this at once become one reset.
const RESET_ABOVE: usize = 64;

/// Rows in a look at the journal.
const JOURNAL_PAGE: usize = 256;

/// Waits for changes of the store, the first call answering at once.
#[derive(Debug)]
struct Watch {
    repository: Arc<dyn ChatRepository>,
    seen: Option<Revision>,
}

impl Watch {
    fn new(repository: Arc<dyn ChatRepository>) -> Self {
        Self {
            repository,
            seen: None,
        }
    }

    /// The revision that a look from now on covers at least.
    async fn changed(&self) -> Revision {
        match self.seen {
            None => self.repository.revision(),
            Some(seen) => self.repository.changed(seen).await,
        }
    }
}

/// A window onto the newest messages of a conversation; it grows as messages come.
#[derive(Debug)]
pub struct TimelineObserver {
    watch: Watch,
    conversation: ConversationId,
    window: usize,
    include_deleted: bool,
    shown: Option<Vec<Message>>,
}

impl TimelineObserver {
    pub(crate) fn new(
        repository: Arc<dyn ChatRepository>,
        conversation: ConversationId,
        window: usize,
    ) -> Self {
        let watch = Watch::new(repository);
        Self {
            watch,
            conversation,
            window,
            include_deleted: false,
            shown: None,
        }
    }

    /// Shows that many more of the older messages.
    pub fn widen(&mut self, by: usize) {
        self.window = self.window.saturating_add(by);
        self.watch.seen = None;
    }

    /// The next changes: first a reset with the whole window, then differences; never empty.
    ///
    /// # Errors
    /// The store's; [`ChatError::Closed`] after the client ended.
    ///
    /// # Cancel safety
    /// May be dropped and called again: what it last showed moves only when it returns.
    pub async fn next(&mut self) -> Result<Vec<TimelineDiff>, ChatError> {
        loop {
            let revision = self.watch.changed().await;
            let now = self.look().await?;
            self.watch.seen = Some(revision);
            let mut changes = match &self.shown {
                None => vec![TimelineDiff::Reset { items: now.clone() }],
                Some(shown) => diff(shown, now.clone(), RESET_ABOVE),
            };
            self.shown = Some(now);
            if planted("skip-update") {
                changes.retain(|change| !matches!(change, TimelineDiff::Update { .. }));
            }
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }

    async fn look(&self) -> Result<Vec<Message>, ChatError> {
        let (id, deleted) = (self.conversation.clone(), self.include_deleted);
        // Rows shown stay shown: the window grows with what came in at its end.
        let first = self
            .shown
            .as_ref()
            .and_then(|rows| rows.first())
            .map(|row| row.key);
        let window = self.window;
        let page = self
            .watch
            .repository
            .view(move |rows| {
                let id = conversations::resolve(rows, &id)?;
                let newest = rows.page(&id, None, window, deleted)?;
                match (first, newest.first()) {
                    (Some(first), Some(row)) if first < row.key && newest.len() == window => {
                        rows.page(&id, None, window * 2, deleted)
                    }
                    _ => Ok(newest),
                }
            })
            .await?;
        Ok(page)
    }
}

/// What happened to sent messages, in order, without a hole.
#[derive(Debug)]
pub struct DeliveryObserver {
    watch: Watch,
    after: i64,
    waiting: std::collections::VecDeque<JournalEntry>,
}

impl DeliveryObserver {
    pub(crate) fn new(repository: Arc<dyn ChatRepository>, after: i64) -> Self {
        Self {
            watch: Watch::new(repository),
            after,
            waiting: std::collections::VecDeque::new(),
        }
    }

    /// The next thing that happened.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Result<JournalEntry, ChatError> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                return Ok(entry);
            }
            let revision = self.watch.changed().await;
            let after = self.after;
            let repository = &self.watch.repository;
            let entries = repository
                .view(move |rows| rows.journal_after(after, JOURNAL_PAGE))
                .await?;
            // A full page may not be the end: look again at once.
            self.watch.seen = (entries.len() < JOURNAL_PAGE).then_some(revision);
            self.after = entries.last().map_or(self.after, |entry| entry.sequence);
            self.waiting.extend(entries);
        }
    }
}

/// Everything the user did that the server does not have for certain.
#[derive(Debug)]
pub struct OutboxObserver {
    watch: Watch,
    shown: Option<Vec<OutboxEntry>>,
}

impl OutboxObserver {
    pub(crate) fn new(repository: Arc<dyn ChatRepository>) -> Self {
        Self {
            watch: Watch::new(repository),
            shown: None,
        }
    }

    /// The outbox, whenever it differs from the last answer; the first comes at once.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Result<Vec<OutboxEntry>, ChatError> {
        loop {
            let revision = self.watch.changed().await;
            let now = self.watch.repository.view(|rows| rows.outbox(None)).await?;
            self.watch.seen = Some(revision);
            if self.shown.as_ref() != Some(&now) {
                self.shown = Some(now.clone());
                return Ok(now);
            }
        }
    }
}

/// The list of conversations.
#[derive(Debug)]
pub struct ConversationsObserver {
    watch: Watch,
    filter: ConversationFilter,
    shown: Option<SortedMap<ConversationId, u64>>,
}

impl ConversationsObserver {
    pub(crate) fn new(repository: Arc<dyn ChatRepository>, filter: ConversationFilter) -> Self {
        Self {
            watch: Watch::new(repository),
            filter,
            shown: None,
        }
    }

    /// The list, whenever it differs from the last answer; the first comes at once.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Result<Vec<Conversation>, ChatError> {
        loop {
            let revision = self.watch.changed().await;
            let filter = self.filter;
            let now = self
                .watch
                .repository
                .view(move |rows| rows.conversations(filter))
                .await?;
            self.watch.seen = Some(revision);
            let versions = filled(now.iter().map(|row| (row.id.clone(), row.version)));
            if self.shown.as_ref() != Some(&versions) {
                self.shown = Some(versions);
                return Ok(now);
            }
        }
    }
}

/// One message, whenever it changes.
#[derive(Debug)]
pub struct MessageObserver {
    watch: Watch,
    id: ClientMessageId,
    shown: Option<Option<Message>>,
}

impl MessageObserver {
    pub(crate) fn new(repository: Arc<dyn ChatRepository>, id: ClientMessageId) -> Self {
        Self {
            watch: Watch::new(repository),
            id,
            shown: None,
        }
    }

    /// The row, whenever it differs from the last answer; `None` where there is no such row.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Result<Option<Message>, ChatError> {
        loop {
            let revision = self.watch.changed().await;
            let id = self.id;
            let now = self
                .watch
                .repository
                .view(move |rows| rows.message(id))
                .await?;
            self.watch.seen = Some(revision);
            if self.shown.as_ref() != Some(&now) {
                self.shown = Some(now.clone());
                return Ok(now);
            }
        }
    }
}
