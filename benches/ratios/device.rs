//! A client on a store of its own, and ways to wait for what must come.

use std::{path::Path, sync::Arc, time::Duration};

use tempfile::TempDir;
use tidings::{
    ChatClient, ChatClientParts, Config, ConversationHandle,
    adapters::{
        consultations::{ConsultationsConfig, ConsultationsService},
        http::NoToken,
        sqlite::{SqliteOptions, SqliteRepository},
        system::SystemPlatform,
    },
    domain::{
        connection::ConnectionState,
        event::ClientEvent,
        ids::ConversationId,
        message::Message,
        ports::{ChatRepository, NewConversation},
    },
};
use tidings_backend::{Backend, BackendConfig, ConflictPolicy};

use crate::store;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never came: {what}"))
}

/// The reference backend, which answers as fast as it can and takes many conversations.
pub(crate) fn backend() -> Backend {
    Backend::start(BackendConfig {
        word_delay: Duration::ZERO,
        conflicts: ConflictPolicy::Many,
        max_active: 10_000,
        ..BackendConfig::default()
    })
    .unwrap()
}

/// A client on that store.
pub(crate) async fn client(
    origin: &str,
    config: Config,
    repository: Arc<dyn ChatRepository>,
) -> ChatClient {
    let platform = Arc::new(SystemPlatform::new());
    let service = ConsultationsConfig::new(origin);
    let service = ConsultationsService::new(service, Arc::new(NoToken), platform.clone()).unwrap();
    let parts = ChatClientParts {
        service: Arc::new(service),
        repository,
        platform,
        config,
    };
    ChatClient::start(parts).await.unwrap()
}

/// A running client.
pub(crate) struct Device {
    pub(crate) client: ChatClient,
    /// Where its store is, if it is its own.
    _home: Option<TempDir>,
}

impl Device {
    /// A client as an app would start it; `wrap` may put something before its store.
    pub(crate) async fn start(
        origin: &str,
        config: Config,
        wrap: impl FnOnce(Arc<dyn ChatRepository>) -> Arc<dyn ChatRepository>,
    ) -> Self {
        let home = store::directory();
        let options = SqliteOptions::new(home.path().join("chat.db"));
        let repository = wrap(SqliteRepository::open(options).unwrap());
        let client = client(origin, config, repository).await;
        let _home = Some(home);
        Self { client, _home }
    }

    /// A client on a store that is somebody else's.
    pub(crate) async fn on(
        origin: &str,
        config: Config,
        repository: Arc<dyn ChatRepository>,
    ) -> Self {
        let client = client(origin, config, repository).await;
        Self {
            client,
            _home: None,
        }
    }

    /// A client on the store at that path.
    pub(crate) async fn start_at(path: &Path, origin: &str) -> Self {
        let repository = SqliteRepository::open(SqliteOptions::new(path)).unwrap();
        let client = client(origin, Config::default(), repository).await;
        Self {
            client,
            _home: None,
        }
    }

    pub(crate) async fn create(&self) -> ConversationId {
        let new = NewConversation {
            persona: Some("wellness_specialist".to_owned()),
            ..NewConversation::default()
        };
        let created = self.client.create_conversation(new).await;
        created.unwrap().conversation.id
    }

    /// Opens a conversation and waits until it is in the given state.
    pub(crate) async fn open(
        &self,
        id: &ConversationId,
        state: ConnectionState,
    ) -> ConversationHandle {
        let mut events = self.client.events();
        let handle = self.client.open(id.clone());
        let reached = async {
            while let Some(event) = events.next().await {
                if let ClientEvent::Connection {
                    conversation,
                    status,
                } = event
                    && conversation == *id
                    && status.state == state
                {
                    return;
                }
            }
        };
        soon(state.as_str(), reached).await;
        handle
    }

    /// Waits until nothing more is going on that was asked for.
    pub(crate) async fn quiet(&self) {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }

    /// Waits until the question and the answer to it are the newest rows, both the server's own.
    pub(crate) async fn until_answered(&self, id: &ConversationId, question: &str) {
        let mut timeline = self.client.observe_timeline(id.clone(), 4);
        let mut shown: Vec<Message> = Vec::new();
        let answered = async {
            loop {
                for change in timeline.next().await.unwrap() {
                    change.apply(&mut shown).unwrap();
                }
                if let [.., asked, answer] = shown.as_slice()
                    && asked.text == question
                    && !answer.own
                    && asked.server_id.is_some()
                    && answer.server_id.is_some()
                {
                    return;
                }
            }
        };
        soon("the answer's own row", answered).await;
    }
}
