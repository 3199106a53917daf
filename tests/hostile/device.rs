//! One device: a client on a store of its own, everything it says on record, and ways to wait.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tidings::{
    ChatClient, ChatClientParts, Config, ConversationHandle,
    adapters::{
        consultations::{ConsultationsConfig, ConsultationsService},
        http::NoToken,
        net::TrustRoots,
        sqlite::{SqliteOptions, SqliteRepository},
        system::SystemPlatform,
    },
    domain::{
        connection::{ConnectionState, ConnectionStatus},
        delivery::DeliveryState,
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::OutboxEntry,
        ports::{NewConversation, TokenProvider},
    },
    usecases::wait_for_delivery::Delivery,
};
use tidings_backend::{Backend, BackendConfig, Rule};
use tokio::sync::watch;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never came: {what}"))
}

/// A backend that talks fast.
pub(crate) fn backend() -> Backend {
    backend_with(BackendConfig::default())
}

pub(crate) fn backend_with(config: BackendConfig) -> Backend {
    Backend::start(BackendConfig {
        word_delay: Duration::from_millis(5),
        ..config
    })
    .unwrap()
}

/// Adds a fault rule; its name is for [`tidings_backend::Faults::applied`].
pub(crate) fn spoil(backend: &Backend, rule: Rule) -> String {
    backend.faults().add(rule).unwrap()
}

/// How often a message was posted to a conversation.
pub(crate) fn posts(backend: &Backend) -> usize {
    let requests = backend.requests();
    let posts = requests
        .iter()
        .filter(|seen| seen.method == "POST" && seen.path.ends_with("/messages"));
    posts.count()
}

/// How often a socket was asked for.
pub(crate) fn upgrades(backend: &Backend) -> usize {
    let requests = backend.requests();
    requests.iter().filter(|seen| seen.upgrade).count()
}

/// What the server has of a conversation, as `role: text`.
pub(crate) fn held(backend: &Backend, id: &ConversationId) -> Vec<String> {
    let rows = backend.messages(id.as_str());
    rows.iter()
        .filter(|row| row.role == "user")
        .map(|row| row.content.clone())
        .collect()
}

/// How to start a device.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) service: ConsultationsConfig,
    pub(crate) tokens: Arc<dyn TokenProvider>,
}

impl Setup {
    /// Impatient timings: the waits themselves are tested elsewhere.
    pub(crate) fn at(url: &str) -> Self {
        let mut config = Config::default();
        for (key, value) in [
            ("reconcile.grace", "300ms"),
            ("send.base", "50ms"),
            ("send.max", "500ms"),
            ("reconnect.base", "100ms"),
            ("reconnect.max", "1s"),
            ("poll.active", "1s"),
        ] {
            config.set(key, value).unwrap();
        }
        let service = ConsultationsConfig {
            trust: TrustRoots::Webpki,
            ..ConsultationsConfig::new(url)
        };
        Self {
            config,
            service,
            tokens: Arc::new(NoToken),
        }
    }

    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.config.set(key, value).unwrap();
        self
    }

    /// Polling only.
    pub(crate) fn without_socket(mut self) -> Self {
        self.config.websocket = false;
        self
    }

    pub(crate) fn tokens(mut self, tokens: Arc<dyn TokenProvider>) -> Self {
        self.tokens = tokens;
        self
    }

    pub(crate) async fn start(self) -> Device {
        self.start_on(tempfile::tempdir().unwrap()).await
    }

    /// The same device again, after its process ended.
    pub(crate) async fn start_on(self, store: TempDir) -> Device {
        let platform = Arc::new(SystemPlatform::new());
        let options = SqliteOptions {
            shared: true,
            ..SqliteOptions::new(store.path().join("chat.db"))
        };
        let service = ConsultationsConfig {
            dial_timeout: self.config.dial_timeout,
            http_timeout: self.config.http_timeout,
            attempt_timeout: self.config.send_attempt_timeout,
            ..self.service
        };
        let service = ConsultationsService::new(service, self.tokens, platform.clone()).unwrap();
        let client = ChatClient::start(ChatClientParts {
            service: Arc::new(service),
            repository: SqliteRepository::open(options).unwrap(),
            platform,
            config: self.config,
        })
        .await
        .unwrap();
        let log = Log::of(&client);
        Device {
            client,
            log,
            store_home: store,
        }
    }
}

/// Every event of a client, in order.
#[derive(Clone)]
struct Log {
    events: Arc<Mutex<Vec<ClientEvent>>>,
    count: watch::Receiver<usize>,
}

impl Log {
    fn of(client: &ChatClient) -> Self {
        let mut stream = client.events();
        let events = Arc::new(Mutex::new(Vec::new()));
        let (counted, count) = watch::channel(0);
        let kept = events.clone();
        tokio::spawn(async move {
            while let Some(event) = stream.next().await {
                kept.lock().unwrap().push(event);
                counted.send_modify(|count| *count += 1);
            }
        });
        Self { events, count }
    }
}

