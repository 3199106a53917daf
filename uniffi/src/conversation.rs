//! A conversation that is open: connected while this object lives and is not left.

use std::sync::{Arc, Mutex, PoisonError};

use tidings::ConversationHandle;

use crate::{
    client::Lifetime,
    error::ChatError,
    records::connection::ConnectionStatus,
    runtime::{change, read},
};

/// An open conversation. Leave it, or drop it, and its socket closes within a second.
#[derive(Debug, uniffi::Object)]
pub struct Conversation {
    handle: Mutex<Option<ConversationHandle>>,
    lifetime: Arc<Lifetime>,
}

impl Conversation {
    pub(crate) fn new(handle: ConversationHandle, lifetime: Arc<Lifetime>) -> Self {
        Self {
            handle: Mutex::new(Some(handle)),
            lifetime,
        }
    }

    fn handle(&self) -> Result<ConversationHandle, ChatError> {
        self.lifetime.check()?;
        let held = self.handle.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or_else(ChatError::closed)
    }
}

#[uniffi::export]
impl Conversation {
    /// How it is connected right now; changes come as events.
    pub async fn connection(&self) -> Result<ConnectionStatus, ChatError> {
        let handle = self.handle()?;
        read(None, async move { Ok(handle.connection().await?.into()) }).await
    }

    /// Tells the others that the user types, or stopped.
    pub async fn set_typing(&self, active: bool) -> Result<(), ChatError> {
        let handle = self.handle()?;
        change(None, async move { Ok(handle.set_typing(active).await?) }).await
    }

    /// Gives the connection back now instead of with the object; may be called again.
    pub fn leave(&self) {
        let held = self
            .handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(held);
    }
}
