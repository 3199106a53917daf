//! Where the events of an app's own realtime session come in: bounded, and over when it is over.

use std::sync::{Arc, Mutex, PoisonError};

use tidings::domain::{
    event::{CloseReason, SendReceipt, SessionEvent as CoreEvent},
    ids::{ClientMessageId, MessageId, UserId},
    time::WallTime,
};
use tokio::sync::mpsc;

use super::{
    adapter::{kind, message},
    calls::SessionEvent,
};

/// Events the core has not taken yet; a session that pushes further ones is cut, and the history
/// is read anew.
const KEPT: usize = 1024;

/// Where the events of one session go.
#[derive(Debug, uniffi::Object)]
pub struct SessionFeed(Mutex<Option<mpsc::Sender<CoreEvent>>>);

impl SessionFeed {
    pub(super) fn pair() -> (Arc<Self>, mpsc::Receiver<CoreEvent>) {
        let (sender, receiver) = mpsc::channel(KEPT);
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }
}

#[uniffi::export]
impl SessionFeed {
    /// Hands an event over, in order; false once the session is over and nobody listens.
    pub fn push(&self, event: SessionEvent) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = held.as_ref() else {
            return false;
        };
        let event = core_event(event);
        let is_last = matches!(event, CoreEvent::Closed(_));
        let taken = sender.try_send(event).is_ok();
        if is_last || !taken {
            *held = None;
        }
        taken
    }
}

/// What makes no sense is a frame that could not be read.
// one match
fn core_event(event: SessionEvent) -> CoreEvent {
    let read = || -> Option<CoreEvent> {
        Some(match event {
            SessionEvent::Ready => CoreEvent::Ready,
            SessionEvent::Alive => CoreEvent::Alive,
            SessionEvent::Acknowledged {
                client_id,
                message: row,
            } => CoreEvent::Acknowledged {
                client_id: client_id.as_deref().and_then(ClientMessageId::parse),
                receipt: SendReceipt {
                    message: row.and_then(message),
                    answer: None,
                },
            },
            SessionEvent::AnswerDelta { text } => CoreEvent::AnswerDelta { text },
            SessionEvent::AnswerCompleted { stopped } => CoreEvent::AnswerCompleted { stopped },
            SessionEvent::Received { message: row } => CoreEvent::Message(message(row)?),
            SessionEvent::Failed {
                code,
                text,
                refused,
            } => CoreEvent::Failed {
                code,
                text,
                refused: refused.map(kind),
            },
            SessionEvent::Typing { user, active } => CoreEvent::Typing {
                user: UserId::parse(&user)?,
                active,
            },
            SessionEvent::Presence {
                user,
                online,
                last_seen_ms,
            } => CoreEvent::Presence {
                user: UserId::parse(&user)?,
                online,
                last_seen: last_seen_ms.map(WallTime::from_millis),
            },
            SessionEvent::Receipt { user, up_to, read } => CoreEvent::Receipt {
                user: UserId::parse(&user)?,
                up_to: MessageId::parse(&up_to)?,
                read,
            },
            SessionEvent::ReadMarker { up_to } => CoreEvent::ReadMarker {
                up_to: MessageId::parse(&up_to)?,
            },
            SessionEvent::Unknown { name } => CoreEvent::Unknown {
                name: name.chars().filter(|c| !c.is_control()).take(64).collect(),
            },
            SessionEvent::Undecodable => CoreEvent::Undecodable,
            SessionEvent::Closed => CoreEvent::Closed(CloseReason::Broken),
        })
    };
    read().unwrap_or(CoreEvent::Undecodable)
}
