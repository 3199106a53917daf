//! Sends over a socket whose confirmations name nobody: they are matched by their order.
//!
//! A send whose fate became known by other means, or that was given up, keeps its place: its
//! confirmation may still come, and must not be taken for that of the next send.

use std::collections::VecDeque;

use crate::domain::{ids::ClientMessageId, time::Tick};

/// A send that left over the current socket.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) id: ClientMessageId,
    pub(super) at: Tick,
    /// Whether its confirmation still tells anything.
    awaited: bool,
}

/// What was sent over the current socket and not confirmed on it, oldest first.
#[derive(Debug, Default)]
pub(super) struct Unconfirmed(VecDeque<Sent>);

impl Unconfirmed {
    pub(super) fn sent(&mut self, id: ClientMessageId, at: Tick) {
        self.0.push_back(Sent {
            id,
            at,
            awaited: true,
        });
    }

    /// The send that a confirmation speaks of; `None` where it no longer matters.
    pub(super) fn acknowledged(
        &mut self,
        named: Option<ClientMessageId>,
    ) -> Option<ClientMessageId> {
        if let Some(id) = named {
            self.0.retain(|sent| sent.id != id);
            return Some(id);
        }
        self.0
            .pop_front()
            .filter(|sent| sent.awaited)
            .map(|sent| sent.id)
    }

    /// The fate of a send is known, or it was given up.
    pub(super) fn settled(&mut self, id: ClientMessageId) {
        for sent in self.0.iter_mut().filter(|sent| sent.id == id) {
            sent.awaited = false;
        }
    }

    /// Whether this socket owes a confirmation that no longer tells anything. Until it came, what
    /// is sent over the socket might be taken for confirmed by it.
    pub(super) fn owes(&self) -> bool {
        self.0.iter().any(|sent| !sent.awaited)
    }

    /// The socket is gone: the sends whose outcome went with it.
    pub(super) fn lost(&mut self) -> Vec<ClientMessageId> {
        let gone = std::mem::take(&mut self.0);
        let gone = gone.into_iter().filter(|sent| sent.awaited);
        gone.map(|sent| sent.id).collect()
    }

    /// The oldest send that still waits for its confirmation.
    pub(super) fn oldest(&self) -> Option<&Sent> {
        self.0.iter().find(|sent| sent.awaited)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|sent| !sent.awaited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> ClientMessageId {
        ClientMessageId::from_bytes([n; 16])
    }

    fn sent(keys: &[u8]) -> Unconfirmed {
        let mut unconfirmed = Unconfirmed::default();
        for n in keys {
            unconfirmed.sent(key(*n), Tick::default());
        }
        unconfirmed
    }

    // covers: INV-03
    #[test]
    fn late_confirmation_of_a_given_up_send_is_not_the_next_ones() {
        let mut unconfirmed = sent(&[1]);
        unconfirmed.settled(key(1));
        unconfirmed.sent(key(2), Tick::default());
        assert_eq!(unconfirmed.acknowledged(None), None);
        assert_eq!(unconfirmed.acknowledged(None), Some(key(2)));
    }

    #[test]
    fn socket_owes_a_confirmation_until_it_came() {
        let mut unconfirmed = sent(&[1]);
        assert!(!unconfirmed.owes());
        unconfirmed.settled(key(1));
        assert!(unconfirmed.owes());
        unconfirmed.acknowledged(None);
        assert!(!unconfirmed.owes());
    }

    #[test]
    fn lost_socket_loses_only_what_was_still_awaited() {
        let mut unconfirmed = sent(&[1, 2]);
        unconfirmed.settled(key(1));
        assert_eq!(unconfirmed.lost(), [key(2)]);
    }
}
