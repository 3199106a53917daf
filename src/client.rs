//! `ChatClient`: the facade an app holds. No logic: it wires ports, use cases and the runtime.

use std::{fmt, sync::Arc, time::Duration};

use futures_util::FutureExt;

use crate::{
    conversation::ConversationHandle,
    domain::{
        capabilities::Capabilities,
        conversation::Conversation,
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::{OutboxEntry, SendMode},
        ports::{NewConversation, chat_repository::ConversationFilter},
        rules::conversations,
        transcript::Imported,
    },
    error::{ChatError, SendMessageError},
    runtime::{
        ChatClientParts, EventStream,
        command::{Command, Commands, NetworkChange},
        driver,
        events::Events,
        observers::{
            ConversationsObserver, DeliveryObserver, MessageObserver, OutboxObserver,
            TimelineObserver,
        },
    },
    usecases::{
        Accepted, Ports,
        archive_conversation::ArchiveConversation,
        catch_up::{CatchUp, CaughtUp},
        complete_conversation::CompleteConversation,
        create_conversation::{BeginConversation, CreateConversation, Created},
        delete_conversation::DeleteConversation,
        delete_message::DeleteMessage,
        edit_message::EditMessage,
        explain_message::{ExplainMessage, Explanation},
        export_conversation::{Export, ExportConversation, ExportDocument},
        import_conversation::ImportConversation,
        list_conversations::{ListConversations, RefreshConversations, Refreshed},
        mark_read::MarkRead,
        read_history::{HistoryView, PageCursor, ReadHistory},
        save_draft::SaveDraft,
        search_messages::{SearchMessages, SearchPage},
        send_chat_message::SendChatMessage,
        settle_action::{CancelAction, RetryAction},
        settle_unsent::{CancelMessage, RetryMessage},
        single_flight::SingleFlight,
        stop_answer::StopAnswer,
        wait_for_delivery::{Delivery, WaitForDelivery},
    },
};

/// A running client. Clones share it; dropping the last one ends its tasks.
#[derive(Clone)]
pub struct ChatClient {
    ports: Ports,
    commands: Commands,
    events: Events,
}

impl fmt::Debug for ChatClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatClient").finish_non_exhaustive()
    }
}

impl ChatClient {
    /// Starts a client on the current tokio runtime. The process that owns the store first turns
    /// what was on the wire when the last one ended into Uncertain, then goes on sending.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[allow(clippy::unused_async, reason = "room for start-up work that waits")]
    pub async fn start(parts: ChatClientParts) -> Result<Self, ChatError> {
        let events = Events::new();
        let commands = driver::start(&parts, events.clone());
        let ports = Ports {
            repository: parts.repository,
            service: parts.service,
            platform: parts.platform,
            dispatch: Arc::new(commands.clone()),
            send_expiry: parts.config.send_expiry,
            creations: SingleFlight::default(),
            refreshes: SingleFlight::default(),
        };
        Ok(Self {
            ports,
            commands,
            events,
        })
    }

