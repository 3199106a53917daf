//! `chat` (in progress).
use crate::{context::Context, failure::Failure};

/// Restores the terminal.
pub(crate) fn restore_terminal() {}

/// Chats.
pub(crate) async fn run(_context: &Context, _conversation: Option<String>) -> Result<(), Failure> {
    Err(Failure::internal())
}
