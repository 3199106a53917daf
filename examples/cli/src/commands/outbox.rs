//! `outbox`: every unsent message with state, attempts, next attempt and reason.

use crate::{context::Context, failure::Failure, output::records::Record, setup::Access};

/// Prints them in the order in which they were accepted; sends nothing.
pub(crate) async fn run(context: &Context) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    for entry in client.outbox().await? {
        context.out.print(&Record::Delivery((&entry).into()));
    }
    Ok(())
}
