//! A backend, a client on a store of its own, and ways to wait for what must come.

use std::{future::Future, sync::Arc, time::Duration};

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
        connection::ConnectionState, event::ClientEvent, ids::ConversationId, message::Message,
        ports::NewConversation,
    },
};
use tidings_backend::{Backend, BackendConfig};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never came: {what}"))
}

/// One device.
pub(crate) struct Device {
    pub(crate) client: ChatClient,
    store: Arc<TempDir>,
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

/// Timings for impatient tests.
pub(crate) fn quick() -> Config {
    let mut config = Config::default();
    config.set("reconcile.grace", "300ms").unwrap();
    config.set("send.base", "50ms").unwrap();
    config.set("reconnect.base", "200ms").unwrap();
    config.set("poll.active", "1s").unwrap();
    config
}

impl Device {
    pub(crate) async fn start(url: &str, config: Config) -> Self {
        let store = tempfile::tempdir().unwrap();
        let client = start_on(&store, url, config).await;
        Self {
            client,
            store: Arc::new(store),
        }
    }

    /// A device that makes use of what the reference backend adds.
    pub(crate) async fn extended(url: &str) -> Self {
        let store = tempfile::tempdir().unwrap();
        let client = start_with(&store, url, quick(), true).await;
        Self {
            client,
            store: Arc::new(store),
        }
    }

    /// Another client on the same store, as another process would be.
    pub(crate) async fn second(&self, url: &str) -> Self {
        let client = start_on(&self.store, url, quick()).await;
        Self {
            client,
            store: self.store.clone(),
        }
    }

    pub(crate) async fn create(&self) -> ConversationId {
        let new = NewConversation {
            persona: Some("wellness_specialist".to_owned()),
            ..NewConversation::default()
        };
        self.client
            .create_conversation(new)
            .await
            .unwrap()
            .conversation
            .id
    }

    /// Opens a conversation and waits until it is in the given state.
    pub(crate) async fn open(
        &self,
        id: &ConversationId,
        state: ConnectionState,
    ) -> ConversationHandle {
        let mut events = self.client.events();
        let handle = self.client.open(id.clone());
        soon(state.as_str(), async {
            loop {
                if let Some(ClientEvent::Connection {
                    conversation,
                    status,
                }) = events.next().await
                    && conversation == *id
                    && status.state == state
                {
                    return;
                }
            }
        })
        .await;
        handle
    }

    /// Waits until the stored conversation satisfies the condition, and returns it.
    pub(crate) async fn until(
        &self,
        id: &ConversationId,
        what: &str,
        holds: impl Fn(&[Message]) -> bool,
    ) -> Vec<Message> {
        let mut timeline = self.client.observe_timeline(id.clone(), 200);
        let mut shown = Vec::new();
        soon(what, async {
            loop {
                for change in timeline.next().await.unwrap() {
                    change.apply(&mut shown).unwrap();
                }
                if holds(&shown) {
                    return shown;
                }
            }
        })
        .await
    }
}

pub(crate) async fn start_on(store: &TempDir, url: &str, config: Config) -> ChatClient {
    start_with(store, url, config, false).await
}

async fn start_with(store: &TempDir, url: &str, config: Config, extensions: bool) -> ChatClient {
    let platform = Arc::new(SystemPlatform::new());
    let options = SqliteOptions {
        shared: true,
        ..SqliteOptions::new(store.path().join("chat.db"))
    };
    let repository = SqliteRepository::open(options).unwrap();
    let service = ConsultationsConfig {
        trust: TrustRoots::Webpki,
        extensions,
        ..ConsultationsConfig::new(url)
    };
    let service = ConsultationsService::new(service, Arc::new(NoToken), platform.clone()).unwrap();
    let service = Arc::new(service);
    ChatClient::start(ChatClientParts {
        service,
        repository,
        platform,
        config,
    })
    .await
    .unwrap()
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
