//! Which of the server's two versions is spoken to, and how that is learned.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::domain::capabilities::{Capabilities, ServerOrder, SessionScope};

/// The longest text the server takes, in Unicode scalars.
pub(super) const MAX_TEXT: usize = 5_000;

/// The server's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Starts as `Production`, and becomes `S34` with the first answer that carries that version's
    /// success flag.
    #[default]
    Auto,
    /// The deployed one: sends over the socket, a ready frame, paged history.
    Production,
    /// The 0.34 specification: sends by REST only, no ready frame, history in one piece.
    S34,
}

/// What was learned of the server so far.
#[derive(Debug)]
pub(super) struct Learned {
    configured: Dialect,
    saw_success_flag: AtomicBool,
}

impl Learned {
    pub(super) const fn new(configured: Dialect) -> Self {
        Self {
            configured,
            saw_success_flag: AtomicBool::new(false),
        }
    }

    /// Notes whether an answer carried the success flag.
    pub(super) fn observe(&self, success: Option<bool>) {
        if success.is_some() {
            self.saw_success_flag.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn is_s34(&self) -> bool {
        match self.configured {
            Dialect::Auto => self.saw_success_flag.load(Ordering::Relaxed),
            fixed => fixed == Dialect::S34,
        }
    }

    /// What the server can do, as far as is known now.
    pub(super) fn capabilities(&self, extensions: bool) -> Capabilities {
        let production = !self.is_s34();
        Capabilities {
            idempotent_send: extensions,
            idempotent_create: extensions,
            auto_resend: true,
            send_over_socket: production,
            ready_frame: production,
            server_order: if extensions {
                ServerOrder::Sequence
            } else {
                ServerOrder::HistoryPosition
            },
            resume: false,
            scope: SessionScope::Conversation,
            streaming: true,
            stop: extensions,
            one_turn_at_a_time: true,
            receipts: false,
            read_marker: extensions,
            typing: false,
            presence: false,
            contexts: true,
            edit: extensions,
            delete: extensions,
            audit: false,
            archive: false,
            complete: true,
            delete_conversation: true,
            history_paging: production,
            max_text: MAX_TEXT,
            poll_floor: Duration::from_secs(1),
            probe_floor: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_learned_from_the_success_flag() {
        let learned = Learned::new(Dialect::Auto);
        learned.observe(None);
        let before = learned.capabilities(false);
        assert!(before.send_over_socket && before.ready_frame && before.history_paging);
        learned.observe(Some(true));
        let after = learned.capabilities(false);
        assert!(!after.send_over_socket && !after.ready_frame && !after.history_paging);
    }

    #[test]
    fn a_configured_dialect_is_not_unlearned() {
        let learned = Learned::new(Dialect::Production);
        learned.observe(Some(true));
        assert!(!learned.is_s34());
    }
}
