//! A realtime session: frames in, frames out, until it closes.

use std::fmt;

use async_trait::async_trait;

use crate::domain::{event::SessionEvent, ids::MessageId, ports::Outgoing, retry::ServiceError};

/// One open session. All methods may run at once from different tasks.
#[async_trait]
pub trait RealtimeSession: Send + Sync + fmt::Debug {
    /// The next event; after [`SessionEvent::Closed`] it keeps answering that.
    ///
    /// # Cancel safety
    /// Dropping the future loses no event.
    async fn next_event(&self) -> SessionEvent;

    /// Puts a message on the wire; the confirmation comes as an event.
    ///
    /// # Errors
    /// [`ServiceError`] with the honest outcome: a frame that may have left is Unknown.
    async fn send(&self, outgoing: &Outgoing) -> Result<(), ServiceError>;

    /// Asks the peer for a sign of life, in the way this protocol has.
    ///
    /// # Errors
    /// [`ServiceError`] where the socket is broken.
    async fn probe(&self) -> Result<(), ServiceError>;

    /// Asks the server to stop the answer under way.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where the backend cannot.
    async fn stop_answer(&self) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("stop an answer"))
    }

    /// Tells the room that the user types, or stopped.
    ///
    /// # Errors
    /// [`ServiceError`], `Unsupported` where the backend cannot.
    async fn set_typing(&self, _active: bool) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("show typing"))
    }

    /// Confirms events to the server; called only after they are stored.
    ///
    /// # Errors
    /// [`ServiceError`] where the socket is broken.
    async fn ack(&self, _ids: &[MessageId]) -> Result<(), ServiceError> {
        Ok(())
    }

    /// Closes politely, within a bounded time; never fails.
    async fn close(&self);
}
