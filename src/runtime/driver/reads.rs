//! Reads of the history: who asked, what came, what it told.

use std::sync::Arc;

use super::{
    Driver, Happened, answer,
    inbox::Fetched,
    lane::{Lane, Purpose},
};
use crate::{
    domain::{
        connection::Transport,
        cursor::{ChangeMark, HistoryRange},
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::{Role, ServerMessage},
        plant::planted,
        ports::{ChatRepository, Durability, HistoryPage, RepositoryError},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        rules::{
            conversations,
            editor::Editor,
            gaps::{self, Page, Stored},
            merge::{self, Merge, Merged, Placement},
        },
    },
    engine::{
        connection::Input as ConnectionInput,
        outbox::Input as OutboxInput,
        sync::{Input as SyncInput, Output as SyncOutput, Ticket, Wanted},
        turn::Input as TurnInput,
    },
    error::ChatError,
};

impl Driver {
    /// Asks for a read on somebody's behalf.
    pub(super) fn read(
        &mut self,
        id: &ConversationId,
        wanted: Wanted,
        quiet: bool,
        purpose: Purpose,
    ) {
        self.next_ticket += 1;
        let ticket = self.next_ticket;
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        lane.purposes.insert(ticket, purpose);
        lane.sync.handle(SyncInput::Request {
            ticket,
            wanted,
            quiet,
        });
    }

    pub(super) async fn perform_sync(&mut self, id: &ConversationId, output: SyncOutput) {
        match output {
            SyncOutput::Forget => self.forget_the_way_back(id).await,
            SyncOutput::Fetch(range) => self.fetch(id.clone(), range),
            SyncOutput::Finished { ticket, result } => self.read_ended(id, ticket, result),
            SyncOutput::BrokeOff => self.catch_up_later(id),
            SyncOutput::Phase { phase, fetched } => {
                tracing::debug!(conversation = %id, phase = phase.as_str(), fetched, "sync");
                let conversation = id.clone();
                self.events.emit(ClientEvent::Sync {
                    conversation,
                    phase,
                    fetched,
                });
            }
        }
    }

    async fn forget_the_way_back(&mut self, id: &ConversationId) {
        let conversation = id.clone();
        let forgotten = self
            .repository
            .transact(Durability::Normal, move |rows| {
                gaps::forget_the_way_back(rows, &conversation)
            })
            .await;
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        lane.sync.handle(match forgotten {
            Ok((position, gap)) => {
                (lane.position, lane.gap) = (position.clone(), gap.clone());
                SyncInput::Forgotten { position, gap }
            }
            Err(error) => SyncInput::Failed(store_failed(&error)),
        });
    }

    /// Over a socket nothing else would go on filling the gap; polls and dials do by themselves.
    fn catch_up_later(&mut self, id: &ConversationId) {
        let live = self.lanes.get(id).map(|lane| lane.connection.is_live());
        if live == Some(true) {
            self.tell_connection(id, ConnectionInput::Undecodable);
        }
    }

    fn fetch(&mut self, conversation: ConversationId, range: HistoryRange) {
        let Some(lane) = self.lanes.get_mut(&conversation) else {
            return;
        };
        lane.fetches += 1;
        let number = lane.fetches;
        let (service, repository) = (self.service.clone(), self.repository.clone());
        let limit = usize::try_from(self.config.history_page).unwrap_or(100);
        let (id, asked) = (conversation.clone(), range.asked());
        let read = async move {
            // Before the server is asked: so its answer is at least as new.
            let listed = listed(&repository, &id).await;
            let page = service.history(&id, &asked, limit).await?;
            Ok((listed, page))
        };
        self.ask(read, move |result| {
            Happened::Page(Box::new(Fetched {
                conversation,
                number,
                range,
                result,
            }))
        });
    }

