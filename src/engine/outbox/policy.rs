//! The timings of the outbox, and what the backend allows it.

use std::time::Duration;

use crate::domain::{outbox::ActionKind, plant::planted, retry::BackoffPolicy};

/// The timings of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxPolicy {
    /// Deadline of one attempt.
    pub attempt_timeout: Duration,
    /// Resend delays.
    pub resend: BackoffPolicy,
    /// Attempts before a message fails; zero for no limit.
    pub max_attempts: u32,
    /// Time between the two reads that prove absence.
    pub grace: Duration,
    /// How long a direct caller waits for proof after its attempt became uncertain.
    pub direct_patience: Duration,
    /// The server recognises a repeated key.
    pub idempotent: bool,
    /// The server recognises a creation's repeated key.
    pub idempotent_create: bool,
    /// A message proved absent may be resent without asking the user.
    pub auto_resend: bool,
}

impl OutboxPolicy {
    /// Whether an action of unknown outcome is simply done again: the server recognises the key,
    /// or doing it twice is doing it once.
    #[must_use]
    pub fn repeats(&self, kind: ActionKind) -> bool {
        match kind {
            ActionKind::Send => self.idempotent,
            ActionKind::Create => self.idempotent_create || planted("create-again"),
            _ => true,
        }
    }
}
