//! `delete-message`: deletes a sent message where the backend can, and an unsent one anywhere.

use std::time::Duration;

use tidings::{ChatClient, domain::message::Message, usecases::Accepted};

use super::{actions, shared};
use crate::{
    context::{Context, message_id},
    failure::Failure,
    feed::Feed,
    output::records::{MessageRecord, Record},
    setup::Access,
};

/// Deletes, prints what is left of it, and waits for the server.
pub(crate) async fn run(context: &Context, id: &str, timeout: Duration) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let feed = Feed::start(client).await?;
    let deleted = client.delete_message(message_id(id)?).await?;
    changed(context, client, feed, deleted, timeout).await
}

/// Prints a changed message and follows the change to its end.
pub(super) async fn changed(
    context: &Context,
    client: &ChatClient,
    feed: Feed,
    changed: Accepted<Message>,
    timeout: Duration,
) -> Result<(), Failure> {
    let position = shared::position(client, &changed.shown).await?;
    let record = MessageRecord::new(position, &changed.shown);
    context.out.print(&Record::Message(record));
    match changed.action {
        Some(action) => actions::follow(context, client, feed, action, timeout).await,
        None => Ok(()),
    }
}
