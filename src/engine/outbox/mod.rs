//! The outbox: strict order within each track of a conversation, parallel across tracks and
//! conversations.
//!
//! The engine sees the head of each track's queue, never the queue. Every kind of action goes the
//! same way; what differs is in the domain's table of kinds.
//!
//! | head | input | head after | and |
//! |---|---|---|---|
//! | queued, free to go | – | in flight | transmit |
//! | queued, turn open | – | queued | shown as `turn_open` |
//! | queued, too old | – | failed | `send.expired` |
//! | in flight | applied | sent | next head |
//! | in flight | not applied, may be retried | queued | delay, or until the server's Retry-After |
//! | in flight | not applied, never | failed | next head |
//! | in flight | unknown, or deadline | uncertain | a read of the history decides |
//! | uncertain | server knows keys, or doing it twice is doing it once | in flight | the same again |
//! | uncertain | read, found | sent | (the merge did it) |
//! | uncertain | read, absent | uncertain | wait the grace, read again |
//! | uncertain | second read, absent | queued | proved: it may be resent |
//! | uncertain | too old, or resending not ours to decide | parked | it asks the user, blocks nobody |
//!
//! A direct send makes one attempt: proved absent, its row goes and the caller gets the text; no
//! proof within the deadlines, the caller is told "unknown" and history settles it later.

mod lane;
mod policy;

pub use lane::Lane;
pub use policy::OutboxPolicy;

use std::collections::{BTreeSet, VecDeque};

use crate::{
    domain::{
        delivery::Reason,
        event::SendReceipt,
        ids::{ClientMessageId, ConversationId},
        outbox::{ActionKind, OutboxEntry, SendMode, Track},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        rules::settle::{Performed, Settlement},
        sorted_map::SortedMap,
        time::{Tick, WallTime},
    },
    engine::{draw::Draw, sooner},
};
use lane::Phase;

/// What happens to the outbox.
#[derive(Clone, Debug)]
pub enum Input {
    /// The first blocking entry of every track that has one.
    Heads(Vec<OutboxEntry>),
    /// Direct sends whose callers were told "unknown": history settles them.
    Orphans(Vec<OutboxEntry>),
    /// A merge found these on the server.
    Confirmed(Vec<ClientMessageId>),
    /// Whether a conversation's turn holds sending back.
    Turn {
        /// Which.
        conversation: ConversationId,
        /// Held back.
        open: bool,
    },
    /// The store refused to record the attempt: the entry is not to be sent any more.
    NotAttempted(ClientMessageId),
    /// The server confirmed an attempt.
    Applied(ClientMessageId, Box<SendReceipt>),
    /// The server did an action other than a message.
    Done(ClientMessageId, Performed),
    /// An attempt failed, in the way told.
    Failed(ClientMessageId, ServiceError),
    /// A reconciling read of the history, or for a creation of the listing, ended.
    Read {
        /// Of which conversation.
        conversation: ConversationId,
        /// Whether it reached the end of the history.
        complete: bool,
    },
    /// The device has a network again, or the app is back: try now.
    Encouraged,
    /// Whether sending is possible at all: owner of the store, not suspended, network not known
    /// to be down.
    Enabled(bool),
    /// Whether the token is refused.
    SignedOut(bool),
    /// A deadline may have passed.
    Tick,
}

/// What the outbox wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Record the attempt, then send; answer with the attempt's end.
    Transmit(ClientMessageId, ConversationId, ActionKind),
    /// Store what became of an entry, then load the heads again.
    Settle(ClientMessageId, ConversationId, Settlement),
    /// Read the history to its end, starting after now; for a conversation not created yet, the
    /// listing.
    Reconcile(ConversationId),
    /// The server asked for quiet until then.
    Cooldown(WallTime),
    /// The token was refused.
    SignInRequired,
}

