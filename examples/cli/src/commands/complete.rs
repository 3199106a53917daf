//! `complete`: ends a conversation, here at once and on the server when it hears.

use std::time::Duration;

use super::actions;
use crate::{
    context::{Context, conversation_id},
    failure::Failure,
    feed::Feed,
    output::records::Record,
    setup::Access,
};

/// Completes, and waits for the server.
pub(crate) async fn run(context: &Context, id: &str, timeout: Duration) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    let done = client.complete(conversation_id(id)?).await?;
    context
        .out
        .print(&Record::Conversation((&done.shown).into()));
    match done.action {
        Some(action) => actions::follow(context, client, feed, action, timeout).await,
        None => Ok(()),
    }
}
