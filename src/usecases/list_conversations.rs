//! `ListConversations` from the store, and `RefreshConversations` from the server.

use std::collections::BTreeSet;

use crate::{
    domain::{
        conversation::Conversation,
        ids::ConversationId,
        ports::{Durability, ListScope, chat_repository::ConversationFilter},
        rules::conversations,
    },
    error::ChatError,
    usecases::Ports,
};

/// Lists stored conversations, newest activity first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListConversations {
    /// Which.
    pub filter: ConversationFilter,
}

impl ListConversations {
    /// Reads the list.
    ///
    /// # Errors
    /// The store's.
    pub async fn execute(self, ports: &Ports) -> Result<Vec<Conversation>, ChatError> {
        Ok(ports
            .repository
            .view(move |rows| rows.conversations(self.filter))
            .await?)
    }
}

/// Reads the server's whole list into the store.
#[derive(Clone, Copy, Debug)]
pub struct RefreshConversations;

/// What a refresh found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Conversations the server has.
    pub listed: usize,
    /// Stored conversations that the server no longer has and that hold nothing unsent: removed.
    pub removed: usize,
    /// Items of the server's that could not be read.
    pub skipped: usize,
}

/// More pages than any account has: a server that never ends its list is cut off here.
const MAX_PAGES: usize = 10_000;

impl RefreshConversations {
    /// Pages to the end, stores page by page, and drops what the server no longer has. Local
    /// titles, archive flags and drafts stay; a conversation with unsent messages is never dropped.
    ///
    /// # Errors
    /// [`ChatError`] of the service or the store; pages stored so far stay.
    pub async fn execute(self, ports: &Ports) -> Result<Refreshed, ChatError> {
        let own = ports.clone();
        ports
            .refreshes
            .join(String::new(), async move { self.refresh(&own).await })
            .await
    }

    async fn refresh(self, ports: &Ports) -> Result<Refreshed, ChatError> {
        let mut found = Refreshed::default();
        let mut seen = BTreeSet::new();
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let page = ports
                .service
                .list_conversations(&ListScope::All, cursor.as_ref())
                .await?;
            found.skipped += page.skipped;
            seen.extend(page.conversations.iter().map(|said| said.id.clone()));
            let said = page.conversations;
            ports
                .repository
                .transact(Durability::Normal, move |rows| {
                    said.into_iter().try_for_each(|one| {
                        // Deleted here since the server was asked: its answer is older.
                        if conversations::is_buried(rows, &one.id)? {
                            return Ok(());
                        }
                        conversations::upsert(rows, one).map(drop)
                    })
                })
                .await?;
            if page.next.is_none() || page.next == cursor {
                break;
            }
            cursor = page.next;
        }
        found.listed = seen.len();
        // An unreadable item may be any of the missing ones: then nothing is dropped.
        if found.skipped == 0 {
            found.removed = drop_missing(ports, seen).await?;
        }
        Ok(found)
    }
}

async fn drop_missing(ports: &Ports, seen: BTreeSet<ConversationId>) -> Result<usize, ChatError> {
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    let removed = ports
        .repository
        .transact(Durability::Normal, move |rows| {
            let mut removed = 0;
            for stored in rows.conversations(all)? {
                let listed_before = stored.server.created_at.is_some();
                if seen.contains(&stored.id) || !listed_before || stored.draft.is_some() {
                    continue;
                }
                if rows.outbox(Some(&stored.id))?.is_empty() {
                    rows.remove_conversation(&stored.id)?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await?;
    Ok(removed)
}
