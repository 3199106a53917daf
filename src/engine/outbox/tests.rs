//! Every row of the outbox's table, on hand-moved clocks, over a store of a few lines.

mod holding;
mod outcomes;
mod uncertain;

use std::time::Duration;

use super::{Input, Outbox, OutboxPolicy, Output};
use crate::domain::{
    delivery::{DeliveryEvent, DeliveryState},
    ids::{ClientMessageId, ConversationId},
    outbox::{Action, OutboxEntry, SendMode},
    retry::{BackoffPolicy, FailureKind, Outcome, RetryClass, ServiceError},
    rules::settle::Settlement,
    time::{Tick, WallTime},
};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const EPOCH: WallTime = WallTime::from_millis(1_800_000_000_000);

const WEEK: Duration = secs(7 * 24 * 3600);

const fn policy() -> OutboxPolicy {
    OutboxPolicy {
        attempt_timeout: secs(30),
        resend: BackoffPolicy {
            base: secs(2),
            max: secs(60),
        },
        max_attempts: 0,
        grace: secs(10),
        direct_patience: secs(40),
        idempotent: false,
        idempotent_create: false,
        auto_resend: true,
    }
}

fn key(n: u32) -> ClientMessageId {
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&n.to_be_bytes());
    ClientMessageId::mint(EPOCH, entropy)
}

fn chat(name: &str) -> ConversationId {
    ConversationId::parse(name).expect("a name")
}

/// An outbox, its clock, and a store that does what the settlements say.
struct Post {
    outbox: Outbox,
    now: Duration,
    entries: Vec<OutboxEntry>,
    sent: Vec<(Duration, u32)>,
    settled: Vec<(Duration, u32, Settlement)>,
    reads: Vec<Duration>,
    told: Vec<Output>,
}

impl Post {
    fn new(policy: OutboxPolicy) -> Self {
        let mut post = Self {
            outbox: Outbox::new(policy, 11),
            now: Duration::ZERO,
            entries: Vec::new(),
            sent: Vec::new(),
            settled: Vec::new(),
            reads: Vec::new(),
            told: Vec::new(),
        };
        post.tell(Input::Enabled(true));
        post
    }

    /// One durable message on its way.
    fn sending(policy: OutboxPolicy) -> Self {
        let mut post = Self::new(policy);
        post.accept(1, "a", SendMode::Durable);
        assert_eq!(post.sent, [(Duration::ZERO, 1)]);
        post
    }

    fn wall(&self) -> WallTime {
        EPOCH + self.now
    }

    fn accept(&mut self, n: u32, conversation: &str, mode: SendMode) {
        self.entries.push(OutboxEntry {
            id: key(n),
            conversation: chat(conversation),
            action: Action::Send {
                text: format!("text {n}"),
            },
            mode,
            state: DeliveryState::Queued,
            order: i64::from(n),
            attempt: 0,
            failures: 0,
            accepted_at: self.wall(),
            expires_at: self.wall() + WEEK,
            next_attempt_at: None,
            reason: None,
            wire_id: None,
            parked: false,
        });
        self.load();
    }

