//! Clients of the server, each with a store of its own.

use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tidings::{
    ChatClient, ChatClientParts, Config, ConversationHandle,
    adapters::{
        http::StaticToken,
        socketio::{SocketIoConfig, SocketIoService},
        sqlite::{SqliteOptions, SqliteRepository},
        system::SystemPlatform,
    },
    domain::{connection::ConnectionState, ids::ConversationId},
};

use crate::node::Node;

/// A client with its conversations open and live.
pub(crate) struct Person {
    pub(crate) client: ChatClient,
    pub(crate) open: Vec<ConversationHandle>,
    pub(crate) names: Vec<ConversationId>,
    _directory: TempDir,
}

/// The channels of so many bookings, between ann and bob.
pub(crate) fn channels(node: &Node, count: usize) -> Vec<String> {
    let users = ["ann", "bob"];
    let channel = |number: usize| {
        let booking = number.to_string();
        let body = json!({ "contextType": "Booking", "contextId": booking, "users": users });
        let told = node.admin("channel", &body);
        told["id"].as_str().expect("an id").to_owned()
    };
    (0..count).map(channel).collect()
}

impl Person {
    /// Opens so many bookings through this port.
    pub(crate) async fn at(node: &Node, port: u16, user: &str, count: usize) -> Self {
        let directory = TempDir::new().expect("a directory");
        let token = node.admin("token", &json!({ "user": user }));
        let token = StaticToken::new(token["token"].as_str().expect("a token"));
        let platform = Arc::new(SystemPlatform::new());
        let mut socketio = SocketIoConfig::new(format!("http://127.0.0.1:{port}"));
        socketio.dedupes = true;
        let mut config = Config::default();
        config
            .set("max_live", &count.to_string())
            .expect("a setting");
        let service = SocketIoService::new(socketio, Arc::new(token), platform.clone());
        let store = SqliteOptions::new(directory.path().join("chat.db"));
        let parts = ChatClientParts {
            service: Arc::new(service.expect("a service")),
            repository: SqliteRepository::open(store).expect("a store"),
            platform,
            config,
        };
        let client = ChatClient::start(parts).await.expect("a client");
        client.refresh_conversations().await.expect("a list");
        let name = |number| ConversationId::parse(&format!("Booking:{number}")).expect("an id");
        let names: Vec<_> = (0..count).map(name).collect();
        let open = names.iter().map(|name| client.open(name.clone())).collect();
        let person = Self {
            client,
            open,
            names,
            _directory: directory,
        };
        person.live().await;
        person
    }

    async fn live(&self) {
        let mut events = self.client.events();
        for open in &self.open {
            while open.connection().await.expect("a state").state != ConnectionState::Live {
                events.next().await.expect("an event");
            }
        }
    }
}
