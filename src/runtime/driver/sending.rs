//! Sending: recording the attempt, choosing the transport, and storing what became of it.

use std::time::Duration;

use super::{
    Driver, Happened,
    lane::{Held, Purpose, Wants},
    lifecycle::heads,
    performing::Listing,
};
use crate::{
    domain::{
        event::{ClientEvent, SendReceipt},
        ids::{ClientMessageId, ConversationId},
        outbox::{ActionKind, OutboxEntry, SendMode},
        ports::{Durability, Outgoing},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        rules::{
            attempt,
            merge::Placement,
            settle::{self, Settled, Settlement},
        },
    },
    engine::{
        connection::Input as ConnectionInput,
        outbox::{Input as OutboxInput, Output as OutboxOutput},
        sync::Wanted,
        turn::Input as TurnInput,
    },
};

/// A send waits this long for a socket that is nearly there.
const WAIT_FOR_SOCKET: Duration = Duration::from_secs(2);

/// A send waits this long for a first look at the history.
const WAIT_FOR_BASELINE: Duration = Duration::from_secs(10);

/// So many failures in a row are told to the app, once.
const TROUBLED_AFTER: u32 = 5;

impl Driver {
    pub(super) async fn perform_outbox(&mut self, output: OutboxOutput) {
        match output {
            OutboxOutput::Transmit(id, conversation, ActionKind::Send) => {
                self.transmit(id, conversation).await;
            }
            OutboxOutput::Transmit(id, conversation, kind) => {
                self.begin_action(id, conversation, kind).await;
            }
            OutboxOutput::Settle(id, conversation, settlement) => {
                self.settle(id, conversation, settlement).await;
            }
            OutboxOutput::Reconcile(conversation) => {
                if self.is_at_rest() {
                    let complete = false;
                    return self.tell_outbox(OutboxInput::Read {
                        conversation,
                        complete,
                    });
                }
                if let Some(creation) = self.outbox.creation_of(&conversation) {
                    return self.list_for(creation, conversation, Listing::Reconcile);
                }
                self.reconcile(&conversation).await;
            }
            OutboxOutput::Cooldown(until) => {
                self.events.emit(ClientEvent::Cooldown {
                    until,
                    scope: "send",
                });
            }
            OutboxOutput::SignInRequired => self.sign_out(),
        }
    }

    /// Looks for a message among what the server has, as far back as it may be.
    async fn reconcile(&mut self, conversation: &ConversationId) {
        let id = conversation.clone();
        let unread = self
            .repository
            .view(move |rows| attempt::left_unread(rows, &id));
        // A store that cannot answer now fails the read too.
        let wanted = match unread.await {
            Ok(true) => Wanted::Whole,
            _ => Wanted::Complete,
        };
        self.lane(conversation).await;
        self.read(conversation, wanted, true, Purpose::Reconcile);
    }

    async fn transmit(&mut self, id: ClientMessageId, conversation: ConversationId) {
        let now = self.platform.tick();
        let by_text = !self.service.capabilities().idempotent_send;
        let lane = self.lane(&conversation).await;
        // From here on, what an earlier attempt still reports is old news.
        lane.attempt += 1;
        if by_text && lane.position.newest.is_none() {
            lane.held = Some(Held {
                id,
                until: now + WAIT_FOR_BASELINE,
                wants: Wants::Baseline,
            });
            if !lane.sync.is_running() {
                self.read(&conversation, Wanted::News, true, Purpose::Baseline);
            }
            return;
        }
        self.transmit_by_best(id, conversation).await;
    }

    async fn transmit_by_best(&mut self, id: ClientMessageId, conversation: ConversationId) {
        let now = self.platform.tick();
        let lane = self.lane(&conversation).await;
        if lane.connection.is_dialling() {
            lane.held = Some(Held {
                id,
                until: now + WAIT_FOR_SOCKET,
                wants: Wants::Socket,
            });
            return;
        }
        self.attempt(id, conversation).await;
    }

    /// Sends what was held, once what it waits for has come, has failed, or took too long.
    pub(super) async fn release_held(&mut self, conversation: &ConversationId) {
        let now = self.platform.tick();
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        let Some(held) = lane.held.filter(|held| lane.releases(*held, now)) else {
            return;
        };
        lane.held = None;
        match held.wants {
            Wants::Baseline => self.transmit_by_best(held.id, conversation.clone()).await,
            Wants::Socket => self.attempt(held.id, conversation.clone()).await,
        }
    }