    fn load(&mut self) {
        let mut heads: Vec<OutboxEntry> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.blocks()) {
            if !heads
                .iter()
                .any(|head| head.conversation == entry.conversation)
            {
                heads.push(entry.clone());
            }
        }
        self.tell(Input::Heads(heads));
    }

    fn tell(&mut self, input: Input) {
        let (now, wall) = (Tick::from_start(self.now), self.wall());
        self.outbox.handle(now, wall, input);
        while let Some(output) = self.outbox.poll_output() {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Transmit(id, ..) => {
                let entry = self.entry_mut(id);
                let event = match entry.state {
                    DeliveryState::Uncertain => DeliveryEvent::TransmitAgain,
                    _ => DeliveryEvent::Transmit,
                };
                entry.state = entry.state.after(event).expect("a legal step");
                entry.attempt += 1;
                let n = number(id);
                self.sent.push((self.now, n));
            }
            Output::Settle(id, _, settlement) => {
                self.settled
                    .push((self.now, number(id), settlement.clone()));
                if !matches!(settlement, Settlement::Waiting(_)) {
                    self.settle(id, &settlement);
                    self.load();
                }
            }
            Output::Reconcile(_) => self.reads.push(self.now),
            other => self.told.push(other),
        }
    }

    fn settle(&mut self, id: ClientMessageId, settlement: &Settlement) {
        let gone = |mode| mode == SendMode::Direct;
        let Some(at) = self.entries.iter().position(|entry| entry.id == id) else {
            return;
        };
        let entry = &mut self.entries[at];
        let mut step = |event| entry.state = entry.state.after(event).expect("a legal step");
        match settlement {
            Settlement::Lost {
                next_attempt_at, ..
            } => {
                step(DeliveryEvent::Lost);
                entry.next_attempt_at = *next_attempt_at;
            }
            Settlement::NotApplied {
                next_attempt_at, ..
            } if !gone(entry.mode) => {
                step(DeliveryEvent::ProvedNotApplied);
                entry.next_attempt_at = *next_attempt_at;
            }
            Settlement::Rejected(_) if !gone(entry.mode) => step(DeliveryEvent::Rejected),
            Settlement::Expired(_) if !gone(entry.mode) => step(DeliveryEvent::Expired),
            Settlement::Parked(_) => entry.parked = true,
            _ => {
                self.entries.remove(at);
                return;
            }
        }
        entry.failures += 1;
    }

    fn entry_mut(&mut self, id: ClientMessageId) -> &mut OutboxEntry {
        let found = self.entries.iter_mut().find(|entry| entry.id == id);
        found.expect("an entry")
    }

    fn state(&self, n: u32) -> Option<DeliveryState> {
        let found = self.entries.iter().find(|entry| entry.id == key(n));
        found.map(|entry| entry.state)
    }

    fn fail(&mut self, n: u32, kind: FailureKind, retry: RetryClass, outcome: Outcome) {
        let error = ServiceError::new(kind, retry, outcome, "it failed");
        self.tell(Input::Failed(key(n), error));
    }

    fn unreachable(&mut self, n: u32) {
        let (retry, outcome) = (RetryClass::Backoff, Outcome::NotApplied);
        self.fail(n, FailureKind::Unreachable, retry, outcome);
    }

    fn lose(&mut self, n: u32) {
        let (retry, outcome) = (RetryClass::Backoff, Outcome::Unknown);
        self.fail(n, FailureKind::TimedOut, retry, outcome);
    }

    fn applied(&mut self, n: u32) {
        self.tell(Input::Applied(key(n), Box::default()));
    }

    fn read(&mut self, conversation: &str, complete: bool) {
        let conversation = chat(conversation);
        self.tell(Input::Read {
            conversation,
            complete,
        });
    }

    fn turn(&mut self, conversation: &str, open: bool) {
        let conversation = chat(conversation);
        self.tell(Input::Turn { conversation, open });
    }

    /// Lets time pass; every deadline on the way is kept.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        let mut at_once = 0;
        while let Some(due) = self.outbox.poll_timeout() {
            if due.since_start() > end {
                break;
            }
            at_once = if due.since_start() > self.now {
                0
            } else {
                at_once + 1
            };
            assert!(
                at_once < 10,
                "a deadline that passes and stays: {:?}",
                self.outbox
            );
            self.now = self.now.max(due.since_start());
            self.tell(Input::Tick);
        }
        self.now = end;
    }

    /// Lets time pass until something leaves; when it did.
    fn until_sent(&mut self) -> Duration {
        let before = self.sent.len();
        while self.sent.len() == before {
            let due = self.outbox.poll_timeout().expect("a deadline");
            self.wait(due.since_start().saturating_sub(self.now));
        }
        self.now
    }

    fn order(&self) -> Vec<u32> {
        self.sent.iter().map(|(_, n)| *n).collect()
    }

    fn last(&self) -> &Settlement {
        &self.settled.last().expect("something was settled").2
    }
}

fn number(id: ClientMessageId) -> u32 {
    (0..1_000).find(|n| key(*n) == id).expect("a number")
}

fn code(settlement: &Settlement) -> &str {
    match settlement {
        Settlement::Rejected(reason)
        | Settlement::Expired(reason)
        | Settlement::Parked(reason)
        | Settlement::Waiting(reason)
        | Settlement::Lost { reason, .. }
        | Settlement::NotApplied { reason, .. } => &reason.code,
        Settlement::Applied(_) | Settlement::Done(_) | Settlement::Withdrawn => "",
    }
}
