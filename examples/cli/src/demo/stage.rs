//! The backend, the store, the client, and what was seen of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tidings::{
    ChatClient, ConversationHandle,
    domain::{
        connection::{ConnectionState, ConnectionStatus},
        conversation::Context as DomainContext,
        event::{ClientEvent, StreamPhase},
        ids::{ClientMessageId, ConversationId},
        journal::JournalEntry,
        message::Message,
        outbox::SendMode,
        ports::{NewConversation, Platform},
    },
};
use tidings_backend::{Backend, BackendConfig, Network};

use super::{
    gateway::Gateway,
    server::{Kept, Server, is_answer},
};
use crate::{
    args::{BackendKind, DemoArgs, Global},
    context::Context,
    failure::{Exit, Failure},
    feed::{Feed, Told},
    setup::{self, Access},
};

/// A demo need not wait as long as an app may; `--config` has the last word.
const PACE: [&str; 4] = [
    "reconnect.base=200ms",
    "reconnect.max=1s",
    "send.base=200ms",
    "send.max=1s",
];

/// How often the backend's own record is looked at while waiting.
pub(super) const LOOK: Duration = Duration::from_millis(20);

/// The kind of context that a conversation has where it must have one.
const KIND: &str = "Booking";

const PERSONA: &str = "general_wellness";

/// Everything the demo plays with.
pub(super) struct Stage {
    /// What it plays on.
    pub(super) server: Server,
    /// The context of its conversation, where the backend wants one.
    context: Option<DomainContext>,
    /// The options of the demo's clients.
    pub(super) global: Global,
    platform: Arc<dyn Platform>,
    /// The conversation.
    pub(super) conversation: Option<ConversationId>,
    /// The client that plays now.
    pub(super) player: Option<Player>,
    /// The message that was under way when its client was killed.
    pub(super) orphan: Option<(ClientMessageId, String)>,
    /// Goes with the demo, unless the store was to be kept.
    _directory: Option<TempDir>,
}

/// A running client and what was seen of it.
pub(super) struct Player {
    pub(super) client: ChatClient,
    pub(super) seen: Seen,
    feed: Feed,
    conversation: ConversationId,
    _open: ConversationHandle,
}

/// What a client told so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How the conversation is connected, in the order in which that changed.
    pub(super) connections: Vec<ConnectionStatus>,
    /// Pieces of each streamed answer.
    pub(super) pieces: BTreeMap<ClientMessageId, usize>,
    /// Streamed answers that were whole.
    pub(super) completed: BTreeSet<ClientMessageId>,
    /// What happened to each sent message.
    pub(super) deliveries: BTreeMap<ClientMessageId, Vec<JournalEntry>>,
}

impl Stage {
    /// Starts the server, or finds the one that is named.
    pub(super) async fn build(context: &Context, args: &DemoArgs) -> Result<Self, Failure> {
        let (directory, store) = match &context.global.store {
            Some(store) => (None, store.clone()),
            None => {
                let directory = TempDir::new().map_err(|error| no_room(&error))?;
                let store = directory.path().join("demo.sqlite3");
                (Some(directory), store)
            }
        };
        let pace = PACE.iter().map(|pair| (*pair).to_owned());
        let settings = pace.chain(context.global.settings.iter().cloned());
        let global = Global {
            store: Some(store),
            settings: settings.collect(),
            ..context.global.clone()
        };
        let (server, global) = match global.backend {
            BackendKind::Consultations => reference(context, global).await?,
            _ => {
                let (gateway, global) = Gateway::build(&global, &context.platform).await?;
                (Server::Gateway(Box::new(gateway)), global)
            }
        };
        let wanted = (!server.streams()).then(|| wanted(args, context.platform.as_ref()));
        Ok(Self {
            server,
            context: wanted,
            global,
            platform: Arc::clone(&context.platform),
            conversation: None,
            player: None,
            orphan: None,
            _directory: directory,
        })
    }

