//! The port that the core knows, with an app's own backend behind it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tidings::{
    Config,
    domain::{
        capabilities::Capabilities as CoreCapabilities,
        conversation::{ServerConversation as CoreConversation, Status},
        cursor::{ChangeMark, HistoryRange as CoreRange, SyncCursor},
        event::{CloseReason, SendReceipt, SessionEvent},
        ids::{ClientMessageId, ConversationId, MessageId, UserId},
        message::ServerMessage as CoreMessage,
        ports::{
            ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
            Outgoing, RealtimeSession, Reconciled,
        },
        retry::{FailureKind as CoreKind, Outcome, RetryClass, ServiceError},
        time::WallTime,
    },
};
use tokio::sync::{Mutex, mpsc};

use super::{
    ServicePort, SessionFeed,
    calls::{
        CallOutcome, FailureKind, HistoryRange, OutgoingMessage, ReconcileAnswer,
        ServerConversation, ServerMessage, ServiceAnswer, ServiceCall, ServiceFailure,
    },
    reply::ServiceReply,
};
use crate::{
    error::ChatError,
    gate::Gate,
    records::{attribute_map, capabilities::Capabilities, index, span},
    runtime::blocking,
};

/// Calls into the app, one by one.
#[derive(Clone)]
struct Caller {
    app: Arc<dyn ServicePort>,
    gate: Arc<Gate>,
    deadline: Duration,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller")
    }
}

