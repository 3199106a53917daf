//! Waiting for what happens: events since the start, and rows of the store.

use std::sync::{Arc, Mutex, PoisonError};

use tidings::{
    ChatClient,
    domain::{
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::{Completeness, Message, Role},
        outbox::OutboxEntry,
    },
};
use tokio::sync::Notify;

use crate::facts;

/// The events of a client, each named, in order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Log>);

#[derive(Default)]
struct Log {
    names: Mutex<Vec<String>>,
    more: Notify,
}

impl Seen {
    /// Begins to listen.
    pub(crate) fn of(client: &ChatClient) -> Self {
        let seen = Self::default();
        let (log, mut events) = (Arc::clone(&seen.0), client.events());
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                log.add(&event);
            }
        });
        seen
    }

    /// Waits for an event of this name, and forgets it with all before it.
    pub(crate) async fn await_next(&self, name: &str) {
        loop {
            let more = self.0.more.notified();
            tokio::pin!(more);
            more.as_mut().enable();
            if self.0.take(name) {
                return;
            }
            more.await;
        }
    }
}

impl Log {
    fn add(&self, event: &ClientEvent) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.push(facts::event(event));
        drop(names);
        self.more.notify_waiters();
    }

    fn take(&self, name: &str) -> bool {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = names.iter().position(|known| known == name) else {
            return false;
        };
        names.drain(..=place);
        true
    }
}

/// Waits until so many whole answers are stored.
pub(crate) async fn answers(
    client: &ChatClient,
    id: &ConversationId,
    times: usize,
) -> Result<(), String> {
    let mut timeline = client.observe_timeline(id.clone(), 200);
    loop {
        timeline.next().await.map_err(|error| error.to_string())?;
        let rows = rows(client, id).await?;
        if rows.iter().filter(|row| is_answer(row)).count() >= times {
            return Ok(());
        }
    }
}

/// Whole, or ended by someone; one that broke off is still to be completed.
fn is_answer(row: &Message) -> bool {
    use Completeness::{Complete, Failed, Stopped};
    row.role == Role::Assistant && matches!(row.completeness, Complete | Failed | Stopped)
}

/// The newest rows of a conversation, oldest first.
pub(crate) async fn rows(client: &ChatClient, id: &ConversationId) -> Result<Vec<Message>, String> {
    let view = client.history(id.clone(), None, 200, false).await;
    let view = view.map_err(|error| error.to_string())?;
    Ok(view.messages.into_iter().map(|(_, row)| row).collect())
}

/// Waits until a message's row satisfies.
pub(crate) async fn message(
    client: &ChatClient,
    id: ClientMessageId,
    satisfies: impl Fn(&Message) -> bool,
) -> Result<Message, String> {
    let mut rows = client.observe_message(id);
    loop {
        let row = rows.next().await.map_err(|error| error.to_string())?;
        if let Some(row) = row.filter(|row| satisfies(row)) {
            return Ok(row);
        }
    }
}

/// Waits until so many actions wait.
pub(crate) async fn outbox(client: &ChatClient, count: usize) -> Result<Vec<OutboxEntry>, String> {
    let mut lists = client.observe_outbox();
    loop {
        let list = lists.next().await.map_err(|error| error.to_string())?;
        if list.len() == count {
            return Ok(list);
        }
    }
}
