//! A whole client on the interop server, as an app makes one.

use std::{sync::Arc, time::Duration};

use tidings::{
    ChatClient, ChatClientParts, Config,
    adapters::{
        http::StaticToken,
        socketio::{SocketIoConfig, SocketIoService},
        sqlite::{SqliteOptions, SqliteRepository},
        system::SystemPlatform,
    },
    domain::{ids::ConversationId, message::Message},
};

use crate::{node::Node, support::Admin};

/// Longer than anything that works takes, on any machine.
const LIMIT: Duration = Duration::from_secs(90);

/// How an app makes its client.
pub(crate) struct App {
    pub(crate) socketio: SocketIoConfig,
    pub(crate) core: Config,
    directory: tempfile::TempDir,
    token: String,
}

impl App {
    /// With timings for impatient tests, and a store that outlives the client.
    pub(crate) async fn of(node: &Node, user: &str) -> Self {
        let mut core = Config::default();
        for (name, value) in [
            ("reconcile.grace", "300ms"),
            ("send.base", "50ms"),
            ("reconnect.base", "200ms"),
            ("poll.active", "1s"),
        ] {
            core.set(name, value).expect("a setting");
        }
        let mut socketio = SocketIoConfig::new(node.origin());
        socketio.dedupes = true;
        socketio.answer_timeout = Duration::from_secs(1);
        Self {
            socketio,
            core,
            directory: tempfile::TempDir::new().expect("a directory"),
            token: Admin::of(node).token(user).await,
        }
    }

    pub(crate) async fn start(&self) -> ChatClient {
        let platform = Arc::new(SystemPlatform::new());
        let token = Arc::new(StaticToken::new(self.token.clone()));
        let service = SocketIoService::new(self.socketio.clone(), token, platform.clone());
        let options = SqliteOptions::new(self.directory.path().join("chat.db"));
        let parts = ChatClientParts {
            service: Arc::new(service.expect("a service")),
            repository: SqliteRepository::open(options).expect("a store"),
            platform,
            config: self.core.clone(),
        };
        ChatClient::start(parts).await.expect("a client")
    }
}

/// Waits until the conversation as shown satisfies the condition.
pub(crate) async fn until(
    client: &ChatClient,
    id: &ConversationId,
    holds: impl Fn(&[Message]) -> bool,
) -> Vec<Message> {
    let mut timeline = client.observe_timeline(id.clone(), 200);
    let mut shown = Vec::new();
    let wait = async {
        loop {
            for change in timeline.next().await.expect("changes") {
                change.apply(&mut shown).expect("a change");
            }
            if holds(&shown) {
                return;
            }
        }
    };
    let come = tokio::time::timeout(LIMIT, wait).await;
    let texts: Vec<_> = shown.iter().map(|row| (&row.text, row.state)).collect();
    assert!(come.is_ok(), "never came: {texts:?}");
    shown
}

pub(crate) fn texts(rows: &[Message]) -> Vec<String> {
    rows.iter().map(|row| row.text.clone()).collect()
}
