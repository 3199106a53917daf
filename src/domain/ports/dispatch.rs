//! How a use case hands work to the running core, without knowing the runtime.

use std::fmt;

use async_trait::async_trait;

use crate::domain::{
    delivery::Reason,
    ids::{ClientMessageId, MessageId},
};

/// How a send ended, or that it waits.
#[derive(Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The server has it.
    Sent(Option<MessageId>),
    /// Proved rejected or expired; the text of a direct send comes back.
    Failed {
        /// Why.
        reason: Reason,
        /// The text, where the row was removed.
        draft: Option<String>,
    },
    /// Direct only: no proof within the deadlines; history will settle it.
    Unknown {
        /// The text.
        draft: String,
    },
    /// The user took it back.
    Cancelled,
}

/// Prints no text.
impl fmt::Debug for SendOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(id) => write!(f, "Sent({id:?})"),
            Self::Failed { reason, .. } => write!(f, "Failed({reason:?})"),
            Self::Unknown { .. } => f.write_str("Unknown"),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}

/// The running core, as use cases see it.
#[async_trait]
pub trait Dispatch: Send + Sync + fmt::Debug {
    /// The outbox has something new, or something was changed in it.
    fn wake(&self);

    /// Waits for a direct send's end. Register before the wake, or the end may be missed.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the send under way.
    async fn outcome(&self, id: ClientMessageId) -> SendOutcome;
}
