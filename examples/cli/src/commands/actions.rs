//! Waiting for the end of an action that was accepted, as `send` waits for a message.

use std::time::Duration;

use tidings::{
    ChatClient,
    domain::{delivery::DeliveryState, event::ClientEvent, ids::ClientMessageId},
};

use crate::{
    context::Context,
    failure::Failure,
    feed::{Feed, Told},
    output::{self, records::Record},
};

/// Prints what happens to an action until its end; it stays queued when the time is up.
pub(super) async fn follow(
    context: &Context,
    client: &ChatClient,
    mut feed: Feed,
    action: ClientMessageId,
    timeout: Duration,
) -> Result<(), Failure> {
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    // It may have ended before the feed began.
    if let Some(last) = client.explain(action).await?.journal.last()
        && let Some(ended) = verdict(last)
    {
        context.out.print(&Record::Delivery(last.into()));
        return ended;
    }
    loop {
        tokio::select! {
            biased;
            told = feed.next() => match told {
                Told::Delivery(entry) if entry.message == action => {
                    context.out.print(&Record::Delivery((&entry).into()));
                    if let Some(ended) = verdict(&entry) {
                        return ended;
                    }
                }
                Told::Event(ClientEvent::SignInRequired) => return Err(output::sign_in_required()),
                Told::Failed(failure) => return Err(failure),
                _ => {}
            },
            () = &mut deadline => {
                let text = "the time is up: what the server was not told stays queued";
                return Err(Failure::timed_out(text));
            }
        }
    }
}

fn verdict(entry: &tidings::domain::journal::JournalEntry) -> Option<Result<(), Failure>> {
    match (entry.state, &entry.reason) {
        (DeliveryState::Failed, Some(reason)) => Some(Err(Failure::of_reason(reason))),
        (state, _) if state.is_pending() => None,
        _ => Some(Ok(())),
    }
}
