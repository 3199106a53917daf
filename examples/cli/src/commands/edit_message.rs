//! `edit-message`: changes a sent message where the backend can, and an unsent one anywhere.

use std::time::Duration;

use super::delete_message::changed;
use crate::{
    context::{Context, message_id},
    failure::Failure,
    feed::Feed,
    setup::Access,
};

/// Edits, prints the message as it shows, and waits for the server.
pub(crate) async fn run(
    context: &Context,
    id: &str,
    text: String,
    timeout: Duration,
) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    let edited = client.edit_message(message_id(id)?, text).await?;
    changed(context, client, feed, edited, timeout).await
}
