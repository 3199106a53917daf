//! Everything that a client tells, in one stream: events, deliveries, and open timelines.

use std::collections::BTreeMap;

use tidings::{
    ChatClient,
    domain::{
        event::ClientEvent, ids::ConversationId, journal::JournalEntry, message::Message,
        timeline::TimelineDiff,
    },
};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use crate::{
    context::Context,
    failure::Failure,
    output::{self, records::Record},
};

/// Items kept for a slow reader; further ones wait at their source.
const KEPT: usize = 256;

/// Messages of a timeline that are shown at first.
pub(crate) const WINDOW: usize = 100;

/// One thing that a client told.
#[derive(Debug)]
pub(crate) enum Told {
    /// A passing event.
    Event(ClientEvent),
    /// What happened to a sent message.
    Delivery(JournalEntry),
    /// Changes of an open timeline.
    Timeline(ConversationId, Vec<TimelineDiff>),
    /// A source ended with an error.
    Failed(Failure),
}

/// The stream, and the tasks that fill it.
#[derive(Debug)]
pub(crate) struct Feed {
    tx: mpsc::Sender<Told>,
    rx: mpsc::Receiver<Told>,
    tasks: JoinSet<()>,
    shown: BTreeMap<ConversationId, Shown>,
}

/// One open timeline, as its reader sees it.
#[derive(Debug)]
struct Shown {
    task: AbortHandle,
    rows: Vec<Message>,
}

impl Feed {
    /// Follows events and deliveries from now on.
    pub(crate) async fn start(client: &ChatClient) -> Result<Self, Failure> {
        let (tx, rx) = mpsc::channel(KEPT);
        let mut feed = Self {
            tx,
            rx,
            tasks: JoinSet::new(),
            shown: BTreeMap::new(),
        };
        let mut events = client.events();
        let tx = feed.tx.clone();
        feed.tasks.spawn(async move {
            while let Some(event) = events.next().await {
                if tx.send(Told::Event(event)).await.is_err() {
                    break;
                }
            }
        });
        let mut deliveries = client.observe_deliveries().await?;
        let tx = feed.tx.clone();
        feed.tasks.spawn(async move {
            loop {
                let told = match deliveries.next().await {
                    Ok(entry) => Told::Delivery(entry),
                    Err(error) => return tell_failure(&tx, error.into()).await,
                };
                if tx.send(told).await.is_err() {
                    break;
                }
            }
        });
        Ok(feed)
    }

    /// Follows a conversation's messages too; a second call changes nothing.
    pub(crate) fn show(&mut self, client: &ChatClient, id: &ConversationId) {
        self.show_window(client, id, WINDOW);
    }

    /// As [`Self::show`], with that many messages at first.
    pub(crate) fn show_window(&mut self, client: &ChatClient, id: &ConversationId, window: usize) {
        if self.shown.contains_key(id) {
            return;
        }
        let mut observer = client.observe_timeline(id.clone(), window);
        let (tx, conversation) = (self.tx.clone(), id.clone());
        let task = self.tasks.spawn(async move {
            loop {
                let told = match observer.next().await {
                    Ok(changes) => Told::Timeline(conversation.clone(), changes),
                    Err(error) => return tell_failure(&tx, error.into()).await,
                };
                if tx.send(told).await.is_err() {
                    break;
                }
            }
        });
        let rows = Vec::new();
        self.shown.insert(id.clone(), Shown { task, rows });
    }

    /// Follows them no longer.
    pub(crate) fn hide(&mut self, id: &ConversationId) {
        if let Some(shown) = self.shown.remove(id) {
            shown.task.abort();
        }
    }

    /// The messages of a followed conversation, as told so far.
    pub(crate) fn rows(&self, id: &ConversationId) -> &[Message] {
        self.shown.get(id).map_or(&[], |shown| &shown.rows)
    }

    /// The next thing told. It waits for ever once the client ended.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Told {
        loop {
            let told = match self.rx.recv().await {
                Some(told) => told,
                None => std::future::pending().await,
            };
            if let Told::Timeline(id, changes) = &told {
                // One told before its conversation was hidden.
                let Some(shown) = self.shown.get_mut(id) else {
                    continue;
                };
                for change in changes {
                    if change.clone().apply(&mut shown.rows).is_err() {
                        return Told::Failed(Failure::internal());
                    }
                }
            }
            return told;
        }
    }
}

async fn tell_failure(tx: &mpsc::Sender<Told>, failure: Failure) {
    let _ = tx.send(Told::Failed(failure)).await;
}

/// The lines of what was told; of timelines too, with places counted in the store.
pub(crate) async fn lines(
    context: &Context,
    client: &ChatClient,
    feed: &Feed,
    told: &Told,
) -> Vec<Record> {
    match told {
        Told::Event(event) => output::event(event.clone(), context.now())
            .into_iter()
            .collect(),
        Told::Delivery(entry) => vec![Record::Delivery(entry.into())],
        Told::Timeline(id, changes) => {
            let stored = client.conversation(id).await.ok().flatten();
            let stored = stored.map_or(0, |row| row.stored);
            let base = stored.saturating_sub(feed.rows(id).len() as u64);
            let lines = changes
                .iter()
                .map(|change| output::timeline(id.as_str(), base, change));
            lines.flatten().collect()
        }
        Told::Failed(failure) => vec![Record::Error(failure.into())],
    }
}
