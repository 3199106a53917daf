//! Use cases: one verb a file, no state, built from ports alone.

pub mod archive_conversation;
pub mod catch_up;
pub mod complete_conversation;
pub mod create_conversation;
pub mod delete_conversation;
pub mod delete_message;
pub mod document;
pub mod edit_message;
pub mod explain_message;
pub mod export_conversation;
pub mod import_conversation;
pub mod list_conversations;
pub mod mark_read;
pub mod read_history;
pub mod save_draft;
pub mod search_messages;
pub mod send_chat_message;
pub mod settle_action;
pub mod settle_unsent;
pub mod single_flight;
pub mod stop_answer;
pub mod wait_for_delivery;

use std::{fmt, sync::Arc, time::Duration};

use self::{
    create_conversation::Created, list_conversations::Refreshed, single_flight::SingleFlight,
};
use crate::{
    domain::{
        ids::ClientMessageId,
        ports::{ChatRepository, ChatService, Dispatch, Platform},
        rules::queue::Stamp,
    },
    error::ChatError,
};

/// The ports a use case is built from.
#[derive(Clone)]
pub struct Ports {
    /// The store.
    pub repository: Arc<dyn ChatRepository>,
    /// The backend.
    pub service: Arc<dyn ChatService>,
    /// Clocks and entropy.
    pub platform: Arc<dyn Platform>,
    /// The running core.
    pub dispatch: Arc<dyn Dispatch>,
    /// How long a message may wait to be sent.
    pub send_expiry: Duration,
    /// Creations under way.
    pub creations: SingleFlight<Result<Created, ChatError>>,
    /// Refreshes of the list under way.
    pub refreshes: SingleFlight<Result<Refreshed, ChatError>>,
}

/// An action that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted<T> {
    /// How things stand from now on, on this device.
    pub shown: T,
    /// The key under which it waits for the server; `None` where there is nothing to tell it.
    pub action: Option<ClientMessageId>,
}

impl Ports {
    /// When an action is accepted, and under which key.
    pub(crate) fn stamp(&self) -> Stamp {
        let now = self.platform.wall();
        Stamp {
            id: self.platform.mint(),
            now,
            expires_at: now + self.send_expiry,
        }
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

pub(crate) fn missing_conversation() -> ChatError {
    ChatError::NotFound("there is no such conversation here".to_owned())
}

pub(crate) fn missing_message() -> ChatError {
    ChatError::NotFound("there is no such message here".to_owned())
}
