//! `retry`: puts a failed message back into the queue, and waits for it.

use std::time::Duration;

use super::send::{Job, follow};
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
    let row = client.retry(message_id(id)?).await?;
    let job = Job {
        mode: Mode::Durable,
        wait: Wait::Sent,
        timeout,
    };
    follow(context, client, feed, row, job).await
}