/// The outbox of one account.
#[derive(Clone, Debug)]
pub struct Outbox {
    policy: OutboxPolicy,
    draw: Draw,
    enabled: bool,
    signed_out: bool,
    quiet_until: Option<Tick>,
    lanes: SortedMap<(ConversationId, Track), Lane>,
    /// Parked direct sends: no longer heads, still looked for.
    orphans: SortedMap<ClientMessageId, Lane>,
    /// Conversations whose turn is open.
    turns: BTreeSet<ConversationId>,
    outputs: VecDeque<Output>,
}

impl Outbox {
    /// An outbox that knows no heads yet.
    #[must_use]
    pub const fn new(policy: OutboxPolicy, seed: u64) -> Self {
        Self {
            policy,
            draw: Draw::new(seed),
            enabled: false,
            signed_out: false,
            quiet_until: None,
            lanes: SortedMap::new(),
            orphans: SortedMap::new(),
            turns: BTreeSet::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input.
    // one match
    pub fn handle(&mut self, now: Tick, wall: WallTime, input: Input) {
        match input {
            Input::Heads(heads) => self.heads(now, wall, heads),
            Input::Turn { conversation, open } => {
                if open {
                    self.turns.insert(conversation);
                } else {
                    self.turns.remove(&conversation);
                }
            }
            Input::NotAttempted(id) => self.forget(id),
            Input::Applied(id, receipt) => self.settle(id, Settlement::Applied(*receipt)),
            Input::Done(id, done) => self.settle(id, Settlement::Done(done)),
            Input::Failed(id, error) => self.failed(now, wall, id, &error),
            Input::Read {
                conversation,
                complete,
            } => self.read(now, wall, &conversation, complete),
            Input::Encouraged => self.encourage(now),
            Input::Enabled(enabled) => self.enabled = enabled,
            Input::SignedOut(signed_out) => self.signed_out = signed_out,
            Input::Orphans(entries) => self.adopt(now, wall, entries),
            Input::Confirmed(ids) => self.orphans.retain(|id, _| !ids.contains(id)),
            Input::Tick => {}
        }
        self.advance(now, wall);
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Tick> {
        let free = self.enabled && !self.signed_out;
        if !self.enabled {
            return None;
        }
        let heads = self.lanes.iter().fold(None, |soonest, ((id, _), lane)| {
            let turn = lane.head.kind().waits_for_turn() && self.turns.contains(id);
            let held = !free || turn;
            sooner(soonest, lane.timeout(held, self.quiet_until))
        });
        self.orphans.values().fold(heads, |soonest, lane| {
            sooner(soonest, lane.timeout(true, None))
        })
    }

    /// Whether anything is on the wire.
    #[must_use]
    pub fn is_transmitting(&self) -> bool {
        self.lanes
            .values()
            .any(|lane| matches!(lane.phase, Phase::InFlight { .. }))
    }

    /// Whether a queued message of this conversation is held back by a turn.
    #[must_use]
    pub fn waits_for_turn(&self, conversation: &ConversationId) -> bool {
        let queued = |lane: &Lane| {
            lane.head.kind().waits_for_turn() && matches!(lane.phase, Phase::Ready { .. })
        };
        self.turns.contains(conversation) && self.talk(conversation).is_some_and(queued)
    }

    /// The message of this conversation that is on the wire.
    #[must_use]
    pub fn in_flight(&self, conversation: &ConversationId) -> Option<ClientMessageId> {
        let lane = self.talk(conversation)?;
        let sent = lane.head.is_send() && matches!(lane.phase, Phase::InFlight { .. });
        sent.then_some(lane.head.id)
    }

    /// The creation of a conversation that does not exist yet.
    #[must_use]
    pub fn creation_of(&self, conversation: &ConversationId) -> Option<ClientMessageId> {
        let lane = self.talk(conversation)?;
        (lane.head.kind() == ActionKind::Create).then_some(lane.head.id)
    }

    /// Which attempt of an entry is on the wire.
    #[must_use]
    pub fn attempt_of(&self, id: ClientMessageId) -> Option<u32> {
        let lane = self.lanes.values().find(|lane| lane.head.id == id)?;
        lane.attempt()
    }

    /// Everything on the wire that is no message.
    #[must_use]
    pub fn actions_in_flight(&self) -> Vec<ClientMessageId> {
        let on_wire = |lane: &&Lane| matches!(lane.phase, Phase::InFlight { .. });
        let actions = self.lanes.values().filter(|lane| !lane.head.is_send());
        actions.filter(on_wire).map(|lane| lane.head.id).collect()
    }

    fn talk(&self, conversation: &ConversationId) -> Option<&Lane> {
        self.lanes.get(&(conversation.clone(), Track::Talk))
    }

    fn heads(&mut self, now: Tick, wall: WallTime, heads: Vec<OutboxEntry>) {
        let mut lanes = SortedMap::new();
        for head in heads {
            // Nothing leaves for a conversation that does not exist yet.
            if head.conversation.is_local() && head.kind() != ActionKind::Create {
                continue;
            }
            let track = (head.conversation.clone(), head.kind().track());
            let known = self.lanes.remove(&track);
            let lane = match known {
                // The store was asked before it was told.
                Some(lane) if self.is_being_settled(head.id) => lane,
                known => Lane::refreshed(known, head, now, wall),
            };
            lanes.insert(track, lane);
        }
        // An attempt whose entry is gone meanwhile is no business of ours any more.
        self.lanes = lanes;
    }

    fn is_being_settled(&self, message: ClientMessageId) -> bool {
        let settles = |output: &Output| matches!(output, Output::Settle(id, ..) if *id == message);
        self.outputs.iter().any(settles)
    }

    fn forget(&mut self, id: ClientMessageId) {
        self.lanes.retain(|_, lane| lane.head.id != id);
    }

    fn lane_of(&mut self, id: ClientMessageId) -> Option<&mut Lane> {
        let waiting = self.lanes.values_mut().chain(self.orphans.values_mut());
        waiting.into_iter().find(|lane| lane.head.id == id)
    }

    fn adopt(&mut self, now: Tick, wall: WallTime, entries: Vec<OutboxEntry>) {
        for entry in entries {
            self.orphans
                .insert(entry.id, Lane::refreshed(None, entry, now, wall));
        }
    }

    fn settle(&mut self, id: ClientMessageId, settlement: Settlement) {
        if let Some(lane) = self.lane_of(id) {
            lane.phase = Phase::Settling;
            let conversation = lane.head.conversation.clone();
            self.outputs
                .push_back(Output::Settle(id, conversation, settlement));
        }
    }

    fn failed(&mut self, now: Tick, wall: WallTime, id: ClientMessageId, error: &ServiceError) {
        let Some(lane) = self.lane_of(id) else { return };
        if !lane.takes(error.outcome) {
            return;
        }
        let (failures, attempt) = (lane.head.failures, lane.attempt());
        let (late, parked) = (attempt.is_none(), lane.head.parked);
        let durable = lane.head.mode == SendMode::Durable;
        let kind = lane.head.kind();
        let repeats = self.policy.repeats(kind);
        let reason = Reason::of(error);
        match (error.outcome, error.retry) {
            (Outcome::NotApplied, RetryClass::Never) if kind.is_met_by(&error.kind) => {
                self.settle(id, Settlement::Done(Performed::Plain));
            }
            (Outcome::Applied, _) => self.settle(id, Settlement::Applied(SendReceipt::default())),
            (Outcome::Unknown, retry) => {
                // Where a lost attempt is answered by the same key again, a hurry is a storm.
                let wait = self.policy.resend.delay(failures + 1, self.draw.jitter());
                let wait = match retry {
                    // A direct caller waits for the proof, and is told how long to wait himself.
                    RetryClass::After(quiet) => {
                        self.keep_quiet(now, wall, quiet);
                        durable.then_some(quiet)
                    }
                    _ => repeats.then_some(wait),
                };
                let next_attempt_at = wait.map(|wait| wall + wait);
                self.settle(
                    id,
                    Settlement::Lost {
                        reason,
                        next_attempt_at,
                    },
                );
            }
            // Its caller was told "unknown": the text must not go with the row.
            (Outcome::NotApplied, _) if parked => self.settle(id, Settlement::Withdrawn),
            (Outcome::NotApplied, RetryClass::Never) if !late => {
                self.settle(id, Settlement::Rejected(reason));
            }
            (Outcome::NotApplied, retry) => {
                let wait = self.wait_for(now, wall, retry, error, failures + 1);
                let max = self.policy.max_attempts;
                let spent = max > 0 && attempt.is_some_and(|attempt| attempt >= max);
                let next_attempt_at = (!spent).then(|| wall + wait);
                let settlement = if spent {
                    Settlement::Rejected(reason)
                } else {
                    Settlement::NotApplied {
                        reason,
                        next_attempt_at,
                    }
                };
                self.settle(id, settlement);
            }
        }
    }

    fn wait_for(
        &mut self,
        now: Tick,
        wall: WallTime,
        retry: RetryClass,
        error: &ServiceError,
        failures: u32,
    ) -> std::time::Duration {
        if error.kind == FailureKind::SignInRequired {
            self.signed_out = true;
            self.outputs.push_back(Output::SignInRequired);
        }
        let delay = self.policy.resend.delay(failures, self.draw.jitter());
        let quiet = match retry {
            RetryClass::After(wait) => wait,
            _ if error.kind == FailureKind::RateLimited => delay,
            _ => return delay,
        };
        self.keep_quiet(now, wall, quiet);
        quiet
    }

    /// The server asked to be left alone for so long: nothing new leaves until then.
    fn keep_quiet(&mut self, now: Tick, wall: WallTime, quiet: std::time::Duration) {
        self.quiet_until = self.quiet_until.max(Some(now + quiet));
        self.outputs.push_back(Output::Cooldown(wall + quiet));
    }

    fn read(&mut self, now: Tick, wall: WallTime, conversation: &ConversationId, complete: bool) {
        let (policy, jitter) = (self.policy, self.draw.jitter());
        let lanes = self.lanes.values_mut().chain(self.orphans.values_mut());
        let concerned = lanes.filter(|lane| lane.head.conversation == *conversation);
        let ended: Vec<_> = concerned
            .filter_map(|lane| {
                let settlement = lane.read(now, wall, complete, &policy, jitter)?;
                Some((lane.head.id, settlement))
            })
            .collect();
        for (id, settlement) in ended {
            self.settle(id, settlement);
            self.orphans.remove(&id);
        }
    }

    fn encourage(&mut self, now: Tick) {
        for lane in self.lanes.values_mut() {
            lane.hurry(now);
        }
    }

    fn advance(&mut self, now: Tick, wall: WallTime) {
        if !self.enabled {
            return;
        }
        let quiet = self.quiet_until.filter(|until| now < *until);
        let quiet = quiet.map(|until| until.since(now));
        let policy = self.policy;
        for ((id, _), lane) in self.lanes.iter_mut() {
            let gate = lane::Gate {
                quiet,
                signed_out: self.signed_out,
                turn_open: lane.head.kind().waits_for_turn() && self.turns.contains(id),
            };
            lane.advance(now, wall, gate, &policy, &mut self.outputs);
        }
        let gate = lane::Gate {
            quiet: None,
            signed_out: self.signed_out,
            turn_open: false,
        };
        for lane in self.orphans.values_mut() {
            lane.advance(now, wall, gate, &policy, &mut self.outputs);
        }
    }
}

#[cfg(test)]
mod tests;