pub(crate) struct Device {
    pub(crate) client: ChatClient,
    log: Log,
    store_home: TempDir,
}

impl Device {
    /// Impatient timings, no token.
    pub(crate) async fn start(url: &str) -> Self {
        Setup::at(url).start().await
    }

    pub(crate) fn events(&self) -> Vec<ClientEvent> {
        self.log.events.lock().unwrap().clone()
    }

    fn last_words(&self) -> Vec<ClientEvent> {
        let mut said = self.events();
        said.drain(..said.len().saturating_sub(12));
        said
    }

    /// Forgets what was said so far.
    pub(crate) fn forget(&self) {
        self.log.events.lock().unwrap().clear();
    }

    /// The first event, said already or still to come, of which something can be told.
    pub(crate) async fn event<T>(&self, what: &str, tell: impl Fn(&ClientEvent) -> Option<T>) -> T {
        let mut count = self.log.count.clone();
        let wait = async {
            loop {
                count.borrow_and_update();
                let told = self.log.events.lock().unwrap().iter().find_map(&tell);
                if let Some(told) = told {
                    return told;
                }
                count.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| {
                panic!("never came: {what}; said at last: {:#?}", self.last_words())
            })
    }

    /// The first status of a conversation with this state.
    pub(crate) async fn state(
        &self,
        id: &ConversationId,
        state: ConnectionState,
    ) -> ConnectionStatus {
        self.event(state.as_str(), |event| match event {
            ClientEvent::Connection {
                conversation,
                status,
            } if conversation == id && status.state == state => Some(status.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn create(&self) -> ConversationId {
        let new = NewConversation {
            persona: Some("wellness_specialist".to_owned()),
            ..NewConversation::default()
        };
        let created = soon("creation", self.client.create_conversation(new)).await;
        created.unwrap().conversation.id
    }

    /// Opens a conversation and waits until it is in the given state.
    pub(crate) async fn open(
        &self,
        id: &ConversationId,
        state: ConnectionState,
    ) -> ConversationHandle {
        self.forget();
        let handle = self.client.open(id.clone());
        self.state(id, state).await;
        handle
    }

    /// Waits until the stored conversation satisfies the condition, and returns it.
    pub(crate) async fn until(
        &self,
        id: &ConversationId,
        what: &str,
        holds: impl Fn(&[Message]) -> bool,
    ) -> Vec<Message> {
        let mut timeline = self.client.observe_timeline(id.clone(), 2_000);
        let mut shown = Vec::new();
        let wait = async {
            loop {
                for change in timeline.next().await.unwrap() {
                    change.apply(&mut shown).unwrap();
                }
                if holds(&shown) {
                    break;
                }
            }
        };
        let came = tokio::time::timeout(PATIENCE, wait).await;
        assert!(came.is_ok(), "never came: {what}; stored: {shown:#?}");
        shown
    }

    /// Waits for question and answer as rows of the server's.
    pub(crate) async fn answered(&self, id: &ConversationId, question: &str) -> Vec<Message> {
        self.until(id, "the answer", |rows| answered(rows, question))
            .await
    }

    /// Waits until an unsent message is as described.
    pub(crate) async fn unsent(
        &self,
        what: &str,
        holds: impl Fn(&OutboxEntry) -> bool,
    ) -> OutboxEntry {
        let mut outbox = self.client.observe_outbox();
        soon(what, async {
            loop {
                let entries = outbox.next().await.unwrap();
                if let Some(found) = entries.into_iter().find(&holds) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits until an unsent message waits for this reason.
    pub(crate) async fn waits_for(&self, code: &str) -> OutboxEntry {
        let is = |entry: &OutboxEntry| entry.reason.as_ref().is_some_and(|r| r.code == code);
        self.unsent(code, is).await
    }

    /// Ends a conversation, and waits until the server has.
    pub(crate) async fn complete(&self, id: &ConversationId) -> Delivery {
        let done = self.client.complete(id.clone()).await.unwrap();
        self.fate(done.action.unwrap()).await
    }

    pub(crate) async fn fate(&self, message: ClientMessageId) -> Delivery {
        let fate = soon("its fate", self.client.wait_for_delivery(message)).await;
        fate.unwrap()
    }

    /// The states a message went through.
    pub(crate) async fn story(&self, message: ClientMessageId) -> Vec<DeliveryState> {
        let told = self.client.explain(message).await.unwrap();
        told.journal.iter().map(|entry| entry.state).collect()
    }

    /// Its process ends without a word; its store stays.
    pub(crate) fn kill(self) -> TempDir {
        self.store_home
    }

    pub(crate) async fn stop(self) {
        soon("the end", self.client.shutdown()).await;
    }
}

/// Whether question and answer are both the server's own rows.
pub(crate) fn answered(rows: &[Message], question: &str) -> bool {
    let at = rows.iter().position(|row| row.own && row.text == question);
    at.is_some_and(|at| {
        rows[at].server_id.is_some()
            && rows
                .get(at + 1)
                .is_some_and(|row| !row.own && row.server_id.is_some())
    })
}
