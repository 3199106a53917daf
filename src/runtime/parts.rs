//! The parts a client is made of.

use std::sync::Arc;

use crate::{
    config::Config,
    domain::ports::{ChatRepository, ChatService, Platform},
};

/// The parts a client is made of.
#[derive(Clone, Debug)]
pub struct ChatClientParts {
    /// The backend.
    pub service: Arc<dyn ChatService>,
    /// The store.
    pub repository: Arc<dyn ChatRepository>,
    /// Clocks and entropy.
    pub platform: Arc<dyn Platform>,
    /// Timings and limits.
    pub config: Config,
}
