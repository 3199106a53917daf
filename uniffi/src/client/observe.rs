//! What can be followed.

use std::sync::Arc;

use super::ChatClient;
use crate::{
    error::ChatError,
    events::EventFeed,
    records::{count, message_id},
    runtime::{here, read},
    timeline::Timeline,
    watch::{Observer, Watch, WatchTopic},
};

#[uniffi::export]
impl ChatClient {
    /// The newest `window` messages of a conversation, then their changes.
    #[uniffi::method(default(window = 50))]
    pub fn timeline(&self, conversation: String, window: i32) -> Result<Arc<Timeline>, ChatError> {
        let (core, id) = self.at(conversation)?;
        here(|| {
            let observer = core.observe_timeline(id, count(window));
            Ok(Arc::new(Timeline::new(
                observer,
                Arc::clone(&self.lifetime),
            )))
        })
    }

    /// Passing events, from now on.
    pub fn events(&self) -> Result<Arc<EventFeed>, ChatError> {
        let core = self.core()?;
        here(|| {
            Ok(Arc::new(EventFeed::new(
                core.events(),
                Arc::clone(&self.lifetime),
            )))
        })
    }

    /// Conversations, outbox, deliveries from now on, or one message.
    pub async fn watch(&self, topic: WatchTopic) -> Result<Arc<Watch>, ChatError> {
        let (core, lifetime) = (self.core()?, Arc::clone(&self.lifetime));
        read(None, async move {
            let observer = match topic {
                WatchTopic::Conversations { filter } => {
                    Observer::Conversations(core.observe_conversations(filter.into()))
                }
                WatchTopic::Outbox => Observer::Outbox(core.observe_outbox()),
                WatchTopic::Deliveries => Observer::Deliveries(core.observe_deliveries().await?),
                WatchTopic::Message { id } => {
                    Observer::Message(core.observe_message(message_id(&id)?))
                }
            };
            Ok(Arc::new(Watch::new(observer, lifetime)))
        })
        .await
    }
}
