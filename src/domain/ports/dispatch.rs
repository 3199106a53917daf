//! How a use case hands work to the running core, without knowing the runtime.

use std::fmt;

/// The running core, as use cases see it.
pub trait Dispatch: Send + Sync + fmt::Debug {
    /// The outbox has something new, or something was changed in it.
    fn wake(&self);
}