    pub(super) async fn page(&mut self, fetched: Fetched) {
        // Its word may have come before the page did, or not yet.
        self.follow_salvage().await;
        let id = fetched.conversation.clone();
        let awaited = |lane: &&mut Lane| lane.fetches == fetched.number && lane.sync.is_running();
        let Some(lane) = self.lanes.get_mut(&id).filter(awaited) else {
            return;
        };
        let input = match fetched.result {
            Ok((listed, page)) => {
                if !matches!(fetched.range, HistoryRange::Before(_)) {
                    lane.listed = listed;
                }
                let page = self.unless_again(&id, &fetched.range, page);
                self.store_page(&id, &fetched.range, page).await
            }
            Err(error) => {
                self.heed(&error);
                Err(error)
            }
        };
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.sync.handle(input.unwrap_or_else(SyncInput::Failed));
        }
    }

    /// A server that limits how often it is asked counts the account's requests, not those of one
    /// conversation: all of them read from one budget.
    fn heed(&mut self, error: &ServiceError) {
        if let RetryClass::After(wait) = error.retry
            && error.kind == FailureKind::RateLimited
        {
            self.tell_all_connections(&ConnectionInput::Quiet(wait));
        }
    }

    /// A server that gives the same page for another place has nothing further in that direction,
    /// whatever it promises.
    fn unless_again(
        &mut self,
        id: &ConversationId,
        range: &HistoryRange,
        mut page: HistoryPage,
    ) -> HistoryPage {
        let Some(lane) = self.lanes.get_mut(id) else {
            return page;
        };
        // Pages that overlap may begin alike near the beginning; the same one ends alike too.
        let name = |message: Option<&ServerMessage>| message.map(|message| message.id.clone());
        let ends = name(page.messages.first()).zip(name(page.messages.last()));
        let now = (range.clone(), ends);
        let again = lane.last_page.as_ref().is_some_and(|(range, ends)| {
            let same_way = std::mem::discriminant(range) == std::mem::discriminant(&now.0);
            same_way && *range != now.0 && ends.is_some() && *ends == now.1
        });
        lane.last_page = Some(now);
        if again {
            page.more = false;
            page.older = None;
        }
        page
    }

    async fn store_page(
        &mut self,
        id: &ConversationId,
        range: &HistoryRange,
        page: HistoryPage,
    ) -> Result<SyncInput, ServiceError> {
        let backward = matches!(range, HistoryRange::Before(_));
        let promised = if backward {
            page.older.is_some()
        } else {
            page.more
        };
        let length = page.messages.len();
        if planted("cursor-first") {
            let ahead = HistoryPage {
                messages: Vec::new(),
                ..page.clone()
            };
            let moved = self.merge_page(id, range, ahead).await;
            moved.map_err(|error| store_failed(&error))?;
        }
        let stored = self.merge_page(id, range, page).await;
        let stored = stored.map_err(|error| store_failed(&error))?;
        let merged = &stored.merged;
        // A hole behind the page is ahead: the next forward read brings it.
        let more = promised || (!backward && merged.unplaced);
        let fresh = merged.inserted.len() + merged.answers.len();
        self.after_merge(id, merged, false);
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.position = stored.position.clone();
            lane.gap.clone_from(&stored.gap);
        }
        Ok(SyncInput::Stored {
            position: stored.position,
            gap: stored.gap,
            tail: stored.tail,
            more,
            fresh,
            length,
        })
    }

    /// Stores a page in one transaction, with the position and the gaps that it moves.
    async fn merge_page(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        page: HistoryPage,
    ) -> Result<Stored, RepositoryError> {
        let listed = self.lanes.get(id).and_then(|lane| lane.listed.clone());
        let (id, range) = (id.clone(), range.clone());
        let (now, platform) = (self.platform.wall(), self.platform.clone());
        self.repository
            .transact(Durability::Normal, move |rows| {
                let read = Page {
                    range: &range,
                    page: &page,
                    listed: listed.as_ref(),
                    now,
                };
                gaps::store_page(rows, &id, &read, &mut || platform.mint())
            })
            .await
    }

    /// Merges rows that the server pushed, in one transaction.
    pub(super) async fn merge(
        &self,
        id: &ConversationId,
        messages: Vec<ServerMessage>,
        placement: Placement,
    ) -> Result<Merged, RepositoryError> {
        let (id, now, platform) = (id.clone(), self.platform.wall(), self.platform.clone());
        self.repository
            .transact(Durability::Normal, move |rows| {
                if conversations::is_buried(rows, &id)? {
                    return Ok(Merged::default());
                }
                let mut editor = Editor::open(rows, &id)?;
                let request = Merge {
                    page: &messages,
                    placement,
                    proof: None,
                    now,
                };
                let merged = merge::merge(&mut editor, request, &mut || platform.mint())?;
                editor.finish()?;
                Ok(merged)
            })
            .await
    }

    /// Tells turn and outbox what a merge found.
    pub(super) fn after_merge(&mut self, id: &ConversationId, merged: &Merged, pushed: bool) {
        for role in &merged.received {
            self.note_received(id, role);
        }
        if !merged.confirmed.is_empty() {
            self.confirmed_by_read(id, &merged.confirmed);
        }
        let input = TurnInput::Stored {
            answered: merged.answered.clone(),
            bound: merged.answers.clone(),
            absorbed: merged.absorbed.clone(),
            told: merged.told.clone(),
            pushed: pushed && merged.ends_with_other,
        };
        self.tell_turns(id, input);
    }

    /// A message of somebody else's is here, and what carries messages at this moment.
    pub(super) fn note_received(&self, id: &ConversationId, role: &Role) {
        let live = self
            .lanes
            .get(id)
            .is_some_and(|lane| lane.connection.is_live());
        let by = if live {
            Transport::WebSocket
        } else {
            Transport::Polling
        };
        let role = match role {
            // A server's own word may be anything, even what somebody wrote.
            Role::Other(_) => "other",
            known => known.as_str(),
        };
        let transport = by.as_str();
        tracing::info!(conversation = %id, transport, role, "message.received");
    }

    fn confirmed_by_read(&mut self, id: &ConversationId, ids: &[ClientMessageId]) {
        for message in ids {
            if let Some(lane) = self.lanes.get_mut(id) {
                lane.confirm(*message);
            }
            self.tell_turns(id, TurnInput::Confirmed(*message));
        }
        self.tell_outbox(OutboxInput::Confirmed(ids.to_vec()));
        self.heads_due = Some(self.platform.tick());
    }

    fn read_ended(
        &mut self,
        id: &ConversationId,
        ticket: Ticket,
        result: Result<usize, ServiceError>,
    ) {
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        let Some(purpose) = lane.purposes.remove(&ticket) else {
            return;
        };
        match purpose {
            Purpose::Poll | Purpose::CatchUp => {
                let polled = matches!(purpose, Purpose::Poll);
                self.caught_up(id, polled, result);
            }
            Purpose::Reconcile => {
                let (conversation, complete) = (id.clone(), result.is_ok());
                self.tell_outbox(OutboxInput::Read {
                    conversation,
                    complete,
                });
            }
            Purpose::Tail | Purpose::Baseline => {}
            Purpose::App(reply) => answer(reply, result.map_err(ChatError::from)),
            Purpose::Older(reply) => {
                let more = lane.position.oldest.is_some() || lane.gap.is_some();
                answer(reply, result.map(|_| more).map_err(ChatError::from));
            }
        }
    }

    fn caught_up(
        &mut self,
        id: &ConversationId,
        polled: bool,
        result: Result<usize, ServiceError>,
    ) {
        if let Ok(fetched) = result
            && fetched > 0
        {
            if polled {
                tracing::info!(conversation = %id, fetched, "polling.received");
            }
            self.tell_connection(id, ConnectionInput::Activity);
        }
        self.tell_connection(id, ConnectionInput::CaughtUp(result.map(drop)));
    }
}

/// What the list last said of the conversation.
async fn listed(repository: &Arc<dyn ChatRepository>, id: &ConversationId) -> Option<ChangeMark> {
    let id = id.clone();
    let stored = repository.view(move |rows| rows.conversation(&id)).await;
    stored.ok().flatten()?.server.mark
}

/// A failed store during a read is the read's failure: it is repeated, nothing is lost.
fn store_failed(error: &RepositoryError) -> ServiceError {
    tracing::error!(code = error.code(), "storage.troubled");
    let text = "what was read could not be stored";
    ServiceError::new(
        FailureKind::Unavailable,
        RetryClass::Backoff,
        Outcome::NotApplied,
        text,
    )
}
