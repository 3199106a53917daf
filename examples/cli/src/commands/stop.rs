//! `stop`: ends the answer to the newest message early.

use std::time::Duration;

use super::actions;
use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    feed::Feed,
    setup::Access,
};

/// Stops, and waits for the server.
pub(crate) async fn run(context: &Context, id: &str, timeout: Duration) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    match client.stop_answer(conversation_id(id)?).await? {
        Some(action) => actions::follow(context, client, feed, action, timeout).await,
        None => Ok(()),
    }
}