impl Caller {
    async fn call(&self, call: ServiceCall) -> Result<ServiceAnswer, ServiceError> {
        match tokio::time::timeout(self.deadline, self.ask(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(unknown(
                CoreKind::TimedOut,
                "the app's backend did not answer",
            )),
        }
    }

    async fn ask(&self, call: ServiceCall) -> Result<ServiceAnswer, ServiceError> {
        let (reply, answer) = ServiceReply::pair();
        let (app, gate) = (Arc::clone(&self.app), Arc::clone(&self.gate));
        let asked = blocking(move || match gate.enter() {
            Some(_inside) => app.perform(call, reply).map(|()| true),
            None => Ok(false),
        });
        tokio::pin!(asked, answer);
        tokio::select! {
            biased;
            answer = &mut answer => finished(answer),
            asked = &mut asked => match asked {
                Ok(true) => finished(answer.await),
                Ok(false) => Err(ServiceError::unreachable("the client is closed")),
                Err(thrown) => Err(threw(&thrown)),
            },
        }
    }

    async fn done(&self, call: ServiceCall) -> Result<(), ServiceError> {
        match self.call(call).await? {
            ServiceAnswer::Done => Ok(()),
            _ => Err(odd()),
        }
    }
}

fn finished<E>(
    answer: Result<Result<ServiceAnswer, ServiceFailure>, E>,
) -> Result<ServiceAnswer, ServiceError> {
    match answer {
        Ok(answer) => answer.map_err(failure),
        Err(_) => Err(unknown(
            CoreKind::Interrupted,
            "the app's backend dropped the call",
        )),
    }
}

/// What it threw is the app's own and may hold anything; whether it sent something, nobody knows.
fn threw(_: &ChatError) -> ServiceError {
    unknown(CoreKind::Interrupted, "the app's backend threw")
}

fn unknown(kind: CoreKind, detail: &str) -> ServiceError {
    ServiceError::unknown(kind, detail)
}

/// An answer of another kind than the call's, or one that makes no sense.
fn odd() -> ServiceError {
    unknown(
        CoreKind::Protocol,
        "the app's backend answered something else",
    )
}

fn failure(failed: ServiceFailure) -> ServiceError {
    let retry = match (failed.retry_after_ms, failed.retryable) {
        (Some(wait), _) => RetryClass::After(span(wait)),
        (None, true) => RetryClass::Backoff,
        (None, false) => RetryClass::Never,
    };
    let outcome = match failed.outcome {
        CallOutcome::NotApplied => Outcome::NotApplied,
        CallOutcome::Unknown => Outcome::Unknown,
    };
    ServiceError::new(
        kind(failed.kind),
        retry,
        outcome,
        "the app's backend failed",
    )
}

pub(super) fn kind(kind: FailureKind) -> CoreKind {
    match kind {
        FailureKind::Unreachable => CoreKind::Unreachable,
        FailureKind::TimedOut => CoreKind::TimedOut,
        FailureKind::Interrupted => CoreKind::Interrupted,
        FailureKind::SignInRequired => CoreKind::SignInRequired,
        FailureKind::NotAllowed => CoreKind::NotAllowed,
        FailureKind::NotFound => CoreKind::NotFound,
        FailureKind::Conflict { existing } => CoreKind::Conflict {
            existing: existing.as_deref().and_then(ConversationId::parse),
        },
        FailureKind::RateLimited => CoreKind::RateLimited,
        FailureKind::TooManyActive => CoreKind::TooManyActive,
        FailureKind::NotActive => CoreKind::NotActive,
        FailureKind::Invalid => CoreKind::Invalid,
        FailureKind::Unavailable => CoreKind::Unavailable,
        FailureKind::Protocol => CoreKind::Protocol,
        FailureKind::Unsupported => CoreKind::Unsupported,
        FailureKind::CursorRefused => CoreKind::CursorRefused,
    }
}

/// `None` for a row without an id: an id is never invented.
pub(super) fn message(row: ServerMessage) -> Option<CoreMessage> {
    Some(CoreMessage {
        id: MessageId::parse(&row.id)?,
        client_id: row.client_id.as_deref().and_then(ClientMessageId::parse),
        role: row.role.into(),
        sender: row.sender.as_deref().and_then(UserId::parse),
        own: row.own,
        text: row.text,
        created_at: row.created_at_ms.map(WallTime::from_millis),
        sequence: row.sequence,
        revision: u64::try_from(row.revision).unwrap_or(0),
        deleted: row.deleted,
    })
}

fn conversation(told: ServerConversation) -> Option<CoreConversation> {
    let mut made = CoreConversation::bare(ConversationId::parse(&told.id)?);
    made.persona = told.persona;
    made.status = told.status.as_deref().map(Status::new);
    made.title = told.title;
    made.context = told.context.map(Into::into);
    made.created_at = told.created_at_ms.map(WallTime::from_millis);
    made.updated_at = told.updated_at_ms.map(WallTime::from_millis);
    made.last_message_at = told.last_message_at_ms.map(WallTime::from_millis);
    made.participants = told
        .participants
        .iter()
        .filter_map(|id| UserId::parse(id))
        .collect();
    made.attributes = attribute_map(told.attributes);
    made.mark = told.mark.map(ChangeMark::new);
    Some(made)
}

/// The rows that can be read, and how many cannot.
fn readable<T, U>(rows: Vec<T>, read: impl Fn(T) -> Option<U>) -> (Vec<U>, usize) {
    let all = rows.len();
    let good: Vec<U> = rows.into_iter().filter_map(read).collect();
    let skipped = all - good.len();
    (good, skipped)
}

fn outgoing(leaving: &Outgoing) -> OutgoingMessage {
    OutgoingMessage {
        id: leaving.id.to_string(),
        conversation: leaving.conversation.to_string(),
        text: leaving.text.clone(),
    }
}

/// An app's own backend.
#[derive(Debug)]
pub(crate) struct AppService {
    caller: Caller,
    capabilities: CoreCapabilities,
    sessions: AtomicI64,
}

impl AppService {
    pub(crate) fn new(
        app: Arc<dyn ServicePort>,
        capabilities: Capabilities,
        config: &Config,
        gate: Arc<Gate>,
    ) -> Self {
        let deadline = config.send_attempt_timeout;
        Self {
            caller: Caller {
                app,
                gate,
                deadline,
            },
            capabilities: capabilities.into(),
            sessions: AtomicI64::new(0),
        }
    }