    /// A client, and a conversation that it looks at over a live connection.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        let client = self.start_client().await?;
        self.create_conversation(&client).await?;
        self.enter(client).await?;
        self.until(|look| (look.state() == ConnectionState::Live).then_some(()))
            .await
    }

    /// Changes what the network does.
    pub(super) fn network(&self, network: Network) -> Result<(), Failure> {
        self.server.network(network)
    }

    /// A client on the demo's store.
    pub(super) async fn start_client(&self) -> Result<ChatClient, Failure> {
        setup::client(&self.global, &self.platform, Access::Network).await
    }

    /// A client on the demo's store that only looks.
    pub(super) async fn start_onlooker(&self) -> Result<ChatClient, Failure> {
        setup::client(&self.global, &self.platform, Access::Store).await
    }

    /// Creates the conversation.
    pub(super) async fn create_conversation(
        &mut self,
        client: &ChatClient,
    ) -> Result<ConversationId, Failure> {
        let new = NewConversation {
            persona: self.server.streams().then(|| PERSONA.to_owned()),
            context: self.context.clone(),
            ..NewConversation::default()
        };
        let id = client.create_conversation(new).await?.conversation.id;
        self.conversation = Some(id.clone());
        Ok(id)
    }

    /// Lets this client play: it opens the conversation.
    pub(super) async fn enter(&mut self, client: ChatClient) -> Result<(), Failure> {
        let conversation = self.conversation.clone().ok_or_else(Failure::internal)?;
        let mut feed = Feed::start(&client).await?;
        feed.show(&client, &conversation);
        self.player = Some(Player {
            seen: Seen::default(),
            feed,
            _open: client.open(conversation.clone()),
            conversation,
            client,
        });
        Ok(())
    }

    /// Ends the playing client.
    pub(super) async fn leave(&mut self) {
        if let Some(player) = self.player.take() {
            player.client.shutdown().await;
        }
    }

    /// Ends everything.
    pub(super) async fn clear(&mut self) {
        self.leave().await;
        self.server.stop().await;
    }

    /// Sends a message that survives everything.
    pub(super) async fn send(&self, text: &str) -> Result<ClientMessageId, Failure> {
        let player = self.player()?;
        let id = player.conversation.clone();
        let row = player.client.send(id, text, SendMode::Durable).await?;
        Ok(row.id)
    }

    /// The playing client.
    pub(super) fn player(&self) -> Result<&Player, Failure> {
        self.player.as_ref().ok_or_else(Failure::internal)
    }

    /// Waits until something is so, of the client and of the backend's own record.
    pub(super) async fn until<T>(
        &mut self,
        mut holds: impl FnMut(&Look<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        loop {
            let conversation = self.player()?.conversation.clone();
            let server = self.server.record(&conversation).await;
            let player = self.player()?;
            let look = Look {
                seen: &player.seen,
                rows: player.feed.rows(&conversation),
                server,
                sockets: self.server.sockets(&conversation),
            };
            if let Some(found) = holds(&look) {
                return Ok(found);
            }
            let player = self.player.as_mut().ok_or_else(Failure::internal)?;
            tokio::select! {
                biased;
                told = player.feed.next() => player.seen.note(told, &player.conversation)?,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// Client and server at one moment.
pub(super) struct Look<'a> {
    /// What the client told.
    pub(super) seen: &'a Seen,
    /// What the client shows.
    pub(super) rows: &'a [Message],
    /// What the server has.
    pub(super) server: Vec<Kept>,
    /// Sockets that the server has open.
    pub(super) sockets: usize,
}

impl Look<'_> {
    /// How the conversation is connected.
    pub(super) fn state(&self) -> ConnectionState {
        let last = self.seen.connections.last();
        last.map_or(ConnectionState::Idle, |status| status.state)
    }

    /// The answer to our message with this text: shown, with the server's id, and the same there.
    pub(super) fn answer_to(&self, text: &str) -> Option<&Message> {
        let asked = self
            .rows
            .iter()
            .rposition(|row| row.own && row.text == text)?;
        let behind = self.rows.get(asked + 1..)?;
        let answer = behind.iter().find(|row| is_answer(row))?;
        let id = answer.server_id.as_ref()?;
        let same = |row: &&Kept| row.id == id.as_str() && row.content == answer.text;
        self.server.iter().find(same).map(|_| answer)
    }

    /// How often the server has a message of ours with this text.
    pub(super) fn copies(&self, text: &str) -> usize {
        let same = |row: &&Kept| row.asked && row.content == text;
        self.server.iter().filter(same).count()
    }

    /// Whether client and server have the same messages in the same order, each once.
    pub(super) fn agree(&self) -> bool {
        let here: Vec<Option<&str>> = self
            .rows
            .iter()
            .map(|row| row.server_id.as_ref().map(|id| id.as_str()))
            .collect();
        let there: Vec<Option<&str>> = self
            .server
            .iter()
            .map(|row| Some(row.id.as_str()))
            .collect();
        here == there
    }
}

impl Seen {
    fn note(&mut self, told: Told, conversation: &ConversationId) -> Result<(), Failure> {
        match told {
            Told::Event(ClientEvent::Connection {
                conversation: id,
                status,
            }) if id == *conversation => self.connections.push(status),
            Told::Event(ClientEvent::Stream { id, phase, .. }) => match phase {
                StreamPhase::Delta => *self.pieces.entry(id).or_insert(0) += 1,
                StreamPhase::Completed => {
                    self.completed.insert(id);
                }
                _ => {}
            },
            Told::Delivery(entry) => {
                self.deliveries
                    .entry(entry.message)
                    .or_default()
                    .push(entry);
            }
            Told::Failed(failure) => return Err(failure),
            _ => {}
        }
        Ok(())
    }

    /// The newest thing that happened to a message.
    pub(super) fn delivery(&self, id: ClientMessageId) -> Option<&JournalEntry> {
        self.deliveries.get(&id)?.last()
    }
}

/// The context to talk about: the one that is named, or a new one.
fn wanted(args: &DemoArgs, platform: &dyn Platform) -> DomainContext {
    let kind = args.context_type.clone();
    let id = args.context_id.clone();
    DomainContext {
        kind: kind.unwrap_or_else(|| KIND.to_owned()),
        id: Some(id.unwrap_or_else(|| format!("demo-{}", platform.mint()))),
    }
}

/// The reference backend, in this process.
async fn reference(context: &Context, global: Global) -> Result<(Server, Global), Failure> {
    let config = BackendConfig {
        store: context.global.store.as_deref().map(beside),
        ..BackendConfig::default()
    };
    // It makes a runtime of its own, which must not happen inside ours.
    let started = tokio::task::spawn_blocking(|| Backend::start(config)).await;
    let backend = started.map_err(|_| Failure::internal())?.map_err(|error| {
        let text = format!("the reference backend did not start: {error}");
        Failure::new(Exit::GaveUp, "demo.backend", text)
    })?;
    let global = Global {
        url: Some(backend.url()),
        ws_url: None,
        ..global
    };
    Ok((Server::Reference(Some(backend)), global))
}

/// The backend's file beside a store that is kept.
fn beside(store: &std::path::Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".backend");
    name.into()
}

fn no_room(error: &std::io::Error) -> Failure {
    let text = format!("the system has no room for the demo: {}", error.kind());
    Failure::new(Exit::GaveUp, "demo.backend", text)
}
