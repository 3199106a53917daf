//! `ChatClient`: what an app holds. No logic: each export names one verb of the core.

mod conversations;
mod lifecycle;
mod messages;
mod observe;
mod start;

use std::sync::Arc;

use tidings::domain::ids::{ClientMessageId, ConversationId};

use crate::{
    cancel::Flag,
    error::ChatError,
    gate::Gate,
    records::{conversation_id, message_id},
};

pub use lifecycle::{ClientInfo, NetworkChange};
pub use start::{SettingInfo, settings};

/// How long everything of one client lives.
#[derive(Debug, Default)]
pub(crate) struct Lifetime {
    ended: Flag,
    gate: Arc<Gate>,
}

impl Lifetime {
    pub(crate) fn check(&self) -> Result<(), ChatError> {
        if self.ended.is_up() {
            return Err(ChatError::closed());
        }
        Ok(())
    }

    pub(crate) async fn ended(&self) {
        self.ended.up().await;
    }
}

/// A running client. Shut it down to end it in order; dropping it ends it too.
#[derive(Debug, uniffi::Object)]
pub struct ChatClient {
    core: Arc<tidings::ChatClient>,
    lifetime: Arc<Lifetime>,
}

impl ChatClient {
    fn core(&self) -> Result<Arc<tidings::ChatClient>, ChatError> {
        self.lifetime.check()?;
        Ok(Arc::clone(&self.core))
    }

    /// What a verb on a conversation begins with.
    fn at(
        &self,
        conversation: String,
    ) -> Result<(Arc<tidings::ChatClient>, ConversationId), ChatError> {
        Ok((self.core()?, conversation_id(&conversation)?))
    }

    /// What a verb on a message, or on another action, begins with.
    fn on(
        &self,
        message: String,
    ) -> Result<(Arc<tidings::ChatClient>, ClientMessageId), ChatError> {
        Ok((self.core()?, message_id(&message)?))
    }
}
