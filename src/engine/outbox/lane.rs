//! The head of one track's queue.

use std::{collections::VecDeque, time::Duration};

use super::{OutboxPolicy, Output};
use crate::domain::{
    delivery::{DeliveryState, Reason},
    event::SendReceipt,
    outbox::{ActionKind, OutboxEntry, SendMode},
    plant::planted,
    retry::Outcome,
    rules::settle::Settlement,
    time::{Tick, WallTime},
};

/// A planned wait longer than this is the wall clock's fault, not the plan's.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The head of one track's queue, and where it stands.
#[derive(Clone, Debug)]
pub struct Lane {
    pub(super) head: OutboxEntry,
    pub(super) phase: Phase,
    told_turn_open: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Queued; not before `due`.
    Ready { due: Tick },
    /// On the wire.
    InFlight {
        deadline: Tick,
        /// Which attempt it is; the head as loaded may not count it yet.
        attempt: u32,
    },
    /// The store has the last word; the next heads tell it.
    Settling,
    /// Stored as on the wire, yet nothing of ours is: a settlement could not be stored.
    Stranded,
    /// Uncertain: looking for it on the server.
    Uncertain {
        since: Tick,
        absent: u32,
        step: Step,
    },
}

/// Where a reconciliation stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Read no sooner than this.
    Due(Tick),
    /// A read is under way.
    Reading,
}

/// What holds a queued head back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    /// For so long yet: the server asked to wait.
    pub(super) quiet: Option<Duration>,
    pub(super) signed_out: bool,
    pub(super) turn_open: bool,
}

impl Lane {
    /// The lane for a head just loaded, going on from what was known of it.
    pub(super) fn refreshed(
        known: Option<Self>,
        head: OutboxEntry,
        now: Tick,
        wall: WallTime,
    ) -> Self {
        match known {
            Some(lane) if lane.head.id == head.id && lane.goes_on(&head) => Self { head, ..lane },
            known => {
                let told_turn_open =
                    known.is_some_and(|lane| lane.head.id == head.id && lane.told_turn_open);
                let phase = Phase::of(&head, now, wall);
                Self {
                    head,
                    phase,
                    told_turn_open,
                }
            }
        }
    }

    /// Whether what was known still holds for the head as stored.
    fn goes_on(&self, stored: &OutboxEntry) -> bool {
        match self.phase {
            Phase::InFlight { .. } => {
                matches!(stored.state, DeliveryState::Sending | DeliveryState::Queued)
            }
            Phase::Uncertain { .. } => stored.state == DeliveryState::Uncertain,
            Phase::Ready { .. } => {
                stored.state == DeliveryState::Queued
                    && stored.next_attempt_at == self.head.next_attempt_at
            }
            // A settlement that the store has not taken yet shows the entry as it was before.
            Phase::Settling | Phase::Stranded => false,
        }
    }

