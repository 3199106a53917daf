//! The driver.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{
    client::ChatClientParts,
    runtime::{command::Commands, events::Events},
};

/// Starts the driver.
pub(crate) fn start(_parts: &ChatClientParts, _events: Events) -> Commands {
    let (tx, _rx) = mpsc::unbounded_channel();
    Commands(Arc::new(tx))
}
