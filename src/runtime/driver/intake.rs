//! What the tasks report, fed to the engines.

use tokio::sync::mpsc;

use super::{
    BURST, Driver, Happened, STORE_SETTLES,
    lane::{Lane, Purpose, Session},
};
use crate::{
    domain::{
        conversation::ServerConversation,
        event::{ClientEvent, CloseReason, SessionEvent},
        ids::ConversationId,
        message::ServerMessage,
        ports::{Durability, RealtimeSession},
        retry::ServiceError,
        rules::{conversations, merge::Placement, reading},
    },
    engine::{
        connection::Input as ConnectionInput, outbox::Input as OutboxInput, sync::Wanted,
        turn::Input as TurnInput,
    },
};

impl Driver {
    /// Takes a report, and with it those that wait already, so that a burst is stored as one.
    pub(super) async fn happened(
        &mut self,
        first: Happened,
        reports: &mut mpsc::Receiver<Happened>,
    ) {
        let mut next = Some(first);
        let mut pushed: Option<(ConversationId, Vec<ServerMessage>)> = None;
        for _ in 0..BURST {
            let Some(happened) = next.take().or_else(|| reports.try_recv().ok()) else {
                break;
            };
            match self.as_push(happened) {
                Ok((id, message)) => match &mut pushed {
                    Some((to, messages)) if *to == id => messages.push(message),
                    _ => {
                        self.store_pushed(pushed.replace((id, vec![message]))).await;
                    }
                },
                Err(other) => {
                    self.store_pushed(pushed.take()).await;
                    self.report(other).await;
                    // Everything else may ask for something: that comes first.
                    break;
                }
            }
        }
        self.store_pushed(pushed).await;
    }

    /// A pushed message of the current session, to be stored together with its neighbours.
    fn as_push(&mut self, happened: Happened) -> Result<(ConversationId, ServerMessage), Happened> {
        match happened {
            Happened::Session {
                conversation,
                generation,
                event: SessionEvent::Message(message),
            } if self.is_current(&conversation, generation) => {
                self.tell_connection(&conversation, ConnectionInput::Heard { generation });
                Ok((conversation, message))
            }
            other => Err(other),
        }
    }

    async fn store_pushed(&mut self, pushed: Option<(ConversationId, Vec<ServerMessage>)>) {
        let Some((id, messages)) = pushed else { return };
        let placement = self.push_placement(&id);
        match self.merge(&id, messages, placement).await {
            Ok(merged) => {
                self.after_merge(&id, &merged, true);
                self.place_later(&id, merged.unplaced);
            }
            Err(error) => {
                self.store_troubled(&error);
                self.tell_connection(&id, ConnectionInput::Undecodable);
            }
        }
    }

    /// While history is being read a push may be ahead of rows that the answer does not hold yet.
    fn push_placement(&self, id: &ConversationId) -> Placement {
        match self.lanes.get(id) {
            Some(lane) if lane.sync.is_running() => Placement::Early,
            _ => Placement::Live,
        }
    }

    /// What has no place yet gets it by a read that starts after it came.
    pub(super) fn place_later(&mut self, id: &ConversationId, unplaced: bool) {
        if unplaced && !self.is_at_rest() {
            self.read(id, Wanted::News, true, Purpose::Tail);
        }
    }

    fn is_current(&self, id: &ConversationId, generation: u64) -> bool {
        let session = self.lanes.get(id).and_then(|lane| lane.session.as_ref());
        session.is_some_and(|session| session.generation == generation)
    }

    async fn report(&mut self, happened: Happened) {
        match happened {
            Happened::Dialled {
                conversation,
                generation,
                result,
            } => {
                self.dialled(&conversation, generation, result).await;
            }
            Happened::Session {
                conversation,
                generation,
                event,
            } => {
                if self.is_current(&conversation, generation) {
                    self.session_event(&conversation, generation, event).await;
                }
            }
            Happened::Page(fetched) => {
                let conversation = fetched.conversation.clone();
                self.page(*fetched).await;
                self.release_held(&conversation).await;
            }
            Happened::Verified {
                conversation,
                result,
            } => {
                self.tell_connection(&conversation, ConnectionInput::Verified(result));
            }
            Happened::Attempt {
                conversation,
                id,
                attempt,
                result,
            } => {
                self.attempt_reported(&conversation, id, attempt, result)
                    .await;
            }
            Happened::Acted {
                conversation,
                id,
                attempt,
                result,
            } => self.acted(conversation, id, attempt, *result).await,
            Happened::Listed {
                id,
                conversation,
                why,
                result,
            } => self.listed(id, conversation, why, result).await,
            Happened::BecameOwner => self.own().await,
            Happened::StoreChanged => {
                self.follow_salvage().await;
                let due = self.platform.tick() + STORE_SETTLES;
                self.heads_due = Some(self.heads_due.map_or(due, |planned| planned.min(due)));
            }
        }
    }

    async fn dialled(
        &mut self,
        id: &ConversationId,
        generation: u64,
        result: Result<std::sync::Arc<dyn RealtimeSession>, ServiceError>,
    ) {
        let ready_frame = self.service.capabilities().ready_frame;
        match result {
            Ok(handle) => {
                let awaited = |lane: &&mut Lane| lane.connection.awaits(generation);
                let Some(lane) = self.lanes.get_mut(id).filter(awaited) else {
                    // The dial was given up meanwhile; the socket of a newer one stays.
                    return self.see_off(handle);
                };
                lane.session = Some(Session {
                    generation,
                    handle: handle.clone(),
                });
                self.listen(id.clone(), generation, handle);
                let input = ConnectionInput::Dialled {
                    generation,
                    ready_frame,
                };
                self.tell_connection(id, input);
            }
            Err(error) => {
                let (code, status) = (error.code(), error.status);
                tracing::info!(conversation = %id, code, status, "ws.failed");
                self.tell_connection(id, ConnectionInput::DialFailed { generation, error });
                self.release_held(id).await;
            }
        }
    }

