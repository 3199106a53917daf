//! `flush`: delivers all that is queued, or says what is left and why.

use std::{collections::BTreeMap, time::Duration};

use tidings::{
    ChatClient,
    domain::{event::ClientEvent, ids::ClientMessageId, outbox::OutboxEntry},
};

use crate::{
    context::Context,
    failure::{Exit, Failure},
    feed::{Feed, Told},
    output::{self, records::Record},
    setup::Access,
};

/// Wakes the outbox and follows it until it is empty, or the time is up.
pub(crate) async fn run(context: &Context, timeout: Duration) -> Result<(), Failure> {
    let client = context.client(Access::Network).await?;
    let mut feed = Feed::start(client).await?;
    let before = ids(&client.outbox().await?);
    let deadline = tokio::time::sleep(timeout);
    tokio::pin!(deadline);
    let mut flush = Box::pin(client.flush());
    let stopped = loop {
        tokio::select! {
            biased;
            told = feed.next() => if let Some(stop) = report(context, told)? {
                break Some(stop);
            },
            done = &mut flush => break done.err().map(Failure::from),
            () = &mut deadline => break None,
        }
    };
    drop(flush);
    match stopped {
        Some(failure) => Err(failure),
        None => say_what_is_left(context, client, &before).await,
    }
}

/// Prints what was told; the failure that ends the waiting, where it is one.
fn report(context: &Context, told: Told) -> Result<Option<Failure>, Failure> {
    match told {
        Told::Delivery(entry) => {
            context.out.print(&Record::Delivery((&entry).into()));
            let refused = |code: &str| code == "sign_in_required";
            let ended = entry.reason.is_some_and(|reason| refused(&reason.code));
            Ok(ended.then(output::sign_in_required))
        }
        Told::Event(ClientEvent::SignInRequired) => Ok(Some(output::sign_in_required())),
        Told::Event(event @ (ClientEvent::Cooldown { .. } | ClientEvent::StoreTroubled { .. })) => {
            if let Some(record) = output::event(event, context.now()) {
                context.out.print(&record);
            }
            Ok(None)
        }
        Told::Event(_) | Told::Timeline(..) => Ok(None),
        Told::Failed(failure) => Err(failure),
    }
}

async fn say_what_is_left(
    context: &Context,
    client: &ChatClient,
    before: &BTreeMap<ClientMessageId, bool>,
) -> Result<(), Failure> {
    let left = client.outbox().await?;
    for entry in &left {
        context.out.print(&Record::Delivery(entry.into()));
    }
    let waiting = left.iter().filter(|entry| entry.state.is_pending()).count();
    let failed_now = |entry: &&OutboxEntry| {
        !entry.state.is_pending() && before.get(&entry.id).copied().unwrap_or(true)
    };
    if waiting > 0 {
        let text = format!("{waiting} of the messages still wait; each line above says why");
        let failure = Failure::new(Exit::GaveUp, "flush.incomplete", text);
        return Err(Failure {
            retryable: true,
            ..failure
        });
    }
    match left
        .iter()
        .find(failed_now)
        .and_then(|entry| entry.reason.as_ref())
    {
        Some(reason) => Err(Failure::of_reason(reason)),
        None => Ok(()),
    }
}

/// The unsent messages, and whether each is still to be delivered.
fn ids(entries: &[OutboxEntry]) -> BTreeMap<ClientMessageId, bool> {
    let each = entries.iter();
    each.map(|entry| (entry.id, entry.state.is_pending()))
        .collect()
}