    async fn attempt(&mut self, id: ClientMessageId, conversation: ConversationId) {
        let (wall, wire_id) = (self.platform.wall(), self.service.prepare(id));
        let recorded = self
            .repository
            .transact(Durability::Normal, move |rows| {
                attempt::record_attempt(rows, id, wire_id, wall)
            })
            .await;
        match recorded {
            Ok(Some(outgoing)) => self.put_on_wire(conversation, outgoing),
            Ok(None) => {
                self.tell_outbox(OutboxInput::NotAttempted(id));
                self.heads_due = Some(self.platform.tick());
            }
            Err(error) => {
                // Nothing left: it is tried again when the store is looked at again.
                self.tell_outbox(OutboxInput::NotAttempted(id));
                self.store_troubled(&error);
            }
        }
    }

    fn put_on_wire(&mut self, conversation: ConversationId, outgoing: Outgoing) {
        let (now, id) = (self.platform.tick(), outgoing.id);
        let able = self.service.capabilities();
        let (over_socket, answers) = (
            able.send_over_socket,
            able.streaming || able.one_turn_at_a_time,
        );
        let Some(lane) = self.lanes.get_mut(&conversation) else {
            return;
        };
        if answers {
            lane.turns.handle(now, TurnInput::Asked(id));
        }
        let attempt = lane.attempt;
        lane.in_flight = true;
        let live = lane.connection.is_live() && over_socket && !lane.unconfirmed.owes();
        let session = lane
            .session
            .as_ref()
            .filter(|_| live)
            .map(|session| session.handle.clone());
        if session.is_some() {
            lane.unconfirmed.sent(id, now);
        }
        lane.connection.handle(now, ConnectionInput::Activity);
        let service = self.service.clone();
        let send = async move {
            match session {
                Some(session) => session.send(&outgoing).await.map(|()| None),
                None => service
                    .send(&outgoing)
                    .await
                    .map(|receipt| Some(Box::new(receipt))),
            }
        };
        self.ask(send, move |result| Happened::Attempt {
            conversation,
            id,
            attempt,
            result,
        });
    }

    /// An attempt's task ended. The failure of one that was given up says nothing of the next.
    pub(super) async fn attempt_reported(
        &mut self,
        conversation: &ConversationId,
        id: ClientMessageId,
        attempt: u64,
        result: Result<Option<Box<SendReceipt>>, ServiceError>,
    ) {
        let lane = self.lanes.get_mut(conversation);
        let current = lane.filter(|lane| lane.attempt == attempt);
        let is_current = current.map(|lane| lane.in_flight = false).is_some();
        if result.is_ok() || is_current {
            self.attempt_ended(conversation, id, result).await;
        }
    }

    pub(super) async fn attempt_ended(
        &mut self,
        conversation: &ConversationId,
        id: ClientMessageId,
        result: Result<Option<Box<SendReceipt>>, ServiceError>,
    ) {
        match result {
            // The frame left; its confirmation is an event of the session.
            Ok(None) => {}
            Ok(Some(receipt)) => self.confirmed(conversation, id, receipt).await,
            Err(error) => {
                tracing::info!(message = %id, code = error.code(), "attempt.failed");
                if let Some(lane) = self.lanes.get_mut(conversation) {
                    lane.confirm(id);
                }
                if error.outcome != Outcome::Applied {
                    self.tell_turns(conversation, TurnInput::Withdrawn(id));
                    // A turn that ended must not hold back what the outbox does next.
                    self.settle_turns(conversation).await;
                }
                self.tell_outbox(OutboxInput::Failed(id, error));
            }
        }
    }

    /// The server confirmed a send. Also where the outbox has given the attempt up meanwhile.
    pub(super) async fn confirmed(
        &mut self,
        conversation: &ConversationId,
        id: ClientMessageId,
        receipt: Box<SendReceipt>,
    ) {
        if let Some(lane) = self.lanes.get_mut(conversation) {
            lane.confirm(id);
        }
        if self.outbox.in_flight(conversation) == Some(id) {
            self.tell_outbox(OutboxInput::Applied(id, receipt));
        } else {
            self.settle(id, conversation.clone(), Settlement::Applied(*receipt))
                .await;
        }
    }

