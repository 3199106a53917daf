//! `CatchUp`: what is new anywhere, for a process that lives only for seconds.

use std::sync::{Mutex, PoisonError};

use crate::{
    domain::{
        conversation::Conversation,
        cursor::HistoryRange,
        ids::{ClientMessageId, ConversationId},
        ports::{Durability, chat_repository::ConversationFilter},
        rules::gaps::{self, Page, Stored},
    },
    error::ChatError,
    usecases::{
        Ports,
        list_conversations::RefreshConversations,
        wait_for_delivery::{Delivery, WaitForDelivery},
    },
};

/// Messages of one conversation's page; a wake-up shows the newest.
const PAGE: usize = 50;

/// Pages read of one conversation: what follows the last one known, then the newest.
const PAGES: usize = 2;

/// What a catch-up brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaughtUp {
    /// Messages new to this device.
    pub new_messages: usize,
    /// Own messages that waited and were delivered.
    pub delivered: usize,
    /// Conversations in which something was new.
    pub conversations_changed: usize,
    /// Whether all was read and nothing waits any more.
    pub finished: bool,
}

/// Catches up; see [`CaughtUp`].
#[derive(Debug, Default)]
pub struct CatchUp {
    done: Mutex<CaughtUp>,
}

impl CatchUp {
    /// Goes on to the end; [`Self::so_far`] tells what was done if it is dropped before.
    ///
    /// # Errors
    /// [`ChatError`] of the service or the store; pages stored so far stay.
    pub async fn execute(&self, ports: &Ports) -> Result<CaughtUp, ChatError> {
        let waiting = waiting(ports).await?;
        ports.dispatch.wake();
        RefreshConversations.execute(ports).await?;
        let mut whole = true;
        for conversation in changed(ports).await? {
            whole &= self.read(ports, &conversation).await?;
        }
        let sends = ports.repository.is_owner();
        if sends {
            self.await_outbox(ports, &waiting).await?;
        }
        let finished = whole && (sends || waiting.is_empty());
        self.note(|done| done.finished = finished);
        Ok(self.so_far())
    }

    /// What was done by now.
    #[must_use]
    pub fn so_far(&self) -> CaughtUp {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut CaughtUp)) {
        change(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether nothing is left between what was known and the newest message.
    async fn read(&self, ports: &Ports, id: &ConversationId) -> Result<bool, ChatError> {
        let mut fresh = 0;
        let mut range = first_range(ports, id).await?;
        for _ in 0..PAGES {
            let (stored, more) = read_page(ports, id, &range).await?;
            let count = stored.merged.inserted.len();
            self.note(|done| {
                done.new_messages += count;
                done.conversations_changed += usize::from(fresh == 0 && count > 0);
            });
            fresh += count;
            if !more {
                return Ok(stored.gap.is_none());
            }
            let Some(next) = next_range(&stored) else {
                break;
            };
            range = next;
        }
        Ok(false)
    }

    async fn await_outbox(
        &self,
        ports: &Ports,
        waiting: &[ClientMessageId],
    ) -> Result<(), ChatError> {
        for message in waiting {
            let delivery = WaitForDelivery { message: *message };
            let delivery = delivery.execute(ports).await?;
            if matches!(delivery, Delivery::OnServer(_)) {
                self.note(|done| done.delivered += 1);
            }
        }
        Ok(())
    }
}

async fn waiting(ports: &Ports) -> Result<Vec<ClientMessageId>, ChatError> {
    let entries = ports.repository.view(|rows| rows.outbox(None)).await?;
    let blocking = entries.into_iter().filter(|entry| entry.blocks());
    Ok(blocking.map(|entry| entry.id).collect())
}

/// Those the list does not call unchanged, newest activity first.
async fn changed(ports: &Ports) -> Result<Vec<ConversationId>, ChatError> {
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    let listed = ports
        .repository
        .view(move |rows| rows.conversations(all))
        .await?;
    let news = listed.into_iter().filter(Conversation::may_have_news);
    Ok(news.map(|conversation| conversation.id).collect())
}

async fn first_range(ports: &Ports, id: &ConversationId) -> Result<HistoryRange, ChatError> {
    let id = id.clone();
    let stored = ports
        .repository
        .view(move |rows| rows.conversation(&id))
        .await?;
    let newest = stored.and_then(|row| row.sync.newest);
    Ok(newest.map_or(HistoryRange::Newest, HistoryRange::After))
}

fn next_range(stored: &Stored) -> Option<HistoryRange> {
    let tail = stored.tail.clone().map(HistoryRange::Tail);
    tail.or_else(|| stored.position.newest.clone().map(HistoryRange::After))
}

/// Reads and stores one page; says whether there is more behind it.
async fn read_page(
    ports: &Ports,
    id: &ConversationId,
    range: &HistoryRange,
) -> Result<(Stored, bool), ChatError> {
    let key = id.clone();
    let listed = ports.repository.view(move |rows| rows.conversation(&key));
    let listed = listed.await?.and_then(|row| row.server.mark);
    let page = ports.service.history(id, range, PAGE).await?;
    let more = page.more;
    let (id, range, platform) = (id.clone(), range.clone(), ports.platform.clone());
    let now = platform.wall();
    let stored = ports
        .repository
        .transact(Durability::Normal, move |rows| {
            let read = Page {
                range: &range,
                page: &page,
                listed: listed.as_ref(),
                now,
            };
            gaps::store_page(rows, &id, &read, &mut || platform.mint())
        })
        .await?;
    Ok((stored, more))
}
