//! Reads of the history: who asked, what came, what it told.

use super::{Driver, Happened, answer, lane::Purpose};
use crate::{
    domain::{
        connection::Transport,
        cursor::{HistoryRange, SyncPosition},
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::{Role, ServerMessage},
        plant::planted,
        ports::{Durability, HistoryPage, RepositoryError},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        rules::{
            conversations,
            editor::Editor,
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

    pub(super) fn perform_sync(&mut self, id: &ConversationId, output: SyncOutput) {
        match output {
            SyncOutput::Fetch(range) => self.fetch(id.clone(), range),
            SyncOutput::Finished { ticket, result } => self.read_ended(id, ticket, result),
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

    fn fetch(&mut self, conversation: ConversationId, range: HistoryRange) {
        let (service, inbox) = (self.service.clone(), self.inbox.clone());
        let limit = usize::try_from(self.config.history_page).unwrap_or(100);
        let (id, fallen_range, fallen) = (conversation.clone(), range.clone(), inbox.clone());
        let task = async move {
            let result = service.history(&conversation, &range, limit).await;
            inbox
                .report(Happened::Page {
                    conversation,
                    range,
                    result,
                })
                .await;
        };
        let fallen = async move {
            let result = Err(broken("the read broke"));
            fallen
                .report(Happened::Page {
                    conversation: id,
                    range: fallen_range,
                    result,
                })
                .await;
        };
        self.supervisor.run(task, fallen);
    }

    pub(super) async fn page(
        &mut self,
        id: &ConversationId,
        range: HistoryRange,
        result: Result<HistoryPage, ServiceError>,
    ) {
        let stored = match result {
            Ok(page) => {
                let page = self.unless_again(id, &range, page);
                self.store_page(id, &range, page).await
            }
            Err(error) => Err(error),
        };
        let input = match stored {
            Ok(input) => input,
            Err(error) => SyncInput::Failed(error),
        };
        if let Some(lane) = self.lanes.get_mut(id) {
            if let SyncInput::Stored { position, .. } = &input {
                lane.position = position.clone();
            }
            lane.sync.handle(input);
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
        let position = self.moved(id, range, &page);
        let more = if backward {
            page.older.is_some()
        } else {
            page.more
        };
        let length = page.messages.len();
        let placement = if backward {
            Placement::Older
        } else {
            Placement::Newer
        };
        if planted("cursor-first") {
            let ahead = self.merge(id, Vec::new(), placement, Some(position.clone()));
            ahead.await.map_err(|error| store_failed(&error))?;
        }
        let merged = self
            .merge(id, page.messages, placement, Some(position.clone()))
            .await
            .map_err(|error| store_failed(&error))?;
        let fresh = merged.inserted.len() + merged.answers.len();
        self.after_merge(id, &merged, false);
        Ok(SyncInput::Stored {
            position,
            more,
            fresh,
            length,
        })
    }

    fn moved(&self, id: &ConversationId, range: &HistoryRange, page: &HistoryPage) -> SyncPosition {
        let before = self
            .lanes
            .get(id)
            .map(|lane| lane.position.clone())
            .unwrap_or_default();
        match range {
            HistoryRange::Newest => SyncPosition {
                newest: Some(page.newer.clone()),
                oldest: page.older.clone(),
            },
            HistoryRange::After(_) => SyncPosition {
                newest: Some(page.newer.clone()),
                oldest: before.oldest,
            },
            HistoryRange::Before(_) => SyncPosition {
                newest: before.newest,
                oldest: page.older.clone(),
            },
        }
    }

    /// Merges server rows in one transaction, together with the cursor they move.
    pub(super) async fn merge(
        &self,
        id: &ConversationId,
        messages: Vec<ServerMessage>,
        placement: Placement,
        position: Option<SyncPosition>,
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
                    now,
                };
                let merged = merge::merge(&mut editor, request, &mut || platform.mint())?;
                if let Some(position) = position
                    && editor.conversation().sync != position
                {
                    editor.conversation_mut().sync = position;
                }
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
                let more = lane.position.oldest.is_some();
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

/// What a task's panic is told as.
pub(super) fn broken(text: &str) -> ServiceError {
    ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        Outcome::Unknown,
        text,
    )
}
