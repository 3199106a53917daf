//! Doing what the state asks for.

use std::{future::Future, pin::Pin};

use futures_util::stream::FuturesUnordered;
use tidings::{
    ChatClient, ConversationHandle,
    domain::{ids::ConversationId, outbox::SendMode, ports::NewConversation},
};

use super::{
    app::App,
    update::{Effect, Event},
};
use crate::{
    failure::Failure,
    feed::{Feed, WINDOW},
};

/// Whom a conversation created here talks to.
const PERSONA: &str = "general_wellness";

/// Something that goes on beside the screen, and what it ends with.
type Beside<'a> = Pin<Box<dyn Future<Output = Option<Event>> + Send + 'a>>;

/// The client's side of the chat.
pub(super) struct Effects<'a> {
    client: &'a ChatClient,
    /// What the client tells.
    pub(super) feed: Feed,
    /// What goes on beside the screen.
    pub(super) beside: FuturesUnordered<Beside<'a>>,
    open: Option<ConversationHandle>,
    window: usize,
}

impl<'a> Effects<'a> {
    /// Follows the client, and asks the server for the list.
    pub(super) async fn start(client: &'a ChatClient) -> Result<Self, Failure> {
        let effects = Self {
            client,
            feed: Feed::start(client).await?,
            beside: FuturesUnordered::new(),
            open: None,
            window: WINDOW,
        };
        effects.beside.push(Box::pin(async move {
            let refreshed = client.refresh_conversations().await;
            refreshed
                .err()
                .map(|error| Event::Notice(error.to_string()))
        }));
        Ok(effects)
    }

    /// Does one thing. What needs the network goes on beside.
    pub(super) async fn perform(&mut self, app: &mut App, effect: Effect) {
        let client = self.client;
        match effect {
            Effect::Open(id) => self.show(&id),
            Effect::Send(id, text) => {
                let sent = client.send(id, text.clone(), SendMode::Durable).await;
                if let Err(error) = sent {
                    app.notice = Some(error.to_string());
                    app.give_back(text);
                }
            }
            Effect::Retry(id) => app.notice = client.retry(id).await.err().map(|e| e.to_string()),
            Effect::Cancel(id) => app.notice = client.cancel(id).await.err().map(|e| e.to_string()),
            Effect::MarkRead(id) => self.beside.push(Box::pin(async move {
                let _ = client.mark_read(id).await;
                None
            })),
            Effect::LoadOlder(id) => self.load_older(id),
            Effect::Stop => self.stop(),
            Effect::Create => self.beside.push(Box::pin(create(client))),
            Effect::Quit => {}
        }
    }

    /// Opens a conversation; the one before is closed by letting go of its handle.
    fn show(&mut self, id: &ConversationId) {
        if self.open.as_ref().is_some_and(|open| open.id() == id) {
            return;
        }
        if let Some(before) = self.open.take() {
            self.feed.hide(before.id());
        }
        self.window = WINDOW;
        self.feed.show(self.client, id);
        let handle = self.client.open(id.clone());
        self.open = Some(handle.clone());
        let handle = HandleStatus(handle);
        self.beside.push(Box::pin(handle.ask()));
    }

    fn load_older(&mut self, id: ConversationId) {
        self.window += WINDOW;
        self.feed.hide(&id);
        self.feed.show_window(self.client, &id, self.window);
        let client = self.client;
        self.beside.push(Box::pin(async move {
            let loaded = client.load_older(id).await;
            loaded.err().map(|error| Event::Notice(error.to_string()))
        }));
    }

    fn stop(&self) {
        if let Some(handle) = self.open.clone() {
            self.beside.push(Box::pin(async move {
                let stopped = handle.stop_answer().await;
                stopped.err().map(|error| Event::Notice(error.to_string()))
            }));
        }
    }
}

/// Asks how a conversation is connected, once; later changes come as events.
struct HandleStatus(ConversationHandle);

impl HandleStatus {
    async fn ask(self) -> Option<Event> {
        let status = self.0.connection().await.ok()?;
        Some(Event::Status(self.0.id().clone(), status))
    }
}

async fn create(client: &ChatClient) -> Option<Event> {
    let new = NewConversation {
        persona: Some(PERSONA.to_owned()),
        ..NewConversation::default()
    };
    Some(match client.create_conversation(new).await {
        Ok(created) => Event::Show(created.conversation.id),
        Err(error) => Event::Notice(error.to_string()),
    })
}
