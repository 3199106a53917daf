//! `cancel`: takes an unsent message, or another waiting action, back.

use tidings::ChatError;

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
    if let Err(error) = client.cancel(id).await {
        let no_message = matches!(error, ChatError::NotFound(_));
        if !no_message {
            return Err(error.into());
        }
        client.cancel_action(id).await?;
    }
    shared::print_last_delivery(context, client, id).await
}