    pub(super) async fn settle(
        &mut self,
        id: ClientMessageId,
        conversation: ConversationId,
        settlement: Settlement,
    ) {
        let (now, platform) = (self.platform.wall(), self.platform.clone());
        if let Some(lane) = self.lanes.get_mut(&conversation) {
            lane.held.take_if(|held| held.id == id);
            if !matches!(settlement, Settlement::Waiting(_)) {
                lane.confirm(id);
            }
        }
        let kept = settlement.clone();
        // What others wrote before it may not be known yet: a row without a sequence of its own
        // is placed by the next read.
        let placement = Placement::Early;
        let settled = self
            .repository
            .transact(Durability::Normal, move |rows| {
                let settled = {
                    let mint = &mut || platform.mint();
                    settle::settle(rows, id, settlement, placement, now, mint)?
                };
                // What is sent next is read here, where its pages are at hand: no second call.
                Ok((settled, rows.outbox_entry(id)?, heads(rows)?))
            })
            .await;
        match settled {
            Ok((settled, entry, next)) => {
                if self
                    .settled(id, &conversation, &kept, &settled, entry)
                    .await
                {
                    self.renew_heads(Some(next)).await;
                }
            }
            Err(error) => self.store_troubled(&error),
        }
    }

    /// Tells everybody; whether the outbox is to look what it sends next.
    async fn settled(
        &mut self,
        id: ClientMessageId,
        conversation: &ConversationId,
        settlement: &Settlement,
        settled: &Settled,
        entry: Option<OutboxEntry>,
    ) -> bool {
        match settlement {
            Settlement::Done(_) => {
                tracing::info!(action = %id, "action.done");
                self.follow_creation(conversation, settled).await;
            }
            Settlement::Applied(_) => {
                tracing::info!(message = %id, "message.sent");
                self.tell_turns(conversation, TurnInput::Confirmed(id));
                self.after_merge(conversation, &settled.merged, true);
                self.place_later(conversation, settled.merged.unplaced);
            }
            // Taken back by the user meanwhile: there is nothing to restore.
            Settlement::Withdrawn if settled.draft.is_none() => {}
            Settlement::Withdrawn => {
                let conversation = conversation.clone();
                self.events
                    .emit(ClientEvent::DraftRestored { conversation, id });
            }
            Settlement::Waiting(_) => return false,
            Settlement::Parked(_) => {
                let orphan = entry.filter(|entry| entry.mode == SendMode::Direct);
                self.tell_outbox(OutboxInput::Orphans(orphan.into_iter().collect()));
            }
            _ => self.tell_turns(conversation, TurnInput::Withdrawn(id)),
        }
        if settled.failures == TROUBLED_AFTER {
            let conversation = conversation.clone();
            self.events
                .emit(ClientEvent::SendTroubled { conversation, id });
        }
        true
    }

    async fn follow_creation(&mut self, local: &ConversationId, settled: &Settled) {
        if let Some(created) = &settled.created {
            self.announce(local).await;
            self.lane(&created.id).await;
            self.after_merge(&created.id, &settled.merged, true);
        }
    }

    /// The session ended: what it did not confirm has an unknown outcome.
    pub(super) async fn lose_unconfirmed(&mut self, conversation: &ConversationId) {
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        let lost = lane.unconfirmed.lost();
        for id in lost {
            let error = ServiceError::unknown(
                FailureKind::Interrupted,
                "the socket closed before the message was confirmed",
            );
            self.attempt_ended(conversation, id, Err(error)).await;
        }
    }

    /// An error while a send is unconfirmed may speak of that send, or of an answer. Only one that
    /// says it refuses the message takes the place of its confirmation.
    pub(super) async fn rejected_by_frame(
        &mut self,
        conversation: &ConversationId,
        refused: Option<FailureKind>,
    ) {
        let Some(lane) = self.lanes.get_mut(conversation) else {
            return;
        };
        let (spoken_of, error) = match refused {
            Some(kind) => {
                let text = "the service refused the message";
                let error = ServiceError::new(kind, RetryClass::Never, Outcome::NotApplied, text);
                (lane.unconfirmed.acknowledged(None), error)
            }
            None => {
                let text = "the server answered with an error instead of a confirmation";
                let error = ServiceError::unknown(FailureKind::Unavailable, text);
                (lane.unconfirmed.oldest().map(|sent| sent.id), error)
            }
        };
        let Some(id) = spoken_of else { return };
        self.attempt_ended(conversation, id, Err(error)).await;
    }
}
