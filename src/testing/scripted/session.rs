//! A scripted socket: what is pushed comes out, what is sent is kept.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::{Mutex, mpsc};

use super::{Operation, ScriptedService};
use crate::domain::{
    event::{CloseReason, SendReceipt, SessionEvent},
    ids::ConversationId,
    ports::{ChatService, Outgoing, RealtimeSession},
    retry::{FailureKind, ServiceError},
};

/// One socket of a [`ScriptedService`]. Clones share it.
#[derive(Clone)]
pub struct ScriptedSession {
    shared: Arc<Shared>,
}

struct Shared {
    service: ScriptedService,
    conversation: ConversationId,
    push: mpsc::UnboundedSender<SessionEvent>,
    events: Mutex<mpsc::UnboundedReceiver<SessionEvent>>,
    closed: AtomicBool,
    broken: AtomicBool,
    deaf: AtomicBool,
    confirms: AtomicBool,
    probes: AtomicUsize,
}

impl fmt::Debug for ScriptedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedSession")
            .field("conversation", &self.shared.conversation)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl ScriptedSession {
    pub(super) fn open(service: ScriptedService, conversation: ConversationId) -> Self {
        let (push, events) = mpsc::unbounded_channel();
        Self {
            shared: Arc::new(Shared {
                service,
                conversation,
                push,
                events: Mutex::new(events),
                closed: AtomicBool::new(false),
                broken: AtomicBool::new(false),
                deaf: AtomicBool::new(false),
                confirms: AtomicBool::new(true),
                probes: AtomicUsize::new(0),
            }),
        }
    }

    /// Which conversation it belongs to.
    #[must_use]
    pub fn conversation(&self) -> &ConversationId {
        &self.shared.conversation
    }

    /// The server says this.
    pub fn push(&self, event: SessionEvent) {
        let _ = self.shared.push.send(event);
    }

    /// The server ends the session.
    pub fn end(&self, reason: CloseReason) {
        self.shared.broken.store(true, Ordering::Relaxed);
        self.shared.closed.store(true, Ordering::Relaxed);
        self.push(SessionEvent::Closed(reason));
    }

    /// From now on the line is dead both ways, and nobody says so.
    pub fn go_deaf(&self) {
        self.shared.deaf.store(true, Ordering::Relaxed);
    }

    /// Messages are taken but not confirmed any more.
    pub fn stop_confirming(&self) {
        self.shared.confirms.store(false, Ordering::Relaxed);
    }

    /// Whether it is over: ended by the server, or closed by the client.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// How often a sign of life was asked for.
    #[must_use]
    pub fn probes(&self) -> usize {
        self.shared.probes.load(Ordering::Relaxed)
    }

    fn is_deaf(&self) -> bool {
        self.shared.deaf.load(Ordering::Relaxed)
    }

    fn check(&self) -> Result<(), ServiceError> {
        if self.shared.broken.load(Ordering::Relaxed) {
            let text = "the socket is broken";
            return Err(ServiceError::unknown(FailureKind::Interrupted, text));
        }
        Ok(())
    }
}

#[async_trait]
impl RealtimeSession for ScriptedSession {
    async fn next_event(&self) -> SessionEvent {
        loop {
            let event = self.shared.events.lock().await.recv().await;
            let event = event.unwrap_or(SessionEvent::Closed(CloseReason::Broken));
            if let SessionEvent::Closed(reason) = &event {
                self.push(SessionEvent::Closed(reason.clone()));
                return event;
            }
            if !self.is_deaf() {
                return event;
            }
        }
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<(), ServiceError> {
        self.check()?;
        if self.is_deaf() {
            return Ok(());
        }
        let service = &self.shared.service;
        let row = service.take(Operation::SocketSend, outgoing).await?;
        if self.shared.confirms.load(Ordering::Relaxed) {
            let receipt = SendReceipt {
                message: row.client_id.is_some().then_some(row.clone()),
                answer: None,
            };
            self.push(SessionEvent::Acknowledged {
                client_id: row.client_id,
                receipt,
            });
        }
        service.answer(&outgoing.conversation);
        Ok(())
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        self.shared.probes.fetch_add(1, Ordering::Relaxed);
        self.check()?;
        self.push(SessionEvent::Alive);
        Ok(())
    }

    async fn stop_answer(&self) -> Result<(), ServiceError> {
        let service = &self.shared.service;
        service.stop_answer(&self.shared.conversation).await
    }

    async fn set_typing(&self, _active: bool) -> Result<(), ServiceError> {
        self.check()
    }

    async fn close(&self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.push(SessionEvent::Closed(CloseReason::Local));
    }
}
