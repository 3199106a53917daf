//! The scripted server behind the port.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Operation, Reply, ScriptedService, ScriptedSession, Server, delta, lock};
use crate::domain::{
    capabilities::Capabilities,
    conversation::ServerConversation,
    cursor::{HistoryRange, SyncCursor},
    event::{SendReceipt, SessionEvent},
    ids::{ConversationId, MessageId},
    message::{Role, ServerMessage},
    ports::{
        ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
        Outgoing, RealtimeSession,
    },
    retry::ServiceError,
};

impl ScriptedService {
    /// Goes by the script; `good` is what a good server does.
    pub(super) async fn perform<T>(
        &self,
        operation: Operation,
        conversation: Option<&ConversationId>,
        good: impl FnOnce(&mut Server) -> Result<T, ServiceError> + Send,
    ) -> Result<T, ServiceError> {
        let mut reply = self.asked(operation, conversation);
        loop {
            match reply {
                Reply::Later(wait, then) => {
                    tokio::time::sleep(wait).await;
                    reply = *then;
                }
                Reply::Normal => return good(&mut self.server()),
                Reply::Fail(error) => return Err(error),
                Reply::ApplyThenFail(error) => {
                    good(&mut self.server())?;
                    return Err(error);
                }
                Reply::Hang | Reply::HangAndApply(_) => std::future::pending().await,
                Reply::Panic => panic!("scripted: a bug of the adapter"),
            }
        }
    }

    /// Takes a message in, by the script.
    pub(super) async fn take(
        &self,
        operation: Operation,
        outgoing: &Outgoing,
    ) -> Result<ServerMessage, ServiceError> {
        self.note_late(operation, outgoing);
        let conversation = Some(&outgoing.conversation);
        self.perform(operation, conversation, |server| server.take(outgoing))
            .await
    }

    /// A request that is applied although nobody waits for it any more.
    fn note_late(&self, operation: Operation, outgoing: &Outgoing) {
        let script = lock(&self.shared.script);
        let next = script.next.get(&operation).and_then(|next| next.front());
        let reply = next.or_else(|| script.always.get(&operation));
        if let Some(Reply::HangAndApply(wait)) = reply {
            let at = self.shared.started.elapsed() + *wait;
            lock(&self.shared.server).take_later(at, outgoing.clone());
        }
    }

    /// The scripted answer, where there is one: streamed to whoever is connected, and stored.
    pub(super) fn answer(&self, conversation: &ConversationId) -> Option<ServerMessage> {
        let text = self.shared.answer.as_ref()?;
        let sessions = self.sessions(conversation.as_str());
        for session in &sessions {
            for word in text.split_inclusive(' ') {
                session.push(delta(word));
            }
        }
        let row = self.server().append(conversation, Role::Assistant, text);
        for session in &sessions {
            session.push(SessionEvent::AnswerCompleted { stopped: false });
        }
        Some(row)
    }
}

#[async_trait]
impl ChatService for ScriptedService {
    fn capabilities(&self) -> Capabilities {
        self.shared.capabilities.clone()
    }

    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        self.perform(Operation::Create, None, |server| {
            let nameless = super::id("new");
            let wanted = ServerConversation {
                persona: new.persona.clone(),
                context: new.context.clone(),
                ..ServerConversation::bare(nameless)
            };
            let created = server.create(wanted, new.key);
            Ok(CreateOutcome::Created(created, Vec::new()))
        })
        .await
    }

    async fn list_conversations(
        &self,
        _scope: &ListScope,
        _cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        // What a slow answer holds is what the server had when it was asked.
        let conversations = self.server().list();
        self.perform(Operation::List, None, |_| {
            Ok(ConversationPage {
                conversations,
                next: None,
                skipped: 0,
            })
        })
        .await
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        self.perform(Operation::Conversation, Some(id), |server| {
            server.conversation(id).map(|found| found.clone())
        })
        .await
    }

    async fn history(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        // What a slow answer holds is what the server had when it was asked.
        let page = self.server().page(id, range, limit);
        self.perform(Operation::History, Some(id), |_| page).await
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<SendReceipt, ServiceError> {
        let row = self.take(Operation::Send, outgoing).await?;
        self.answer(&outgoing.conversation);
        Ok(SendReceipt {
            message: Some(row),
            answer: None,
        })
    }

    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        self.perform(Operation::Connect, Some(id), |server| {
            server.conversation(id).map(drop)
        })
        .await?;
        let session = ScriptedSession::open(self.clone(), id.clone());
        if self.shared.capabilities.ready_frame && self.shared.greets {
            session.push(SessionEvent::Ready);
        }
        lock(&self.shared.sessions).push(session.clone());
        Ok(Arc::new(session))
    }

    async fn mark_read(&self, id: &ConversationId, up_to: &MessageId) -> Result<(), ServiceError> {
        self.perform(Operation::MarkRead, Some(id), |server| {
            server.mark_read(id, up_to)
        })
        .await
    }

    async fn edit_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
        text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        self.perform(Operation::EditMessage, Some(id), |server| {
            server.change(id, message, text)
        })
        .await
    }

    async fn archive(&self, id: &ConversationId, archived: bool) -> Result<(), ServiceError> {
        self.perform(Operation::Archive, Some(id), |server| {
            server.archive(id, archived)
        })
        .await
    }

    async fn delete_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.perform(Operation::DeleteMessage, Some(id), |server| {
            server.delete(id, message)
        })
        .await
    }

    async fn stop_answer(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.perform(Operation::StopAnswer, Some(id), |_| Ok(()))
            .await?;
        for session in self.sessions(id.as_str()) {
            session.push(SessionEvent::AnswerCompleted { stopped: true });
        }
        Ok(())
    }

    async fn complete(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        self.perform(Operation::Complete, Some(id), |server| server.complete(id))
            .await
    }

    async fn delete_conversation(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.perform(Operation::DeleteConversation, Some(id), |server| {
            server.remove(id);
            Ok(())
        })
        .await
    }
}