    async fn one(&self, call: ServiceCall) -> Result<CoreConversation, ServiceError> {
        match self.caller.call(call).await? {
            ServiceAnswer::Conversation { conversation: told } => {
                conversation(told).ok_or_else(odd)
            }
            _ => Err(odd()),
        }
    }
}

#[async_trait]
impl ChatService for AppService {
    fn capabilities(&self) -> CoreCapabilities {
        self.capabilities.clone()
    }

    async fn create_conversation(
        &self,
        new: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        let call = ServiceCall::CreateConversation {
            key: new.key.map(|key| key.to_string()),
            new: new.into(),
        };
        let ServiceAnswer::Created {
            conversation: told,
            messages,
            existed,
        } = self.caller.call(call).await?
        else {
            return Err(odd());
        };
        let (made, (rows, _)) = (
            conversation(told).ok_or_else(odd)?,
            readable(messages, message),
        );
        Ok(if existed {
            CreateOutcome::Existing(made, rows)
        } else {
            CreateOutcome::Created(made, rows)
        })
    }

    async fn list_conversations(
        &self,
        scope: &ListScope,
        cursor: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        let call = ServiceCall::ListConversations {
            active_only: *scope == ListScope::Active,
            cursor: cursor.map(|place| place.as_str().to_owned()),
        };
        let ServiceAnswer::Conversations { list, next } = self.caller.call(call).await? else {
            return Err(odd());
        };
        let (conversations, skipped) = readable(list, conversation);
        Ok(ConversationPage {
            conversations,
            next: next.map(SyncCursor::new),
            skipped,
        })
    }

    async fn conversation(&self, id: &ConversationId) -> Result<CoreConversation, ServiceError> {
        self.one(ServiceCall::GetConversation { id: id.to_string() })
            .await
    }

    async fn history(
        &self,
        id: &ConversationId,
        range: &CoreRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        let place = |cursor: &SyncCursor| cursor.as_str().to_owned();
        let call = ServiceCall::History {
            id: id.to_string(),
            range: match range {
                CoreRange::Newest => HistoryRange::Newest,
                CoreRange::After(cursor) => HistoryRange::After {
                    cursor: place(cursor),
                },
                CoreRange::Before(cursor) => HistoryRange::Before {
                    cursor: place(cursor),
                },
                CoreRange::Tail(cursor) => HistoryRange::Tail {
                    cursor: place(cursor),
                },
            },
            limit: index(limit),
        };
        let ServiceAnswer::History {
            messages,
            older,
            newer,
            more,
            tail,
        } = self.caller.call(call).await?
        else {
            return Err(odd());
        };
        let (messages, skipped) = readable(messages, message);
        Ok(HistoryPage {
            changed: Vec::new(),
            messages,
            older: older.map(SyncCursor::new),
            newer: SyncCursor::new(newer),
            more,
            tail: tail.map(SyncCursor::new),
            skipped,
        })
    }

    async fn send(&self, leaving: &Outgoing) -> Result<SendReceipt, ServiceError> {
        let call = ServiceCall::Send {
            outgoing: outgoing(leaving),
        };
        let ServiceAnswer::Sent {
            message: row,
            answer,
        } = self.caller.call(call).await?
        else {
            return Err(odd());
        };
        Ok(SendReceipt {
            message: row.and_then(message),
            answer: answer.and_then(message),
        })
    }

    async fn connect(&self, id: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        let session = self.sessions.fetch_add(1, Ordering::Relaxed);
        let (feed, events) = SessionFeed::pair();
        let call = ServiceCall::Connect {
            id: id.to_string(),
            session,
            feed,
        };
        self.caller.done(call).await?;
        Ok(Arc::new(AppSession {
            caller: self.caller.clone(),
            session,
            events: Mutex::new(events),
        }))
    }

