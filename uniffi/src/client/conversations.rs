//! Verbs on conversations.

use std::sync::Arc;

use super::ChatClient;
use crate::{
    cancel::CancelHandle,
    conversation::Conversation,
    error::ChatError,
    records::{
        conversation::{
            CaughtUp, ChangedConversation, ConversationExport, ConversationFilter,
            ConversationInfo, CreatedConversation, NewConversation, RefreshSummary,
        },
        span,
    },
    runtime::{change, here, read},
};

#[uniffi::export]
impl ChatClient {
    /// Creates a conversation, or returns the one that is there already.
    #[uniffi::method(default(cancel = None))]
    pub async fn create_conversation(
        &self,
        new: NewConversation,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<CreatedConversation, ChatError> {
        let core = self.core()?;
        let work = async move { Ok(core.create_conversation(new.into()).await?.into()) };
        change(cancel, work).await
    }

    /// Begins a conversation that need not be on the server yet: it can be written to at once, and
    /// is created when the server can be reached.
    pub async fn begin_conversation(
        &self,
        new: NewConversation,
    ) -> Result<ConversationInfo, ChatError> {
        let core = self.core()?;
        let work = async move { Ok(core.begin_conversation(new.into()).await?.into()) };
        change(None, work).await
    }

    /// Opens a conversation: it connects and stays connected until that object is left or gone.
    pub fn open(&self, conversation: String) -> Result<Arc<Conversation>, ChatError> {
        let (core, id) = self.at(conversation)?;
        here(|| {
            let lifetime = Arc::clone(&self.lifetime);
            Ok(Arc::new(Conversation::new(core.open(id), lifetime)))
        })
    }

    /// Stored conversations, newest activity first.
    pub async fn conversations(
        &self,
        filter: ConversationFilter,
    ) -> Result<Vec<ConversationInfo>, ChatError> {
        let core = self.core()?;
        read(None, async move {
            let list = core.conversations(filter.into()).await?;
            Ok(list.into_iter().map(Into::into).collect())
        })
        .await
    }

    /// One stored conversation.
    pub async fn conversation(&self, id: String) -> Result<Option<ConversationInfo>, ChatError> {
        let (core, id) = self.at(id)?;
        read(None, async move {
            Ok(core.conversation(&id).await?.map(Into::into))
        })
        .await
    }

    /// Reads the server's whole list into the store.
    #[uniffi::method(default(cancel = None))]
    pub async fn refresh_conversations(
        &self,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<RefreshSummary, ChatError> {
        let core = self.core()?;
        change(cancel, async move {
            Ok(core.refresh_conversations().await?.into())
        })
        .await
    }

    /// Reads the server's history into the store; answers how many messages were new. `whole`
    /// reads back to the beginning, else only what came since the last read.
    #[uniffi::method(default(whole = false, cancel = None))]
    pub async fn synchronise(
        &self,
        conversation: String,
        whole: bool,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<i32, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(cancel, async move {
            let new = if whole {
                core.synchronise(id).await?
            } else {
                core.catch_up(id).await?
            };
            Ok(crate::records::index(new))
        })
        .await
    }

    /// For the short life of a push wake-up: lists the conversations, reads what is new in those
    /// that changed, lets the outbox deliver; at the deadline it answers what was done by then.
    #[uniffi::method(default(cancel = None))]
    pub async fn catch_up(
        &self,
        deadline_ms: i64,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<CaughtUp, ChatError> {
        let (core, deadline) = (self.core()?, span(deadline_ms));
        read(cancel, async move {
            Ok(core.catch_up_within(deadline).await?.into())
        })
        .await
    }

    /// Reads one page before what is stored; answers whether there is still more.
    #[uniffi::method(default(cancel = None))]
    pub async fn load_older(
        &self,
        conversation: String,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<bool, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(cancel, async move { Ok(core.load_older(id).await?) }).await
    }

    /// Marks a conversation as read to its end.
    pub async fn mark_read(&self, conversation: String) -> Result<ConversationInfo, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(None, async move { Ok(core.mark_read(id).await?.into()) }).await
    }

    /// Hides a conversation from the ordinary list, or shows it again.
    pub async fn archive(
        &self,
        conversation: String,
        archived: bool,
    ) -> Result<ConversationInfo, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(
            None,
            async move { Ok(core.archive(id, archived).await?.into()) },
        )
        .await
    }

    /// Ends a conversation: closed here at once, at the server when it hears.
    pub async fn complete(&self, conversation: String) -> Result<ChangedConversation, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(None, async move { Ok(core.complete(id).await?.into()) }).await
    }

    /// Keeps what the user is typing; none for nothing.
    pub async fn save_draft(
        &self,
        conversation: String,
        text: Option<String>,
    ) -> Result<ConversationInfo, ChatError> {
        let (core, id) = self.at(conversation)?;
        change(
            None,
            async move { Ok(core.save_draft(id, text).await?.into()) },
        )
        .await
    }

    /// Deletes a conversation on the server and here.
    #[uniffi::method(default(cancel = None))]
    pub async fn delete_conversation(
        &self,
        conversation: String,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<(), ChatError> {
        let (core, id) = self.at(conversation)?;
        change(
            cancel,
            async move { Ok(core.delete_conversation(id).await?) },
        )
        .await
    }

    /// Everything stored of a conversation.
    #[uniffi::method(default(cancel = None))]
    pub async fn export(
        &self,
        conversation: String,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<ConversationExport, ChatError> {
        let (core, id) = self.at(conversation)?;
        read(cancel, async move { Ok(core.export(id).await?.into()) }).await
    }
}
