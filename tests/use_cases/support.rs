//! An app over a scripted backend.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tidings::{
    ChatClient, ChatClientParts, Config, ConversationHandle, SendMessageError,
    adapters::memory::MemoryRepository,
    domain::{
        connection::ConnectionState,
        delivery::DeliveryState,
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::Message,
        outbox::{OutboxEntry, SendMode},
        ports::{ChatRepository, ChatService, Durability},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        time::WallTime,
    },
    runtime::EventStream,
    testing::{ScriptedService, VirtualPlatform, scripted::Operation},
};

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(crate) fn chat(name: &str) -> ConversationId {
    ConversationId::parse(name).unwrap()
}

/// Lets time pass on the paused clock.
pub(crate) async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// One running client and its backend.
pub(crate) struct App {
    pub(crate) client: ChatClient,
    pub(crate) service: ScriptedService,
    pub(crate) repository: Arc<dyn ChatRepository>,
    events: EventStream,
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::over(&ScriptedService::new()).await
    }

    pub(crate) async fn over(service: &ScriptedService) -> Self {
        Self::with(service, Config::default()).await
    }

    pub(crate) async fn with(service: &ScriptedService, config: Config) -> Self {
        Self::on(service, config, Arc::new(MemoryRepository::new())).await
    }

    pub(crate) async fn on(
        service: &ScriptedService,
        config: Config,
        repository: Arc<dyn ChatRepository>,
    ) -> Self {
        let port: Arc<dyn ChatService> = Arc::new(service.clone());
        // Another start draws other keys.
        let started = repository.transact(Durability::Normal, |rows| {
            let before = rows.setting("starts")?.and_then(|n| n.parse().ok());
            let now: u64 = before.unwrap_or(0) + 1;
            rows.put_setting("starts", &now.to_string())?;
            Ok(now)
        });
        let seed = started.await.unwrap();
        let wall = WallTime::from_millis(1_800_000_000_000);
        let client = ChatClient::start(ChatClientParts {
            service: port,
            repository: repository.clone(),
            platform: Arc::new(VirtualPlatform::new(seed, wall)),
            config,
        });
        let client = client.await.unwrap();
        let events = client.events();
        Self {
            client,
            service: service.clone(),
            repository,
            events,
        }
    }

    /// Opens `c1` and lets its socket become live.
    pub(crate) async fn live(&self) -> ConversationHandle {
        let handle = self.client.open(chat("c1"));
        pass(secs(1)).await;
        let state = handle.connection().await.unwrap().state;
        assert_eq!(state, ConnectionState::Live);
        handle
    }

    /// Opens `c1` without hope for a socket.
    pub(crate) async fn polling(&self) -> ConversationHandle {
        use tidings::testing::scripted::Reply;
        self.service
            .always(Operation::Connect, Reply::Fail(blocked()));
        let handle = self.client.open(chat("c1"));
        pass(secs(1)).await;
        let state = handle.connection().await.unwrap().state;
        assert_eq!(state, ConnectionState::Polling);
        handle
    }

    pub(crate) async fn send(&self, text: &str) -> ClientMessageId {
        let sent = self.client.send(chat("c1"), text, SendMode::Durable).await;
        sent.unwrap().id
    }

    pub(crate) async fn send_direct(&self, text: &str) -> Result<Message, SendMessageError> {
        self.client.send(chat("c1"), text, SendMode::Direct).await
    }

    /// All stored rows.
    pub(crate) async fn rows(&self, conversation: &str) -> Vec<Message> {
        let id = chat(conversation);
        let rows = self
            .repository
            .view(move |rows| rows.page(&id, None, 10_000, true));
        rows.await.unwrap()
    }

    pub(crate) async fn texts(&self, conversation: &str) -> Vec<String> {
        let rows = self.rows(conversation).await.into_iter();
        rows.map(|row| row.text).collect()
    }

    pub(crate) async fn message(&self, id: ClientMessageId) -> Option<Message> {
        let found = self.repository.view(move |rows| rows.message(id));
        found.await.unwrap()
    }

    pub(crate) async fn state(&self, id: ClientMessageId) -> DeliveryState {
        self.message(id).await.expect("the message is there").state
    }

    pub(crate) async fn outbox(&self) -> Vec<OutboxEntry> {
        self.client.outbox().await.unwrap()
    }

    /// What was told since the last look.
    pub(crate) fn told(&mut self) -> Vec<ClientEvent> {
        let mut told = Vec::new();
        while let Some(Some(event)) = self.events.next().now_or_never() {
            told.push(event);
        }
        told
    }

    /// No rule of ours was broken and the store was never in trouble.
    pub(crate) fn assert_sound(&mut self) {
        let told = self.told();
        let trouble = told
            .iter()
            .find(|event| matches!(event, ClientEvent::StoreTroubled { .. }));
        assert_eq!(trouble, None);
    }
}

pub(crate) fn unreachable() -> ServiceError {
    ServiceError::unreachable("nobody there")
}

/// The socket is refused though requests work.
pub(crate) fn blocked() -> ServiceError {
    failure(
        FailureKind::Unreachable,
        RetryClass::Backoff,
        Outcome::NotApplied,
    )
}

pub(crate) fn lost() -> ServiceError {
    ServiceError::unknown(FailureKind::TimedOut, "no answer came")
}

pub(crate) fn rejected() -> ServiceError {
    failure(FailureKind::Invalid, RetryClass::Never, Outcome::NotApplied)
}

pub(crate) fn signed_out() -> ServiceError {
    failure(
        FailureKind::SignInRequired,
        RetryClass::AfterReauth,
        Outcome::NotApplied,
    )
}

pub(crate) fn slow_down(wait: Duration) -> ServiceError {
    failure(
        FailureKind::RateLimited,
        RetryClass::After(wait),
        Outcome::NotApplied,
    )
}

pub(crate) fn failure(kind: FailureKind, retry: RetryClass, outcome: Outcome) -> ServiceError {
    ServiceError::new(kind, retry, outcome, "as scripted")
}
