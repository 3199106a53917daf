//! `doctor` (in progress).
use crate::{context::Context, failure::Failure};

/// Checks.
pub(crate) async fn run(_context: &Context, _conversation: Option<String>) -> Result<(), Failure> {
    Err(Failure::internal())
}
