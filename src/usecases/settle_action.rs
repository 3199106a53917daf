//! `RetryAction` and `CancelAction`: what the user decides about an action other than a message.

use crate::{
    domain::{ids::ClientMessageId, outbox::OutboxEntry, ports::Durability, rules::act},
    error::ChatError,
    usecases::Ports,
};

/// Puts a failed action back into the queue.
#[derive(Clone, Copy, Debug)]
pub struct RetryAction {
    /// Its key.
    pub action: ClientMessageId,
}

/// Takes an action back.
#[derive(Clone, Copy, Debug)]
pub struct CancelAction {
    /// Its key.
    pub action: ClientMessageId,
}

impl RetryAction {
    /// Queues it again and wakes the outbox.
    ///
    /// # Errors
    /// `NotFound` where no such action has failed; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<OutboxEntry, ChatError> {
        let stamp = ports.stamp();
        let again = ports
            .repository
            .transact(Durability::Full, move |rows| {
                act::retry(rows, self.action, stamp.expires_at, stamp.now)
            })
            .await?;
        ports.dispatch.wake();
        again.ok_or_else(|| ChatError::NotFound("no such action has failed".to_owned()))
    }
}

impl CancelAction {
    /// Takes it back, and what it showed with it.
    ///
    /// # Errors
    /// `NotFound` where no such action waits, or it is on the wire; the store's.
    pub async fn execute(self, ports: &Ports) -> Result<OutboxEntry, ChatError> {
        let now = ports.platform.wall();
        let gone = ports
            .repository
            .transact(Durability::Full, move |rows| {
                act::cancel(rows, self.action, now)
            })
            .await?;
        ports.dispatch.wake();
        gone.ok_or_else(|| ChatError::NotFound("no such action waits off the wire".to_owned()))
    }
}
