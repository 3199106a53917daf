//! What a send waits for, as a plain state: told things go in, lines to print come out.

use std::collections::{BTreeMap, BTreeSet};

use tidings::domain::{
    delivery::DeliveryState,
    event::{ClientEvent, StreamPhase},
    ids::{ClientMessageId, ConversationId},
    journal::JournalEntry,
    message::Message,
    time::WallTime,
};

use super::replies;
use crate::{
    args::{Mode, Wait},
    failure::{Exit, Failure},
    feed::Told,
    output::{self, records::Record},
};

/// The messages of one run, and what is known of them.
#[derive(Debug)]
pub(super) struct Waiting {
    conversation: ConversationId,
    wait: Wait,
    mode: Mode,
    states: BTreeMap<ClientMessageId, Option<DeliveryState>>,
    order: Vec<ClientMessageId>,
    /// Answers that stream now.
    streaming: BTreeSet<ClientMessageId>,
    /// No further reply is worth waiting for.
    reply_failed: bool,
    failure: Option<Failure>,
}

impl Waiting {
    /// Waits for nothing yet.
    pub(super) fn new(conversation: ConversationId, wait: Wait, mode: Mode) -> Self {
        Self {
            conversation,
            wait,
            mode,
            states: BTreeMap::new(),
            order: Vec::new(),
            streaming: BTreeSet::new(),
            reply_failed: false,
            failure: None,
        }
    }

    /// Waits for this message too.
    pub(super) fn expect(&mut self, id: ClientMessageId) {
        self.states.entry(id).or_insert(None);
        self.order.push(id);
    }

    /// Waits for this message no longer.
    pub(super) fn forget(&mut self, id: ClientMessageId) {
        self.states.remove(&id);
        self.order.retain(|other| *other != id);
    }

    /// Notes what the run will end with; the first of a kind counts, a rejection above all.
    pub(super) fn fail(&mut self, failure: Failure) {
        let first = self.failure.as_ref();
        if first.is_none_or(|known| known.exit != Exit::Rejected && failure.exit == Exit::Rejected)
        {
            self.failure = Some(failure);
        }
    }

    /// Takes in what was told, and says what to print of it.
    pub(super) fn hear(&mut self, told: Told, now: WallTime) -> Result<Vec<Record>, Failure> {
        match told {
            Told::Delivery(entry) => self.delivery(&entry),
            Told::Event(event) => self
                .event(event, now)
                .map(|line| line.into_iter().collect()),
            Told::Timeline(..) => Ok(Vec::new()),
            Told::Failed(failure) => Err(failure),
        }
    }

    fn delivery(&mut self, entry: &JournalEntry) -> Result<Vec<Record>, Failure> {
        let Some(state) = self.states.get_mut(&entry.message) else {
            return Ok(Vec::new());
        };
        *state = Some(entry.state);
        let line = vec![Record::Delivery(entry.into())];
        let Some(reason) = &entry.reason else {
            return Ok(line);
        };
        match (entry.state, self.mode) {
            // A direct send answers for itself, with the draft.
            (_, Mode::Direct) => {}
            (DeliveryState::Failed, Mode::Durable) => self.fail(Failure::of_reason(reason)),
            // In a process that does not own the connection there is no event for it.
            (state, Mode::Durable) if state.is_pending() && reason.code == "sign_in_required" => {
                return Err(output::sign_in_required());
            }
            _ => {}
        }
        Ok(line)
    }

    fn event(&mut self, event: ClientEvent, now: WallTime) -> Result<Option<Record>, Failure> {
        match &event {
            ClientEvent::SignInRequired => return Err(output::sign_in_required()),
            ClientEvent::Stream { conversation, .. }
            | ClientEvent::Connection { conversation, .. }
            | ClientEvent::Typing { conversation, .. }
            | ClientEvent::Presence { conversation, .. }
            | ClientEvent::Receipt { conversation, .. }
            | ClientEvent::Sync { conversation, .. }
            | ClientEvent::Unknown { conversation, .. }
                if self.wait != Wait::Reply || *conversation != self.conversation =>
            {
                return Ok(None);
            }
            ClientEvent::Stream {
                id, phase, text, ..
            } => self.stream(*id, *phase, text),
            ClientEvent::Discontinuity { .. } => self.streaming.clear(),
            _ => {}
        }
        Ok(output::event(event, now))
    }

    fn stream(&mut self, id: ClientMessageId, phase: StreamPhase, text: &str) {
        match phase {
            StreamPhase::Started | StreamPhase::Delta => {
                self.streaming.insert(id);
            }
            StreamPhase::Completed | StreamPhase::Incomplete | StreamPhase::Stopped => {
                self.streaming.remove(&id);
            }
            StreamPhase::Failed => {
                self.streaming.remove(&id);
                self.reply_failed = true;
                let words = match text.trim() {
                    "" => "the service ended the answer with an error",
                    said => said,
                };
                self.fail(Failure::new(Exit::Rejected, "answer.failed", words));
            }
        }
    }

    /// Whether there is nothing left to wait for, given the conversation's rows.
    pub(super) fn is_over(&self, rows: &[Message]) -> bool {
        match self.wait {
            Wait::None => true,
            Wait::Sent => self.all_settled(),
            Wait::Reply => self.all_settled() && (self.reply_failed || self.all_answered(rows)),
        }
    }

    /// The stored answers.
    pub(super) fn answers(&self, rows: &[Message]) -> Vec<Message> {
        let found = replies::answers(rows, &self.sent());
        found.into_iter().cloned().collect()
    }

    /// How it went.
    pub(super) fn verdict(&mut self) -> Result<(), Failure> {
        self.failure.take().map_or(Ok(()), Err)
    }

    fn all_settled(&self) -> bool {
        let settled = |state: &Option<DeliveryState>| state.is_some_and(|s| !s.is_pending());
        self.states.values().all(settled)
    }

    fn all_answered(&self, rows: &[Message]) -> bool {
        let sent = self.sent();
        let found = replies::answers(rows, &sent);
        let still_streams = found.iter().any(|row| self.streaming.contains(&row.id));
        found.len() >= sent.len() && !still_streams
    }

    /// Our messages that the server has, in order.
    fn sent(&self) -> Vec<ClientMessageId> {
        let on_server = |id: &&ClientMessageId| {
            let state = self.states.get(*id).copied().flatten();
            state.is_some_and(DeliveryState::is_on_server)
        };
        self.order.iter().filter(on_server).copied().collect()
    }
}
