//! The socket's vocabulary: what each frame means, and what we say.

use std::collections::VecDeque;

use serde_json::json;

use crate::{
    adapters::{
        consultations::{
            documents::{Documents, Piece},
            json::Object,
            wire,
        },
        printable,
        websocket::{Decoder, Encoder},
    },
    domain::{
        event::{SendReceipt, SessionEvent},
        ids::{ClientMessageId, ConversationId},
        message::Role,
        ports::Outgoing,
        retry::{FailureKind, ServiceError},
    },
};

type Events = VecDeque<SessionEvent>;

/// Reads one conversation's frames.
#[derive(Debug)]
pub struct ConsultationsDecoder {
    own: ConversationId,
    /// Whether text of an answer came since the last one ended.
    streaming: bool,
}

impl Decoder for ConsultationsDecoder {
    fn text(&mut self, frame: &str, events: &mut Events) {
        let mut bad = false;
        for piece in Documents::of(frame) {
            if self.piece(piece, events).is_none() && !bad {
                // However much of a frame is bad, one look at the history makes up for it.
                bad = true;
                events.push_back(SessionEvent::Undecodable);
            }
        }
    }
}

impl ConsultationsDecoder {
    /// A decoder for this conversation's socket.
    #[must_use]
    pub const fn new(own: ConversationId) -> Self {
        Self {
            own,
            streaming: false,
        }
    }

    fn piece(&mut self, piece: Piece<'_>, events: &mut Events) -> Option<()> {
        let Piece::Document(text) = piece else {
            return None;
        };
        self.document(&Object::parse(text)?, events)
    }

    /// `None` where the document cannot be read.
    fn document(&mut self, object: &Object<'_>, events: &mut Events) -> Option<()> {
        let kind = object.text(&["type"])?;
        if wire::is_foreign(object, &self.own) {
            events.push_back(unknown(&kind));
            return Some(());
        }
        match kind.as_str() {
            "message" | "message_updated" => return self.message(object, events),
            "stream_chunk" | "assistant_message_chunk" | "ai_message_chunk" => {
                events.push_back(self.chunk(object)?);
            }
            "stream_complete" | "assistant_message_end" | "ai_message_complete" => {
                self.streaming = false;
                events.push_back(completed(object));
            }
            "error" => {
                self.streaming = false;
                events.push_back(failure(object));
            }
            _ => events.push_back(simple(&kind, object)),
        }
        Some(())
    }

    fn chunk(&mut self, object: &Object<'_>) -> Option<SessionEvent> {
        let text = object.text(&["content", "delta", "chunk", "text"])?;
        if text.is_empty() {
            return Some(SessionEvent::Alive);
        }
        self.streaming = true;
        Some(SessionEvent::AnswerDelta { text })
    }

    /// A whole message: nested, or with its content beside the type.
    fn message(&mut self, object: &Object<'_>, events: &mut Events) -> Option<()> {
        let nested = object.object(&["message"]);
        let message = nested.as_ref().unwrap_or(object);
        if wire::is_foreign(message, &self.own) {
            events.push_back(unknown("message"));
            return Some(());
        }
        if let Some(whole) = wire::message(message, Some(Role::Assistant)) {
            self.streaming &= whole.role != Role::Assistant;
            events.push_back(SessionEvent::Message(whole));
            return Some(());
        }
        self.nameless(message, events)
    }

    /// A message without an id cannot become a row: it shows as the streamed answer it would have
    /// been, and history supplies the row. One that is not an answer leaves only the history.
    fn nameless(&mut self, message: &Object<'_>, events: &mut Events) -> Option<()> {
        let answers = message
            .text(&["role"])
            .is_none_or(|role| role == "assistant");
        let text = message.text(&["content", "text"]).filter(|_| answers)?;
        if !self.streaming && !text.is_empty() {
            events.push_back(SessionEvent::AnswerDelta { text });
        }
        self.streaming = false;
        events.push_back(SessionEvent::AnswerCompleted { stopped: false });
        Some(())
    }
}

/// The frames that need no memory.
fn simple(kind: &str, object: &Object<'_>) -> SessionEvent {
    match kind {
        "connected" => SessionEvent::Ready,
        "message_received" => acknowledged(object),
        // The read marker counts messages where ours names one: the next read of the list tells it.
        "pong" | "ping" | "heartbeat" | "read_marker" => SessionEvent::Alive,
        "assistant_message_start" | "ai_message_start" | "template_created" => SessionEvent::Alive,
        // Another product's pushes share this socket.
        other if other.starts_with("meal_log.") => SessionEvent::Alive,
        other => unknown(other),
    }
}

fn completed(object: &Object<'_>) -> SessionEvent {
    let metadata = object.object(&["metadata"]).unwrap_or_default();
    let stopped = metadata.flag(&["stopped"]).unwrap_or(false);
    SessionEvent::AnswerCompleted { stopped }
}

fn acknowledged(object: &Object<'_>) -> SessionEvent {
    let key = object.text(&["client_id", "client_message_id"]);
    let row = object.object(&["message", "user_message"]);
    SessionEvent::Acknowledged {
        client_id: key.and_then(|key| ClientMessageId::parse(&key)),
        receipt: SendReceipt {
            message: row.and_then(|row| wire::message(&row, Some(Role::User))),
            answer: None,
        },
    }
}

fn failure(object: &Object<'_>) -> SessionEvent {
    let nested = object.object(&["error"]);
    let inner = nested.as_ref().unwrap_or(object);
    let code = inner.text(&["code", "error_code"]);
    let code = code.or_else(|| object.text(&["code", "error_code"]));
    SessionEvent::Failed {
        refused: code.as_deref().and_then(refused),
        code: code.and_then(|code| printable::code(&code)),
        text: inner.text(&["error", "message"]).unwrap_or_default(),
    }
}

/// The codes that turn a message down; any other only says that it was not confirmed.
fn refused(code: &str) -> Option<FailureKind> {
    let code = code.to_ascii_uppercase();
    match code.as_str() {
        code if code.contains("NOT_ACTIVE") => Some(FailureKind::NotActive),
        "BAD_REQUEST" | "INVALID_REQUEST" | "VALIDATION_ERROR" => Some(FailureKind::Invalid),
        "FORBIDDEN" => Some(FailureKind::NotAllowed),
        _ => None,
    }
}

fn unknown(kind: &str) -> SessionEvent {
    SessionEvent::Unknown {
        name: printable::name(kind),
    }
}

/// Writes frames.
#[derive(Debug)]
pub struct ConsultationsEncoder {
    /// Whether the server takes messages over the socket.
    pub(super) sends: bool,
    /// Whether it has the reference backend's extensions.
    pub(super) extensions: bool,
}

impl Encoder for ConsultationsEncoder {
    fn message(&self, outgoing: &Outgoing) -> Result<String, ServiceError> {
        if !self.sends {
            return Err(ServiceError::unsupported("take messages over the socket"));
        }
        let mut frame = json!({ "type": "message", "content": outgoing.text });
        if self.extensions {
            frame["client_id"] = outgoing.id.to_string().into();
        }
        Ok(frame.to_string())
    }

    fn probe(&self) -> Option<String> {
        Some(json!({ "type": "ping" }).to_string())
    }

    fn stop(&self) -> Option<String> {
        self.extensions
            .then(|| json!({ "type": "stop" }).to_string())
    }
}

#[cfg(test)]
mod tests;
