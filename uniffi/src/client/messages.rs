//! Verbs on messages.

use std::sync::Arc;

use tidings::usecases::read_history::PageCursor;

use super::ChatClient;
use crate::{
    cancel::CancelHandle,
    error::ChatError,
    records::{
        count,
        delivery::{ActionDecision, DeliveryOutcome, MessageStory, OutboxItem, SendMode},
        message::{ChangedMessage, HistoryPage, Message},
        message_id,
        search::{SearchPage, SearchRequest},
    },
    runtime::{change, here, read},
};

#[uniffi::export]
impl ChatClient {
    /// A fresh key for [`Self::send`].
    pub fn mint_message_id(&self) -> Result<String, ChatError> {
        let core = self.core()?;
        here(|| Ok(core.mint_message_id().to_string()))
    }

    /// Sends a message. In durable mode it is on disk when this returns, and goes out whatever
    /// happens; in direct mode it is on the server.
    ///
    /// Under a key of the caller's own a repeated call sends nothing twice. Once begun, the send
    /// goes on whether or not the caller still waits.
    #[uniffi::method(default(id = None, cancel = None))]
    pub async fn send(
        &self,
        conversation: String,
        text: String,
        mode: SendMode,
        id: Option<String>,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<Message, ChatError> {
        let (core, conversation) = self.at(conversation)?;
        let id = match id {
            Some(id) => message_id(&id)?,
            None => core.mint_message_id(),
        };
        change(cancel, async move {
            let sent = core
                .send_with_id(id, conversation, text, mode.into())
                .await?;
            Ok(sent.into())
        })
        .await
    }

    /// Waits until the fate of a message, or of another action, is known.
    #[uniffi::method(default(cancel = None))]
    pub async fn wait_for_delivery(
        &self,
        message: String,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<DeliveryOutcome, ChatError> {
        let (core, id) = self.on(message)?;
        let lifetime = Arc::clone(&self.lifetime);
        let wait = async move {
            tokio::select! {
                biased;
                fate = core.wait_for_delivery(id) => Ok(fate?.into()),
                () = lifetime.ended() => Err(ChatError::closed()),
            }
        };
        read(cancel, wait).await
    }

    /// Puts a failed message back into the queue.
    pub async fn retry(&self, message: String) -> Result<Message, ChatError> {
        let (core, id) = self.on(message)?;
        change(None, async move { Ok(core.retry(id).await?.into()) }).await
    }

    /// Takes an unsent message back.
    pub async fn cancel_message(&self, message: String) -> Result<Message, ChatError> {
        let (core, id) = self.on(message)?;
        change(None, async move { Ok(core.cancel(id).await?.into()) }).await
    }

    /// Changes a message's text: shown at once, sent when it can be; an unsent one is rewritten.
    pub async fn edit_message(
        &self,
        message: String,
        text: String,
    ) -> Result<ChangedMessage, ChatError> {
        let (core, id) = self.on(message)?;
        let work = async move { Ok(core.edit_message(id, text).await?.into()) };
        change(None, work).await
    }

    /// Deletes a message where the backend can, hidden at once; takes back an unsent one anywhere.
    pub async fn delete_message(&self, message: String) -> Result<ChangedMessage, ChatError> {
        let (core, id) = self.on(message)?;
        let work = async move { Ok(core.delete_message(id).await?.into()) };
        change(None, work).await
    }

    /// Stops the answer under way, or the one to the newest message once the server can be told;
    /// answers the key of the action, where one waits.
    pub async fn stop_answer(&self, conversation: String) -> Result<Option<String>, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(None, async move {
            let action = core.stop_answer(id).await?;
            Ok(action.map(|key| key.to_string()))
        })
        .await
    }

    /// Decides about an action other than a message that waits or failed: what [`Self::retry`] and
    /// [`Self::cancel_message`] are to a message.
    pub async fn settle_action(
        &self,
        action: String,
        decision: ActionDecision,
    ) -> Result<OutboxItem, ChatError> {
        let (core, id) = self.on(action)?;
        let work = async move {
            let entry = match decision {
                ActionDecision::Retry => core.retry_action(id).await?,
                ActionDecision::Cancel => core.cancel_action(id).await?,
            };
            Ok(entry.into())
        };
        change(None, work).await
    }

    /// A page of stored messages, oldest first; start without `before`, go on with
    /// [`HistoryPage::older`].
    #[uniffi::method(default(before = None, limit = 50, include_deleted = false))]
    pub async fn history(
        &self,
        conversation: String,
        before: Option<String>,
        limit: i32,
        include_deleted: bool,
    ) -> Result<HistoryPage, ChatError> {
        let (core, id) = self.at(conversation)?;
        let before = before.as_deref().map(page_cursor).transpose()?;
        read(None, async move {
            let page = core
                .history(id, before, count(limit), include_deleted)
                .await?;
            Ok(page.into())
        })
        .await
    }

    /// Searches stored messages; no network is needed. Go on with [`SearchPage::next`].
    #[uniffi::method(default(cancel = None))]
    pub async fn search(
        &self,
        request: SearchRequest,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<SearchPage, ChatError> {
        let core = self.core()?;
        let search = request.try_into()?;
        read(cancel, async move { Ok(core.search(search).await?.into()) }).await
    }

    /// Everything the user did that the server does not have for certain.
    pub async fn outbox(&self) -> Result<Vec<OutboxItem>, ChatError> {
        let core = self.core()?;
        read(None, async move {
            Ok(core.outbox().await?.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// Wakes the outbox and waits until nothing in it is still under way.
    #[uniffi::method(default(cancel = None))]
    pub async fn flush(&self, cancel: Option<Arc<CancelHandle>>) -> Result<(), ChatError> {
        let core = self.core()?;
        let lifetime = Arc::clone(&self.lifetime);
        let wait = async move {
            tokio::select! {
                biased;
                done = core.flush() => Ok(done?),
                () = lifetime.ended() => Err(ChatError::closed()),
            }
        };
        read(cancel, wait).await
    }

    /// A message's whole story.
    pub async fn explain(&self, message: String) -> Result<MessageStory, ChatError> {
        let (core, id) = self.on(message)?;
        read(None, async move { Ok(core.explain(id).await?.into()) }).await
    }
}

fn page_cursor(text: &str) -> Result<PageCursor, ChatError> {
    PageCursor::decode(text)
        .ok_or_else(|| ChatError::invalid("before", "this is no place in a history"))
}
