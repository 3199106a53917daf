//! `cancel`: takes an unsent message back.

use super::shared;
use crate::{
    context::{Context, message_id},
    failure::Failure,
    setup::Access,
};

/// Cancels.
pub(crate) async fn run(context: &Context, id: &str) -> Result<(), Failure> {
    let client = context.client(Access::Store).await?;
    let id = message_id(id)?;
    client.cancel(id).await?;
    shared::print_last_delivery(context, client, id).await
}
