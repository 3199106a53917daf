//! `demo` (in progress).
use crate::{args::DemoArgs, context::Context, failure::Failure};

/// Plays.
pub(crate) async fn run(_context: &Context, _args: DemoArgs) -> Result<(), Failure> {
    Err(Failure::internal())
}