    /// What the backend can do.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.ports.service.capabilities()
    }

    /// Whether this process sends and synchronises, or another one on the same store does.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.ports.repository.is_owner()
    }

    /// Creates a conversation, or returns the existing one.
    ///
    /// # Errors
    /// [`ChatError`] of service or store.
    pub async fn create_conversation(&self, new: NewConversation) -> Result<Created, ChatError> {
        CreateConversation { new }.execute(&self.ports).await
    }

    /// Begins a conversation that need not be on the server yet; see
    /// [`BeginConversation::execute`].
    ///
    /// # Errors
    /// `InvalidInput`, the store's.
    pub async fn begin_conversation(
        &self,
        new: NewConversation,
    ) -> Result<Conversation, ChatError> {
        BeginConversation { new }.execute(&self.ports).await
    }

    /// Opens a conversation: it connects and stays connected until the last handle is dropped.
    #[must_use]
    pub fn open(&self, id: ConversationId) -> ConversationHandle {
        ConversationHandle::new(self.clone(), self.commands.clone(), id)
    }

    /// Stored conversations, newest activity first.
    ///
    /// # Errors
    /// The store's.
    pub async fn conversations(
        &self,
        filter: ConversationFilter,
    ) -> Result<Vec<Conversation>, ChatError> {
        ListConversations { filter }.execute(&self.ports).await
    }

    /// Reads the server's whole list into the store.
    ///
    /// # Errors
    /// [`ChatError`] of service or store.
    pub async fn refresh_conversations(&self) -> Result<Refreshed, ChatError> {
        RefreshConversations.execute(&self.ports).await
    }

    /// One stored conversation.
    ///
    /// # Errors
    /// The store's.
    pub async fn conversation(
        &self,
        id: &ConversationId,
    ) -> Result<Option<Conversation>, ChatError> {
        let id = id.clone();
        Ok(self
            .ports
            .repository
            .view(move |rows| {
                let id = conversations::resolve(rows, &id)?;
                rows.conversation(&id)
            })
            .await?)
    }

    /// A page of stored messages.
    ///
    /// # Errors
    /// `NotFound`; the store's.
    pub async fn history(
        &self,
        conversation: ConversationId,
        before: Option<PageCursor>,
        limit: usize,
        include_deleted: bool,
    ) -> Result<HistoryView, ChatError> {
        ReadHistory {
            conversation,
            before,
            limit,
            include_deleted,
        }
        .execute(&self.ports)
        .await
    }

    /// Reads the server's history until local and server are equal, from the beginning to the
    /// end; answers how many messages were new. The process that owns the store does the work.
    ///
    /// # Errors
    /// [`ChatError`] of service or store; what was read so far stays.
    pub async fn synchronise(&self, conversation: ConversationId) -> Result<usize, ChatError> {
        let whole = true;
        self.commands
            .ask(|reply| Command::Synchronise {
                conversation,
                whole,
                reply,
            })
            .await
    }

    /// Reads what is new on the server since the last read; answers how many messages were new.
    ///
    /// # Errors
    /// [`ChatError`] of service or store.
    pub async fn catch_up(&self, conversation: ConversationId) -> Result<usize, ChatError> {
        let whole = false;
        self.commands
            .ask(|reply| Command::Synchronise {
                conversation,
                whole,
                reply,
            })
            .await
    }

    /// For the short life of a push wake-up: lists the conversations, reads what is new in those
    /// that changed, and lets the outbox deliver; at the deadline it answers with what was done by
    /// then. Works in every process on the store: one that does not own it sends nothing and
    /// leaves longer gaps to the owner, marked.
    ///
    /// # Errors
    /// [`ChatError`] of service or store; what was read so far stays.
    ///
    /// # Cancel safety
    /// May be dropped; every page is stored whole or not at all.
    pub async fn catch_up_within(&self, deadline: Duration) -> Result<CaughtUp, ChatError> {
        let work = CatchUp::default();
        match tokio::time::timeout(deadline, work.execute(&self.ports)).await {
            Ok(done) => done,
            Err(_) => Ok(work.so_far()),
        }
    }

    /// Reads one page before what is stored; answers whether there is still more.
    ///
    /// # Errors
    /// [`ChatError`] of service or store.
    pub async fn load_older(&self, conversation: ConversationId) -> Result<bool, ChatError> {
        self.commands
            .ask(|reply| Command::LoadOlder {
                conversation,
                reply,
            })
            .await
    }

    /// Sends a message; see [`SendChatMessage::execute`].
    ///
    /// # Errors
    /// [`SendMessageError`].
    pub async fn send(
        &self,
        conversation: ConversationId,
        text: impl Into<String>,
        mode: SendMode,
    ) -> Result<Message, SendMessageError> {
        SendChatMessage {
            conversation,
            text: text.into(),
            mode,
            id: None,
        }
        .execute(&self.ports)
        .await
    }

    /// Sends a message under a key chosen by the caller; a repeated call sends nothing twice.
    ///
    /// # Errors
    /// [`SendMessageError`].
    pub async fn send_with_id(
        &self,
        id: ClientMessageId,
        conversation: ConversationId,
        text: impl Into<String>,
        mode: SendMode,
    ) -> Result<Message, SendMessageError> {
        SendChatMessage {
            conversation,
            text: text.into(),
            mode,
            id: Some(id),
        }
        .execute(&self.ports)
        .await
    }

    /// A fresh key for [`Self::send_with_id`].
    #[must_use]
    pub fn mint_message_id(&self) -> ClientMessageId {
        self.ports.platform.mint()
    }

    /// Waits until the fate of a message, or of another action, is known.
    ///
    /// # Errors
    /// The store's.
    pub async fn wait_for_delivery(&self, message: ClientMessageId) -> Result<Delivery, ChatError> {
        WaitForDelivery { message }.execute(&self.ports).await
    }

    /// Puts a failed message back into the queue.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, the store's.
    pub async fn retry(&self, message: ClientMessageId) -> Result<Message, ChatError> {
        RetryMessage { message }.execute(&self.ports).await
    }

    /// Takes an unsent message back.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, the store's.
    pub async fn cancel(&self, message: ClientMessageId) -> Result<Message, ChatError> {
        CancelMessage { message }.execute(&self.ports).await
    }

    /// Changes a message's text: shown at once, sent when it can be; see [`EditMessage::execute`].
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported`, the store's.
    pub async fn edit_message(
        &self,
        message: ClientMessageId,
        text: impl Into<String>,
    ) -> Result<Accepted<Message>, ChatError> {
        let text = text.into();
        EditMessage { message, text }.execute(&self.ports).await
    }

    /// Deletes a message where the backend can, hidden at once; takes back an unsent one anywhere.
    /// See [`DeleteMessage::execute`].
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, `Unsupported`, the store's.
    pub async fn delete_message(
        &self,
        message: ClientMessageId,
    ) -> Result<Accepted<Message>, ChatError> {
        DeleteMessage { message }.execute(&self.ports).await
    }

    /// Puts a failed action other than a message back into the queue.
    ///
    /// # Errors
    /// `NotFound`, the store's.
    pub async fn retry_action(&self, action: ClientMessageId) -> Result<OutboxEntry, ChatError> {
        RetryAction { action }.execute(&self.ports).await
    }

    /// Takes back an action other than a message, and what it showed with it.
    ///
    /// # Errors
    /// `NotFound`, the store's.
    pub async fn cancel_action(&self, action: ClientMessageId) -> Result<OutboxEntry, ChatError> {
        CancelAction { action }.execute(&self.ports).await
    }

    /// Everything the user did that the server does not have for certain.
    ///
    /// # Errors
    /// The store's.
    pub async fn outbox(&self) -> Result<Vec<OutboxEntry>, ChatError> {
        Ok(self.ports.repository.view(|rows| rows.outbox(None)).await?)
    }

    /// Wakes the outbox and waits until nothing in it is still under way.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped; sending goes on.
    pub async fn flush(&self) -> Result<(), ChatError> {
        self.commands.tell(Command::Wake);
        let mut observer = self.observe_outbox();
        while observer.next().await?.iter().any(OutboxEntry::blocks) {}
        Ok(())
    }

    /// Keeps what the user is typing; `None` for nothing.
    ///
    /// # Errors
    /// `NotFound`, `InvalidInput`, the store's.
    pub async fn save_draft(
        &self,
        conversation: ConversationId,
        text: Option<String>,
    ) -> Result<Conversation, ChatError> {
        SaveDraft { conversation, text }.execute(&self.ports).await
    }

    /// Stops the answer under way, or the one to the newest message once the server can be told.
    ///
    /// # Errors
    /// `Unsupported`, the store's.
    pub async fn stop_answer(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<ClientMessageId>, ChatError> {
        StopAnswer { conversation }.execute(&self.ports).await
    }

    /// Marks a conversation as read to its end.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark_read(&self, conversation: ConversationId) -> Result<Conversation, ChatError> {
        MarkRead { conversation }.execute(&self.ports).await
    }

    /// Hides a conversation from the ordinary list, or shows it again.
    ///
    /// # Errors
    /// `NotFound`, the store's.
    pub async fn archive(
        &self,
        conversation: ConversationId,
        archived: bool,
    ) -> Result<Conversation, ChatError> {
        ArchiveConversation {
            conversation,
            archived,
        }
        .execute(&self.ports)
        .await
    }

    /// Ends a conversation: closed here at once, at the server when it hears.
    ///
    /// # Errors
    /// `Unsupported`, the store's.
    pub async fn complete(
        &self,
        conversation: ConversationId,
    ) -> Result<Accepted<Conversation>, ChatError> {
        CompleteConversation { conversation }
            .execute(&self.ports)
            .await
    }

    /// Deletes a conversation on the server and here.
    ///
    /// # Errors
    /// `Unsupported`, [`ChatError`] of service or store.
    pub async fn delete_conversation(&self, conversation: ConversationId) -> Result<(), ChatError> {
        DeleteConversation { conversation }
            .execute(&self.ports)
            .await
    }

    /// Searches stored messages; no network is needed.
    ///
    /// # Errors
    /// `InvalidInput`, the store's.
    pub async fn search(&self, search: SearchMessages) -> Result<SearchPage, ChatError> {
        search.execute(&self.ports).await
    }

    /// Everything stored of a conversation.
    ///
    /// # Errors
    /// `NotFound`, the store's.
    pub async fn export(&self, conversation: ConversationId) -> Result<Export, ChatError> {
        ExportConversation { conversation }
            .execute(&self.ports)
            .await
    }

    /// A conversation as a document, with everything needed to have it again: see
    /// [`document`](crate::usecases::document).
    ///
    /// # Errors
    /// `NotFound`, `export.too_large`, the store's.
    pub async fn export_document(&self, conversation: ConversationId) -> Result<String, ChatError> {
        ExportDocument { conversation }.execute(&self.ports).await
    }

    /// Reads such a document into the store; see [`ImportConversation::execute`].
    ///
    /// # Errors
    /// `InvalidInput` with an `import.` code, the store's; nothing of it is stored then.
    ///
    /// # Cancel safety
    /// All or nothing.
    pub async fn import_document(
        &self,
        document: impl Into<String>,
    ) -> Result<Imported, ChatError> {
        let document = document.into();
        ImportConversation { document }.execute(&self.ports).await
    }

    /// A message's whole story.
    ///
    /// # Errors
    /// `NotFound`, the store's.
    pub async fn explain(&self, message: ClientMessageId) -> Result<Explanation, ChatError> {
        ExplainMessage { message }.execute(&self.ports).await
    }

    /// Passing events, from now on.
    #[must_use]
    pub fn events(&self) -> EventStream {
        let stream = self.events.subscribe();
        // What was kept for the first who listens is told now.
        self.commands.tell(Command::Subscribed);
        stream
    }

    /// The newest `window` messages of a conversation, then their changes.
    #[must_use]
    pub fn observe_timeline(&self, id: ConversationId, window: usize) -> TimelineObserver {
        TimelineObserver::new(self.ports.repository.clone(), id, window)
    }

    /// What happens to sent messages from now on.
    ///
    /// # Errors
    /// The store's.
    pub async fn observe_deliveries(&self) -> Result<DeliveryObserver, ChatError> {
        let head = self
            .ports
            .repository
            .view(|rows| rows.journal_head())
            .await?;
        Ok(DeliveryObserver::new(self.ports.repository.clone(), head))
    }

    /// Every unsent message, whenever that changes.
    #[must_use]
    pub fn observe_outbox(&self) -> OutboxObserver {
        OutboxObserver::new(self.ports.repository.clone())
    }

    /// The list of conversations, whenever it changes.
    #[must_use]
    pub fn observe_conversations(&self, filter: ConversationFilter) -> ConversationsObserver {
        ConversationsObserver::new(self.ports.repository.clone(), filter)
    }

    /// One message, whenever it changes.
    #[must_use]
    pub fn observe_message(&self, id: ClientMessageId) -> MessageObserver {
        MessageObserver::new(self.ports.repository.clone(), id)
    }

    /// The app left the foreground: goes on until the deadline, then suspends (sockets closed,
    /// writes finished). Returns when suspended, or when the app came back first.
    ///
    /// # Errors
    /// [`ChatError::Closed`].
    pub async fn background(&self, deadline: Duration) -> Result<(), ChatError> {
        self.commands
            .ask(|reply| Command::Background { deadline, reply })
            .await
    }

    /// Suspends at once: what is on the wire is given up and learned later, sockets are closed,
    /// and when this returns no file of the store is open and no lock is held; another process may
    /// take over. Until [`Self::foreground`] every call that needs the store fails.
    ///
    /// # Errors
    /// [`ChatError::Closed`].
    pub async fn suspend(&self) -> Result<(), ChatError> {
        self.background(Duration::ZERO).await
    }

    /// The app is back: redials, catches up, retries what waits.
    ///
    /// A store that was suspended is open again when this returns, which takes some milliseconds;
    /// where that fails it is tried again in the background, and calls fail as suspended until then.
    pub fn foreground(&self) {
        // Its own end is the only await of a resumption; the runtime asks again and hears of errors.
        drop(self.ports.repository.resume().now_or_never());
        self.commands.tell(Command::Foreground);
    }

    /// The platform reports a change of the network.
    pub fn network_changed(&self, change: NetworkChange) {
        self.commands.tell(Command::Network(change));
    }

    /// Ends everything in bounded time: sockets closed politely, writes finished, store closed.
    pub async fn shutdown(&self) {
        let _ = self.commands.ask(|reply| Command::Shutdown { reply }).await;
        self.ports.repository.close().await;
    }
}
