//! Performing what the engines want done, until they want nothing more.

use std::time::Duration;

use super::{Driver, Happened, lane::Purpose};
use crate::{
    domain::{
        connection::ConnectionState,
        event::{ClientEvent, StreamPhase},
        ids::ConversationId,
        message::Role,
        ports::Durability,
        retry::{FailureKind, Outcome, ServiceError},
        rules::answer::{self, AnswerDraft},
    },
    engine::{
        connection::Output as ConnectionOutput,
        sync::Wanted,
        turn::{Answer, Output as TurnOutput, Turns},
    },
};

impl Driver {
    /// Drains every engine; performing one output may give another something to say.
    pub(super) async fn settle_outputs(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.outbox.poll_output() {
                quiet = false;
                self.perform_outbox(output).await;
            }
            let ids: Vec<_> = self.lanes.keys().cloned().collect();
            for id in ids {
                quiet &= !self.settle_lane(&id).await;
            }
            if quiet {
                break;
            }
        }
        self.forget_idle_lanes();
    }

    /// What a stream may still add to outlives the lane: its conversation may be opened again.
    fn forget_idle_lanes(&mut self) {
        let now = self.platform.tick();
        self.left_turns.retain(|_, turns| turns.may_go_on(now));
        let left = &mut self.left_turns;
        self.lanes.retain(|id, lane| {
            let idle = lane.is_idle();
            if idle && lane.turns.may_go_on(now) {
                let turns = std::mem::replace(&mut lane.turns, Turns::new(Duration::ZERO));
                left.insert(id.clone(), turns);
            }
            !idle
        });
    }

    /// Drains one conversation's engines; says whether there was anything.
    async fn settle_lane(&mut self, id: &ConversationId) -> bool {
        let mut any = self.settle_turns(id).await;
        while let Some(output) = self
            .lanes
            .get_mut(id)
            .and_then(|l| l.connection.poll_output())
        {
            any = true;
            self.perform_connection(id, output).await;
        }
        while let Some(output) = self
            .lanes
            .get_mut(id)
            .and_then(|lane| lane.sync.poll_output())
        {
            any = true;
            self.perform_sync(id, output).await;
        }
        self.attend(id);
        any
    }

    /// Drains one conversation's turns; says whether there was anything.
    pub(super) async fn settle_turns(&mut self, id: &ConversationId) -> bool {
        let mut any = false;
        while let Some(output) = self
            .lanes
            .get_mut(id)
            .and_then(|lane| lane.turns.poll_output())
        {
            any = true;
            self.perform_turn(id, output).await;
        }
        any
    }

    async fn perform_connection(&mut self, id: &ConversationId, output: ConnectionOutput) {
        match output {
            ConnectionOutput::Dial { generation } => self.dial(id.clone(), generation),
            ConnectionOutput::Hangup { generation } => self.hang_up(id, generation).await,
            ConnectionOutput::Probe { generation } => self.probe(id, generation),
            ConnectionOutput::Poll => self.read(id, Wanted::News, true, Purpose::Poll),
            ConnectionOutput::CatchUp => {
                self.read(id, Wanted::Complete, false, Purpose::CatchUp);
            }
            ConnectionOutput::Verify => self.verify(id.clone()),
            ConnectionOutput::Polling(true) => {
                tracing::info!(conversation = %id, "polling.started");
            }
            ConnectionOutput::Polling(false) => {
                tracing::info!(conversation = %id, "polling.stopped");
            }
            ConnectionOutput::Status(status) => {
                match status.state {
                    ConnectionState::Live => {
                        tracing::info!(conversation = %id, "ws.connected");
                        self.release_held(id).await;
                    }
                    ConnectionState::SignInRequired => self.sign_out(),
                    _ => {}
                }
                let status = self.public_status(&status);
                let conversation = id.clone();
                self.events.emit(ClientEvent::Connection {
                    conversation,
                    status,
                });
            }
        }
    }

    fn dial(&mut self, conversation: ConversationId, generation: u64) {
        tracing::info!(conversation = %conversation, "ws.connecting");
        let (service, id) = (self.service.clone(), conversation.clone());
        let deadline = self.config.dial_timeout;
        let dial = async move {
            let dial = tokio::time::timeout(deadline, service.connect(&id)).await;
            dial.unwrap_or_else(|_| {
                let text = "the socket was not open within the deadline";
                Err(ServiceError::new(
                    FailureKind::TimedOut,
                    crate::domain::retry::RetryClass::Backoff,
                    Outcome::NotApplied,
                    text,
                ))
            })
        };
        self.ask(dial, move |result| Happened::Dialled {
            conversation,
            generation,
            result,
        });
    }

    async fn hang_up(&mut self, id: &ConversationId, generation: u64) {
        let Some(lane) = self.lanes.get_mut(id) else {
            return;
        };
        let ours = |session: &mut super::lane::Session| session.generation == generation;
        let Some(session) = lane.session.take_if(ours) else {
            return;
        };
        tracing::debug!(conversation = %id, "ws.closing");
        self.see_off(session.handle);
        self.lose_unconfirmed(id).await;
    }

    fn probe(&mut self, id: &ConversationId, generation: u64) {
        let session = self.lanes.get(id).and_then(|lane| lane.session.as_ref());
        let Some(session) = session.filter(|session| session.generation == generation) else {
            return;
        };
        let session = session.handle.clone();
        // A probe that cannot leave is answered by silence.
        self.supervisor
            .run(async move { drop(session.probe().await) });
    }

    fn verify(&mut self, conversation: ConversationId) {
        let (service, id) = (self.service.clone(), conversation.clone());
        let question = async move {
            let said = service.conversation(&id).await;
            said.map(|said| said.status.is_none_or(|status| status.is_writable()))
        };
        self.ask(question, move |result| Happened::Verified {
            conversation,
            result,
        });
    }

    async fn perform_turn(&mut self, id: &ConversationId, output: TurnOutput) {
        match output {
            TurnOutput::Save(answer) => self.save(id, answer).await,
            TurnOutput::Stream {
                id: message,
                phase,
                offset,
                text,
            } => {
                if phase == StreamPhase::Completed {
                    self.note_received(id, &Role::Assistant);
                }
                let conversation = id.clone();
                self.events.emit(ClientEvent::Stream {
                    conversation,
                    id: message,
                    phase,
                    offset,
                    text,
                });
            }
            TurnOutput::Typing(active) => {
                let (conversation, user) = (id.clone(), None);
                self.events.emit(ClientEvent::Typing {
                    conversation,
                    user,
                    active,
                });
            }
            TurnOutput::ReadTail if self.is_at_rest() => {}
            TurnOutput::ReadTail => self.read(id, Wanted::News, true, Purpose::Tail),
            TurnOutput::Open(open) => self.turn_changed(id, open),
        }
    }

    async fn save(&mut self, id: &ConversationId, answer: Answer) {
        let draft = AnswerDraft {
            id: answer.id,
            conversation: id.clone(),
            answers: answer.question,
            text: answer.text,
            completeness: answer.completeness,
            now: self.platform.wall(),
        };
        let saved = self
            .repository
            .transact(Durability::Normal, move |rows| {
                answer::save_answer(rows, draft)
            })
            .await;
        if let Err(error) = saved {
            self.store_troubled(&error);
        }
    }
}