    /// The attempt on the wire.
    pub(super) const fn attempt(&self) -> Option<u32> {
        match self.phase {
            Phase::InFlight { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    /// Whether an attempt's end still says something: of an uncertain one only proof does.
    pub(super) const fn takes(&self, outcome: Outcome) -> bool {
        match self.phase {
            Phase::InFlight { .. } => true,
            Phase::Uncertain { .. } => !matches!(outcome, Outcome::Unknown),
            _ => matches!(outcome, Outcome::Applied),
        }
    }

    fn given_up(&self) -> bool {
        planted("never-again") && self.head.failures > 0
    }

    pub(super) fn timeout(&self, held: bool, quiet_until: Option<Tick>) -> Option<Tick> {
        match &self.phase {
            Phase::InFlight { deadline, .. } => Some(*deadline),
            Phase::Ready { due } if !held && !self.given_up() => {
                Some((*due).max(quiet_until.unwrap_or_default()))
            }
            Phase::Uncertain {
                step: Step::Due(due),
                ..
            } => Some(*due),
            _ => None,
        }
    }

    pub(super) fn hurry(&mut self, now: Tick) {
        match &mut self.phase {
            Phase::Ready { due } => *due = (*due).min(now),
            // The grace between two reads is proof, not delay: only a failed read is repeated.
            Phase::Uncertain {
                absent: 0,
                step: Step::Due(due),
                ..
            } => *due = (*due).min(now),
            _ => {}
        }
    }

    pub(super) fn advance(
        &mut self,
        now: Tick,
        wall: WallTime,
        gate: Gate,
        policy: &OutboxPolicy,
        outputs: &mut VecDeque<Output>,
    ) {
        match self.phase {
            Phase::Ready { due } => self.advance_queued(now, wall, due, gate, policy, outputs),
            Phase::InFlight { deadline, .. } if now >= deadline => {
                if planted("sent-on-timeout") {
                    return self.settle(Settlement::Applied(SendReceipt::default()), outputs);
                }
                let text = "no confirmation came within the deadline";
                let reason = Reason::new("network.timeout", true, text);
                self.settle(
                    Settlement::Lost {
                        reason,
                        next_attempt_at: None,
                    },
                    outputs,
                );
            }
            Phase::Stranded => {
                let text = "its end could not be stored";
                let reason = Reason::new("send.interrupted", true, text);
                self.settle(
                    Settlement::Lost {
                        reason,
                        next_attempt_at: None,
                    },
                    outputs,
                );
            }
            Phase::Uncertain {
                step: Step::Due(due),
                ..
            } if now >= due => {
                self.advance_uncertain(now, wall, policy, outputs);
            }
            _ => {}
        }
    }

    fn advance_queued(
        &mut self,
        now: Tick,
        wall: WallTime,
        due: Tick,
        gate: Gate,
        policy: &OutboxPolicy,
        outputs: &mut VecDeque<Output>,
    ) {
        if wall >= self.head.expires_at {
            let text = "it grew too old before it could be sent";
            let reason = Reason::new("send.expired", true, text);
            return self.settle(Settlement::Expired(reason), outputs);
        }
        let direct = self.head.mode == SendMode::Direct;
        if gate.turn_open && direct {
            return self.tell_turn_open(outputs);
        }
        if let Some(wait) = gate.quiet
            && direct
        {
            let mut reason = Reason::new("rate_limited", true, "the server asked to wait");
            reason.retry_after_ms = u64::try_from(wait.as_millis()).ok();
            return self.settle(Settlement::Rejected(reason), outputs);
        }
        if gate.signed_out && direct {
            let reason = Reason::new("sign_in_required", true, "the session has ended");
            return self.settle(Settlement::Rejected(reason), outputs);
        }
        if gate.quiet.is_some() || gate.signed_out || now < due || self.given_up() {
            return;
        }
        if gate.turn_open {
            return self.tell_turn_open(outputs);
        }
        self.phase = Phase::InFlight {
            deadline: now + policy.attempt_timeout,
            attempt: self.head.attempt + 1,
        };
        let (id, conversation) = (self.head.id, self.head.conversation.clone());
        outputs.push_back(Output::Transmit(id, conversation, self.head.kind()));
    }

    /// A direct send does not wait for a turn; a durable one says once why it waits.
    fn tell_turn_open(&mut self, outputs: &mut VecDeque<Output>) {
        let reason = Reason::new(
            "turn_open",
            true,
            "the answer to the message before is under way",
        );
        let (id, conversation) = (self.head.id, self.head.conversation.clone());
        if self.head.mode == SendMode::Direct {
            return self.settle(Settlement::Rejected(reason), outputs);
        }
        if !std::mem::replace(&mut self.told_turn_open, true) {
            outputs.push_back(Output::Settle(
                id,
                conversation,
                Settlement::Waiting(reason),
            ));
        }
    }

    fn advance_uncertain(
        &mut self,
        now: Tick,
        wall: WallTime,
        policy: &OutboxPolicy,
        outputs: &mut VecDeque<Output>,
    ) {
        let Phase::Uncertain { since, absent, .. } = self.phase else {
            return;
        };
        let impatient = now.since(since) >= policy.direct_patience;
        if self.head.mode == SendMode::Direct && !self.head.parked && impatient {
            let text = "nobody knows whether it arrived; the history will tell";
            let reason = Reason::new("send.outcome_unknown", true, text);
            return self.settle(Settlement::Parked(reason), outputs);
        }
        // What waits in a conversation waits for its creation: that one is found out, however old.
        let asks = self.head.kind() != ActionKind::Create;
        if asks && self.head.mode == SendMode::Durable && wall >= self.head.expires_at {
            let text = "it is too old to be resent and nobody knows whether it arrived";
            let reason = Reason::new("send.outcome_unknown", true, text);
            return self.settle(Settlement::Parked(reason), outputs);
        }
        let (id, conversation) = (self.head.id, self.head.conversation.clone());
        let by_key = policy.repeats(self.head.kind()) || planted("plain-resend");
        if by_key && self.head.mode == SendMode::Durable {
            self.phase = Phase::InFlight {
                deadline: now + policy.attempt_timeout,
                attempt: self.head.attempt + 1,
            };
            return outputs.push_back(Output::Transmit(id, conversation, self.head.kind()));
        }
        self.phase = Phase::Uncertain {
            since,
            absent,
            step: Step::Reading,
        };
        outputs.push_back(Output::Reconcile(conversation));
    }

    /// A reconciling read ended and the head is still uncertain: it was not found.
    pub(super) fn read(
        &mut self,
        now: Tick,
        wall: WallTime,
        complete: bool,
        policy: &OutboxPolicy,
        jitter: u32,
    ) -> Option<Settlement> {
        let Phase::Uncertain {
            since,
            absent,
            step: Step::Reading,
        } = self.phase
        else {
            return None;
        };
        let (absent, due) = match (complete, absent) {
            (false, _) => (absent, now + policy.resend.delay(2, jitter)),
            (true, 0) => (1, now + policy.grace),
            (true, _) => return Some(self.proved_absent(wall, policy)),
        };
        self.phase = Phase::Uncertain {
            since,
            absent,
            step: Step::Due(due),
        };
        None
    }

    fn proved_absent(&self, wall: WallTime, policy: &OutboxPolicy) -> Settlement {
        let text = "two reads showed that it never arrived";
        let reason = self.head.reason.clone();
        let reason = reason.unwrap_or_else(|| Reason::new("network.unreachable", true, text));
        match self.head.mode {
            SendMode::Direct if self.head.parked => Settlement::Withdrawn,
            SendMode::Direct => Settlement::NotApplied {
                reason,
                next_attempt_at: None,
            },
            SendMode::Durable if !policy.auto_resend && self.head.is_send() => {
                Settlement::Parked(reason)
            }
            SendMode::Durable => Settlement::NotApplied {
                reason,
                next_attempt_at: Some(wall),
            },
        }
    }

    fn settle(&mut self, settlement: Settlement, outputs: &mut VecDeque<Output>) {
        self.phase = Phase::Settling;
        let (id, conversation) = (self.head.id, self.head.conversation.clone());
        outputs.push_back(Output::Settle(id, conversation, settlement));
    }
}

impl Phase {
    fn of(head: &OutboxEntry, now: Tick, wall: WallTime) -> Self {
        match head.state {
            DeliveryState::Queued => {
                let planned = head
                    .next_attempt_at
                    .map_or(Duration::ZERO, |at| wall.until(at));
                Self::Ready {
                    due: now + planned.min(LONGEST_WAIT),
                }
            }
            DeliveryState::Uncertain => {
                let planned = head
                    .next_attempt_at
                    .map_or(Duration::ZERO, |at| wall.until(at));
                let due = now + planned.min(LONGEST_WAIT);
                Self::Uncertain {
                    since: now,
                    absent: 0,
                    step: Step::Due(due),
                }
            }
            _ => Self::Stranded,
        }
    }
}
