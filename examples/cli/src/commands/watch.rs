//! `watch`: opens conversations and prints what happens in them until told to stop.

use std::{collections::BTreeSet, future::Future, pin::Pin, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tidings::{
    ChatClient,
    domain::{
        event::{ClientEvent, SyncPhase},
        ids::ConversationId,
    },
};

use crate::{
    args::WatchArgs,
    context::{Context, conversation_id},
    failure::{Exit, Failure},
    feed::{self, Feed, Told},
    output,
    setup::Access,
};

/// A synchronisation that failed is tried again after this long.
const AGAIN: Duration = Duration::from_secs(1);

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
    let mut progress = args.until_synced.then(|| Progress::start(client, &ids));
    let deadline = rest(args.span);
    tokio::pin!(deadline);
    loop {
        if let Some(progress) = &progress
            && progress.is_over(&feed, &ids).await?
        {
            return Ok(());
        }
        tokio::select! {
            biased;
            told = feed.next() => {
                if !concerns(&told, &ids) {
                    continue;
                }
                for record in feed::lines(context, client, &feed, &told).await {
                    context.out.print(&record);
                }
                note(told, progress.as_mut())?;
            }
            ended = next(&mut progress) => ended?,
            () = &mut deadline => return match args.until_synced {
                true => Err(Failure::timed_out("the time is up before all was synchronised")),
                false => Ok(()),
            },
        }
    }
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

/// Ends the watch where there is nothing more to wait for; the line was printed with the others.
fn note(told: Told, progress: Option<&mut Progress<'_>>) -> Result<(), Failure> {
    let failure = match told {
        Told::Event(ClientEvent::SignInRequired) => output::sign_in_required(),
        Told::Failed(failure) => failure,
        Told::Event(ClientEvent::Sync {
            conversation,
            phase,
            ..
        }) => {
            if let Some(progress) = progress {
                progress.phase(conversation, phase);
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    Err(Failure {
        reported: true,
        ..failure
    })
}

type Reading<'a> = Pin<Box<dyn Future<Output = (ConversationId, Result<(), Failure>)> + Send + 'a>>;

/// What is still to be read from the server.
struct Progress<'a> {
    client: &'a ChatClient,
    readings: FuturesUnordered<Reading<'a>>,
    missing: BTreeSet<ConversationId>,
    /// Those of which the client said last that they are synchronised.
    told: BTreeSet<ConversationId>,
}

impl<'a> Progress<'a> {
    fn start(client: &'a ChatClient, ids: &[ConversationId]) -> Self {
        let progress = Self {
            client,
            readings: FuturesUnordered::new(),
            missing: ids.iter().cloned().collect(),
            told: BTreeSet::new(),
        };
        for id in ids {
            progress.read(id.clone(), Duration::ZERO);
        }
        progress
    }

    fn phase(&mut self, id: ConversationId, phase: SyncPhase) {
        match phase {
            SyncPhase::Synced => self.told.insert(id),
            _ => self.told.remove(&id),
        };
    }

    /// Reads a conversation to both ends.
    fn read(&self, id: ConversationId, delay: Duration) {
        let client = self.client;
        self.readings.push(Box::pin(async move {
            tokio::time::sleep(delay).await;
            let read = client.synchronise(id.clone()).await;
            (id, read.map(drop).map_err(Failure::from))
        }));
    }

    /// Whether all is stored, was told, and is printed.
    async fn is_over(&self, feed: &Feed, ids: &[ConversationId]) -> Result<bool, Failure> {
        let told = !self.client.is_owner() || ids.iter().all(|id| self.told.contains(id));
        if !self.missing.is_empty() || !told {
            return Ok(false);
        }
        for id in ids {
            let newest = self.client.history(id.clone(), None, 1, false).await?;
            let stored = newest.messages.last().map(|(_, row)| row.id);
            if feed.rows(id).last().map(|row| row.id) != stored {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The end of a reading; waits for ever where there is none.
async fn next(progress: &mut Option<Progress<'_>>) -> Result<(), Failure> {
    let Some(progress) = progress else {
        return std::future::pending().await;
    };
    let Some((id, read)) = progress.readings.next().await else {
        return std::future::pending().await;
    };
    match read {
        Ok(()) => {
            progress.missing.remove(&id);
            Ok(())
        }
        Err(failure) if failure.exit == Exit::GaveUp => {
            progress.read(id, AGAIN);
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}