    // one match
    async fn session_event(&mut self, id: &ConversationId, generation: u64, event: SessionEvent) {
        self.tell_connection(id, ConnectionInput::Heard { generation });
        let conversation = id.clone();
        match event {
            SessionEvent::Ready => {
                self.tell_connection(id, ConnectionInput::Ready { generation });
                self.tell_turns(id, TurnInput::Missed);
            }
            SessionEvent::Alive => {}
            SessionEvent::Acknowledged { client_id, receipt } => {
                let lane = self.lanes.get_mut(id);
                let spoken_of = lane.and_then(|lane| lane.unconfirmed.acknowledged(client_id));
                if let Some(message) = spoken_of {
                    self.confirmed(id, message, Box::new(receipt)).await;
                }
            }
            SessionEvent::AnswerDelta { text } => {
                let fresh = self.platform.mint();
                self.tell_turns(id, TurnInput::Delta { text, fresh });
            }
            SessionEvent::AnswerCompleted { stopped } => {
                self.tell_turns(id, TurnInput::Completed { stopped });
            }
            SessionEvent::Message(_) => {}
            SessionEvent::Failed {
                code,
                text,
                refused,
            } => {
                tracing::info!(conversation = %id, code, "turn.failed");
                self.tell_turns(id, TurnInput::Failed { text });
                self.rejected_by_frame(id, refused).await;
            }
            SessionEvent::Typing { user, active } => {
                let user = Some(user);
                self.events.emit(ClientEvent::Typing {
                    conversation,
                    user,
                    active,
                });
            }
            SessionEvent::Presence {
                user,
                online,
                last_seen,
            } => {
                self.events.emit(ClientEvent::Presence {
                    conversation,
                    user,
                    online,
                    last_seen,
                });
            }
            SessionEvent::Receipt { user, up_to, read } => {
                self.events.emit(ClientEvent::Receipt {
                    conversation,
                    user,
                    up_to,
                    read,
                });
            }
            SessionEvent::ReadMarker { up_to } => self.read_elsewhere(conversation, up_to).await,
            SessionEvent::Conversation(said) => self.retold(id, *said).await,
            SessionEvent::Unknown { name } => {
                self.events
                    .emit(ClientEvent::Unknown { conversation, name });
            }
            SessionEvent::Undecodable => {
                tracing::info!(conversation = %id, "ws.undecodable");
                self.tell_connection(id, ConnectionInput::Undecodable);
                self.tell_turns(id, TurnInput::Missed);
            }
            SessionEvent::Closed(reason) => self.session_closed(id, generation, reason).await,
        }
    }

    async fn read_elsewhere(&mut self, id: ConversationId, up_to: crate::domain::ids::MessageId) {
        let marked = self
            .repository
            .transact(Durability::Normal, move |rows| {
                reading::mark_read(rows, &id, Some(&up_to)).map(drop)
            })
            .await;
        if let Err(error) = marked {
            self.store_troubled(&error);
        }
    }

    /// A session tells of its own conversation only.
    async fn retold(&mut self, id: &ConversationId, said: ServerConversation) {
        if said.id != *id {
            return;
        }
        let now = self.platform.wall();
        let stored = self
            .repository
            .transact(Durability::Normal, move |rows| {
                conversations::upsert(rows, said, now).map(drop)
            })
            .await;
        if let Err(error) = stored {
            self.store_troubled(&error);
        }
    }

    async fn session_closed(&mut self, id: &ConversationId, generation: u64, reason: CloseReason) {
        tracing::info!(conversation = %id, reason = ?reason, "ws.failed");
        if let Some(lane) = self.lanes.get_mut(id) {
            lane.session = None;
        }
        self.tell_connection(id, ConnectionInput::SocketClosed { generation, reason });
        self.lose_unconfirmed(id).await;
        self.release_held(id).await;
    }

    /// Reads a session's events in a task of its own, which does nothing else: so pongs leave.
    fn listen(
        &mut self,
        conversation: ConversationId,
        generation: u64,
        session: std::sync::Arc<dyn RealtimeSession>,
    ) {
        let inbox = self.inbox.clone();
        let (id, fallen) = (conversation.clone(), inbox.clone());
        let task = async move {
            loop {
                let event = session.next_event().await;
                let over = matches!(event, SessionEvent::Closed(_));
                let conversation = conversation.clone();
                inbox
                    .report(Happened::Session {
                        conversation,
                        generation,
                        event,
                    })
                    .await;
                if over {
                    break;
                }
            }
        };
        let fallen = async move {
            let event = SessionEvent::Closed(CloseReason::Violation);
            fallen
                .report(Happened::Session {
                    conversation: id,
                    generation,
                    event,
                })
                .await;
        };
        self.supervisor.run_or(task, fallen);
    }

    pub(super) fn turn_changed(&mut self, id: &ConversationId, open: bool) {
        if !self.service.capabilities().one_turn_at_a_time {
            return;
        }
        self.tell_outbox(OutboxInput::Turn {
            conversation: id.clone(),
            open,
        });
    }
}
