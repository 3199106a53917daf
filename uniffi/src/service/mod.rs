//! A backend of the app's own: every call of the port becomes one plain call into the app, and
//! its answer comes through an object.

mod adapter;
pub mod calls;
mod feed;
mod reply;

use std::sync::Arc;

pub(crate) use adapter::AppService;
pub use feed::SessionFeed;
pub use reply::ServiceReply;

use crate::error::ChatError;
use calls::ServiceCall;

/// A backend of the app's own.
///
/// Called on threads that may block, from several at once. Answer through the object, from any
/// thread, with the kind of answer that the call names; an answer of another kind, a throw, or
/// none within `send.attempt_timeout` leaves the outcome unknown.
#[uniffi::export(foreign)]
pub trait ServicePort: Send + Sync {
    /// Does what the call says.
    fn perform(&self, call: ServiceCall, reply: Arc<ServiceReply>) -> Result<(), ChatError>;
}
