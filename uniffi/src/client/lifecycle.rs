//! What the app tells of itself and its device, and the end.

use std::sync::Arc;

use tidings::NetworkChange as CoreChange;

use super::ChatClient;
use crate::{
    cancel::CancelHandle,
    error::ChatError,
    records::{capabilities::Capabilities, span},
    runtime::{change, here},
};

/// What the platform says of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkChange {
    /// There is one, perhaps after there was none.
    Up,
    /// There is none.
    Down,
    /// The path changed: open sockets are suspect.
    Changed,
}

/// What is known of a client without asking anyone.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClientInfo {
    /// Whether this process sends and synchronises, or another one on the same store does.
    pub owner: bool,
    /// What the backend can do.
    pub capabilities: Capabilities,
}

#[uniffi::export]
impl ChatClient {
    /// Whether this client sends, and what the backend can do.
    pub fn info(&self) -> Result<ClientInfo, ChatError> {
        let core = self.core()?;
        here(|| {
            Ok(ClientInfo {
                owner: core.is_owner(),
                capabilities: core.capabilities().into(),
            })
        })
    }

    /// The app left the foreground: sending and polling go on until the deadline, then sockets are
    /// closed and writes finished. Returns when suspended, or when the app came back first. With a
    /// deadline of zero it suspends at once: what is on the wire is given up and learned later.
    ///
    /// Suspended, no file of the store is open and no lock is held; until [`Self::foreground`] every
    /// call that needs the store fails.
    #[uniffi::method(default(cancel = None))]
    pub async fn background(
        &self,
        deadline_ms: i64,
        cancel: Option<Arc<CancelHandle>>,
    ) -> Result<(), ChatError> {
        let core = self.core()?;
        let work = async move { Ok(core.background(span(deadline_ms)).await?) };
        change(cancel, work).await
    }

    /// The app is back: redials, catches up, retries what waits.
    pub fn foreground(&self) -> Result<(), ChatError> {
        let core = self.core()?;
        here(|| {
            core.foreground();
            Ok(())
        })
    }

    /// The platform reports a change of the network.
    pub fn network_changed(&self, change: NetworkChange) -> Result<(), ChatError> {
        let core = self.core()?;
        let change = match change {
            NetworkChange::Up => CoreChange::Up,
            NetworkChange::Down => CoreChange::Down,
            NetworkChange::Changed => CoreChange::Changed,
        };
        here(|| {
            core.network_changed(change);
            Ok(())
        })
    }

    /// Ends everything in bounded time: feeds end, sockets are closed politely, writes finished,
    /// the store closed. After it has returned nothing of the app is called any more. May be
    /// called again.
    ///
    /// Called and waited for from inside a call of the SDK into the app, it waits two seconds for
    /// that very call, then goes on.
    pub async fn shutdown(&self) -> Result<(), ChatError> {
        let (core, lifetime) = (Arc::clone(&self.core), Arc::clone(&self.lifetime));
        change(None, async move {
            lifetime.ended.raise();
            core.shutdown().await;
            lifetime.gate.close().await;
            Ok(())
        })
        .await
    }
}
