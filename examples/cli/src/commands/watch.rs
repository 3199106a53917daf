//! `watch`: opens conversations and prints what happens in them until told to stop.

use std::{collections::BTreeSet, time::Duration};

use tidings::domain::{
    event::{ClientEvent, SyncPhase},
    ids::ConversationId,
};

use crate::{
    args::WatchArgs,
    context::{Context, conversation_id},
    failure::Failure,
    feed::{self, Feed, Told},
    output,
    setup::Access,
};

/// Watches. A signal ends it cleanly.
pub(crate) async fn run(context: &Context, args: WatchArgs) -> Result<(), Failure> {
    let ids: Vec<ConversationId> = args
        .conversations
        .iter()
        .map(|text| conversation_id(text))
        .collect::<Result<_, _>>()?;
    let client = context.client(Access::Network).await?;
    let mut feed = Feed::start(client).await?;
    let mut handles = Vec::new();
    for id in &ids {
        feed.show(client, id);
        handles.push(client.open(id.clone()));
    }
    let mut missing: BTreeSet<ConversationId> = ids.iter().cloned().collect();
    let deadline = rest(args.span);
    tokio::pin!(deadline);
    while !(args.until_synced && missing.is_empty()) {
        tokio::select! {
            biased;
            told = feed.next() => {
                if !concerns(&told, &ids) {
                    continue;
                }
                for record in feed::lines(context, client, &feed, &told).await {
                    context.out.print(&record);
                }
                note(told, &mut missing)?;
            }
            () = &mut deadline => return match args.until_synced {
                true => Err(Failure::timed_out("the time is up before all was synchronised")),
                false => Ok(()),
            },
        }
    }
    Ok(())
}

async fn rest(span: Option<Duration>) {
    match span {
        Some(span) => tokio::time::sleep(span).await,
        None => std::future::pending().await,
    }
}

/// Whether it is about one of these conversations, or about none.
fn concerns(told: &Told, ids: &[ConversationId]) -> bool {
    match told {
        Told::Delivery(entry) => ids.contains(&entry.conversation),
        _ => true,
    }
}

fn note(told: Told, missing: &mut BTreeSet<ConversationId>) -> Result<(), Failure> {
    match told {
        Told::Event(ClientEvent::Sync {
            conversation,
            phase: SyncPhase::Synced,
            ..
        }) => {
            missing.remove(&conversation);
            Ok(())
        }
        Told::Event(ClientEvent::SignInRequired) => Err(Failure {
            reported: true,
            ..output::sign_in_required()
        }),
        // The line was printed with the others.
        Told::Failed(failure) => Err(Failure {
            reported: true,
            ..failure
        }),
        _ => Ok(()),
    }
}
