//! Passing events to readers of any speed: bounded, and a loss is said.

use tokio::sync::broadcast;

use crate::domain::event::ClientEvent;

/// Events kept for a slow reader before the oldest are dropped and counted.
const KEPT: usize = 1024;

/// The sending side, owned by the driver.
#[derive(Clone, Debug)]
pub(crate) struct Events(broadcast::Sender<ClientEvent>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    pub(crate) fn emit(&self, event: ClientEvent) {
        let _ = self.0.send(event);
    }

    /// Whether somebody would hear an event now.
    pub(crate) fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream(self.0.subscribe())
    }
}

/// One reader's events, from the moment it subscribed.
#[derive(Debug)]
pub struct EventStream(broadcast::Receiver<ClientEvent>);

impl EventStream {
    /// The next event; `None` after the client ended.
    ///
    /// A reader that fell behind gets [`ClientEvent::Discontinuity`] and goes on from there.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                Some(ClientEvent::Discontinuity { missed })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
