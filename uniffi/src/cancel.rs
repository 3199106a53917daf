//! Ends a wait from outside, for languages whose own cancellation does not reach the core.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that is raised once and can be waited for.
#[derive(Debug)]
pub(crate) struct Flag(watch::Sender<bool>);

impl Default for Flag {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Flag {
    pub(crate) fn raise(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_up(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once the flag is up; may be dropped and called again.
    pub(crate) async fn up(&self) {
        let mut seen = self.0.subscribe();
        // The sender lives as long as `self`, so this ends with the flag only.
        let _ = seen.wait_for(|up| *up).await;
    }
}

/// Ends the waits it was given to; one handle may serve many calls.
///
/// A call that changes something is not undone: only the wait for it ends, with the code
/// `cancelled`.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelHandle(Flag);

#[uniffi::export]
impl CancelHandle {
    /// A handle that nobody has pulled.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Ends every wait that has this handle, now and later.
    pub fn cancel(&self) {
        self.0.raise();
    }
}

impl CancelHandle {
    pub(crate) async fn pulled(&self) {
        self.0.up().await;
    }
}