    async fn reconcile(&self, leaving: &Outgoing) -> Result<Reconciled, ServiceError> {
        let call = ServiceCall::Reconcile {
            outgoing: outgoing(leaving),
        };
        match self.caller.call(call).await? {
            ServiceAnswer::Reconciled { found } => Ok(match found {
                ReconcileAnswer::Applied { message: row } => {
                    Reconciled::Applied(Box::new(message(row).ok_or_else(odd)?))
                }
                ReconcileAnswer::NotApplied => Reconciled::NotApplied,
                ReconcileAnswer::Unknown => Reconciled::Unknown,
            }),
            _ => Err(odd()),
        }
    }

    async fn mark_read(&self, id: &ConversationId, up_to: &MessageId) -> Result<(), ServiceError> {
        let (id, up_to) = (id.to_string(), up_to.to_string());
        self.caller.done(ServiceCall::MarkRead { id, up_to }).await
    }

    async fn delete_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        let (id, message) = (id.to_string(), message.to_string());
        self.caller
            .done(ServiceCall::DeleteMessage { id, message })
            .await
    }

    async fn edit_message(
        &self,
        id: &ConversationId,
        edited: &MessageId,
        text: &str,
    ) -> Result<CoreMessage, ServiceError> {
        let call = ServiceCall::EditMessage {
            id: id.to_string(),
            message: edited.to_string(),
            text: text.to_owned(),
        };
        match self.caller.call(call).await? {
            ServiceAnswer::MessageChanged { message: row } => message(row).ok_or_else(odd),
            _ => Err(odd()),
        }
    }

    async fn stop_answer(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.caller
            .done(ServiceCall::StopAnswer { id: id.to_string() })
            .await
    }

    async fn archive(&self, id: &ConversationId, archived: bool) -> Result<(), ServiceError> {
        let id = id.to_string();
        self.caller
            .done(ServiceCall::Archive { id, archived })
            .await
    }

    async fn complete(&self, id: &ConversationId) -> Result<CoreConversation, ServiceError> {
        self.one(ServiceCall::Complete { id: id.to_string() }).await
    }

    async fn delete_conversation(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.caller
            .done(ServiceCall::DeleteConversation { id: id.to_string() })
            .await
    }
}

/// A realtime session of an app's own backend.
#[derive(Debug)]
struct AppSession {
    caller: Caller,
    session: i64,
    events: Mutex<mpsc::Receiver<SessionEvent>>,
}

#[async_trait]
impl RealtimeSession for AppSession {
    async fn next_event(&self) -> SessionEvent {
        let next = self.events.lock().await.recv().await;
        next.unwrap_or(SessionEvent::Closed(CloseReason::Broken))
    }

    async fn send(&self, leaving: &Outgoing) -> Result<(), ServiceError> {
        let outgoing = outgoing(leaving);
        let session = self.session;
        self.caller
            .done(ServiceCall::SessionSend { session, outgoing })
            .await
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        let session = self.session;
        self.caller
            .done(ServiceCall::SessionProbe { session })
            .await
    }

    async fn stop_answer(&self) -> Result<(), ServiceError> {
        let session = self.session;
        self.caller
            .done(ServiceCall::SessionStopAnswer { session })
            .await
    }

    async fn set_typing(&self, active: bool) -> Result<(), ServiceError> {
        let session = self.session;
        self.caller
            .done(ServiceCall::SessionSetTyping { session, active })
            .await
    }

    async fn ack(&self, ids: &[MessageId]) -> Result<(), ServiceError> {
        let ids = ids.iter().map(ToString::to_string).collect();
        let session = self.session;
        self.caller
            .done(ServiceCall::SessionAck { session, ids })
            .await
    }

    async fn close(&self) {
        let session = self.session;
        let bound = tokio::time::timeout(
            CLOSE,
            self.caller.done(ServiceCall::SessionClose { session }),
        );
        let _ = bound.await;
    }
}

/// How long a polite close may take.
const CLOSE: Duration = Duration::from_secs(2);
