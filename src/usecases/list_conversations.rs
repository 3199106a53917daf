//! `ListConversations` from the store, and `RefreshConversations` from the server.

use std::collections::BTreeSet;

use crate::{
    domain::{
        conversation::{Conversation, ServerConversation},
        ids::ConversationId,
        ports::{
            ChatRepository, ChatService, Durability, ListScope, Platform, RepositoryError, Rows,
            chat_repository::{ConversationFilter, RowResult},
        },
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        rules::conversations,
        time::WallTime,
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
        let (service, repository) = (ports.service.as_ref(), ports.repository.as_ref());
        let list = read_list(service, repository, ports.platform.as_ref()).await?;
        // An unreadable item may be any of the missing ones: then nothing is dropped.
        let (listed, skipped) = (list.seen.len(), list.skipped);
        let removed = match skipped {
            0 => drop_missing(ports, list.seen).await?,
            _ => 0,
        };
        Ok(Refreshed {
            listed,
            removed,
            skipped,
        })
    }
}

/// The server's whole list, as it was stored.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) seen: BTreeSet<ConversationId>,
    /// Items that could not be read.
    pub(crate) skipped: usize,
}

/// Why a list was not read to its end.
#[derive(Debug)]
pub(crate) enum ListFailure {
    Service(ServiceError),
    Store(RepositoryError),
}

impl ListFailure {
    /// A failed store during a read is the read's failure: it is repeated, nothing is lost.
    pub(crate) fn into_service_error(self) -> ServiceError {
        match self {
            Self::Service(error) => error,
            Self::Store(error) => {
                tracing::error!(code = error.code(), "storage.troubled");
                let text = "what was read could not be stored";
                let (retry, outcome) = (RetryClass::Backoff, Outcome::NotApplied);
                ServiceError::new(FailureKind::Unavailable, retry, outcome, text)
            }
        }
    }
}

impl From<ListFailure> for ChatError {
    fn from(failure: ListFailure) -> Self {
        match failure {
            ListFailure::Service(error) => error.into(),
            ListFailure::Store(error) => error.into(),
        }
    }
}

/// Pages the server's list to its end and stores it page by page.
pub(crate) async fn read_list(
    service: &dyn ChatService,
    repository: &(dyn ChatRepository + 'static),
    platform: &dyn Platform,
) -> Result<Listed, ListFailure> {
    let mut found = Listed::default();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = service
            .list_conversations(&ListScope::All, cursor.as_ref())
            .await
            .map_err(ListFailure::Service)?;
        found.skipped += page.skipped;
        let ids = page.conversations.iter().map(|said| said.id.clone());
        found.seen.extend(ids);
        let now = platform.wall();
        let stored = repository.transact(Durability::Normal, move |rows| {
            store(rows, page.conversations, now)
        });
        stored.await.map_err(ListFailure::Store)?;
        if page.next.is_none() || page.next == cursor {
            break;
        }
        cursor = page.next;
    }
    Ok(found)
}

fn store(rows: &mut dyn Rows, page: Vec<ServerConversation>, now: WallTime) -> RowResult<()> {
    for said in page {
        // Deleted here since the server was asked: its answer is older. And no server gives the
        // id of a conversation that only a device knows.
        if !said.id.is_local() && !conversations::is_buried(rows, &said.id)? {
            conversations::upsert(rows, said, now)?;
        }
    }
    Ok(())
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
