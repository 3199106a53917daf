//! `retry`: puts a failed message, or another failed action, back into the queue, and waits for it.

use std::time::Duration;

use tidings::ChatError;

use super::{
    actions,
    send::{Job, follow},
};
use crate::{
    args::{Mode, Wait},
    context::{Context, message_id},
    failure::Failure,
    feed::Feed,
    setup::Access,
};

/// Retries.
pub(crate) async fn run(context: &Context, id: &str, timeout: Duration) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    let id = message_id(id)?;
    let row = match client.retry(id).await {
        Ok(row) => row,
        Err(ChatError::NotFound(_)) => {
            client.retry_action(id).await?;
            return actions::follow(context, client, feed, id, timeout).await;
        }
        Err(error) => return Err(error.into()),
    };
    let job = Job {
        mode: Mode::Durable,
        wait: Wait::Sent,
        timeout,
    };
    follow(context, client, feed, row, job).await
}
