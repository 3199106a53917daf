//! What a backend adds to a WebSocket: the meaning of its frames.

use std::{collections::VecDeque, fmt};

use crate::domain::{event::SessionEvent, ids::MessageId, ports::Outgoing, retry::ServiceError};

/// Reads frames. It may remember what it saw, and is asked for one frame at a time.
pub trait Decoder: Send + fmt::Debug + 'static {
    /// Appends what a text frame says; bad input becomes an event, never a failure.
    fn text(&mut self, frame: &str, events: &mut VecDeque<SessionEvent>);

    /// Appends what a binary frame says; by default it is read as text, leniently.
    fn binary(&mut self, frame: &[u8], events: &mut VecDeque<SessionEvent>) {
        self.text(&String::from_utf8_lossy(frame), events);
    }
}

/// Writes frames.
pub trait Encoder: Send + Sync + fmt::Debug + 'static {
    /// The frame that sends a message.
    ///
    /// # Errors
    /// [`ServiceError`] where this message cannot go over the socket.
    fn message(&self, outgoing: &Outgoing) -> Result<String, ServiceError>;

    /// A frame sent beside the native ping when a sign of life is wanted.
    fn probe(&self) -> Option<String> {
        None
    }

    /// The frame that stops an answer.
    fn stop(&self) -> Option<String> {
        None
    }

    /// The frame that tells of typing.
    fn typing(&self, _active: bool) -> Option<String> {
        None
    }

    /// The frame that confirms events.
    fn ack(&self, _ids: &[MessageId]) -> Option<String> {
        None
    }
}
