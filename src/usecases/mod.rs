//! Use cases: one verb a file, no state, built from ports alone.

pub mod archive_conversation;
pub mod catch_up;
pub mod complete_conversation;
pub mod create_conversation;
pub mod delete_conversation;
pub mod delete_message;
pub mod explain_message;
pub mod export_conversation;
pub mod list_conversations;
pub mod mark_read;
pub mod read_history;
pub mod search_messages;
pub mod send_chat_message;
pub mod settle_unsent;
pub mod single_flight;
pub mod wait_for_delivery;

use std::{fmt, sync::Arc, time::Duration};

use self::{
    create_conversation::Created, list_conversations::Refreshed, single_flight::SingleFlight,
};
use crate::domain::ports::{ChatRepository, ChatService, Dispatch, Platform};
use crate::error::ChatError;

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

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
