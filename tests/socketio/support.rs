//! Clients of the interop server.

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use tidings::{
    adapters::{
        http::StaticToken,
        socketio::{SocketIoConfig, SocketIoService},
        system::SystemPlatform,
    },
    domain::{
        event::SessionEvent,
        ids::{ClientMessageId, ConversationId},
        message::ServerMessage,
        ports::{
            ChatService, Outgoing, Platform, RealtimeSession, Token, TokenError, TokenProvider,
        },
    },
};

use crate::node::Node;

/// Far beyond what anything here takes.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(Duration::from_secs(30), work).await;
    done.expect("in time")
}

pub(crate) fn id(name: &str) -> ConversationId {
    ConversationId::parse(name).expect("id")
}

pub(crate) fn outgoing(to: &str, text: &str) -> Outgoing {
    Outgoing {
        id: key(),
        conversation: id(to),
        text: text.to_owned(),
        wire_id: None,
    }
}

pub(crate) fn key() -> ClientMessageId {
    SystemPlatform::new().mint()
}

/// What a test may do to the server.
pub(crate) struct Admin(u16);

impl Admin {
    pub(crate) fn of(node: &Node) -> Self {
        Self(node.port())
    }

    /// In a thread of its own: the clients of the test go on meanwhile.
    pub(crate) async fn tell(&self, verb: &str, body: Value) -> Value {
        let (port, verb) = (self.0, verb.to_owned());
        let told = tokio::task::spawn_blocking(move || crate::node::admin(port, &verb, &body));
        told.await.expect("told")
    }

    pub(crate) async fn token(&self, user: &str) -> String {
        let told = self.tell("token", json!({ "user": user })).await;
        told["token"].as_str().expect("a token").to_owned()
    }

    /// A channel of a booking between these people.
    pub(crate) async fn booking(&self, context: &str, users: &[&str]) -> String {
        let body = json!({ "contextType": "Booking", "contextId": context, "users": users });
        let told = self.tell("channel", body).await;
        told["id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn say(&self, channel: &str, user: &str, content: &str) {
        let body = json!({ "channelId": channel, "user": user, "content": content });
        self.tell("say", body).await;
    }

    /// The texts that the server has, in its order.
    pub(crate) async fn stored(&self, channel: &str) -> Vec<String> {
        let told = self.tell("messages", json!({ "channelId": channel })).await;
        let rows = told["messages"].as_array().expect("rows").iter();
        rows.map(|row| row["content"].as_str().expect("text").to_owned())
            .collect()
    }
}

pub(crate) async fn service(node: &Node, user: &str) -> SocketIoService {
    service_with(node, user, |_| ()).await
}

pub(crate) async fn service_with(
    node: &Node,
    user: &str,
    adjust: impl FnOnce(&mut SocketIoConfig),
) -> SocketIoService {
    let token = Admin::of(node).token(user).await;
    let mut config = SocketIoConfig::new(node.origin());
    config.dedupes = true;
    adjust(&mut config);
    make(config, Arc::new(StaticToken::new(token)))
}

pub(crate) fn make(config: SocketIoConfig, tokens: Arc<dyn TokenProvider>) -> SocketIoService {
    SocketIoService::new(config, tokens, Arc::new(SystemPlatform::new())).expect("a service")
}

/// A session that is read all the time, as the runtime reads one.
pub(crate) struct Listener {
    pub(crate) session: Arc<dyn RealtimeSession>,
    events: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<SessionEvent>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Listener {
    pub(crate) async fn at(service: &SocketIoService, conversation: &str) -> Self {
        let session = within(service.connect(&id(conversation))).await;
        let session = session.expect("a session");
        let (told, events) = tokio::sync::mpsc::unbounded_channel();
        let listened = Arc::clone(&session);
        #[expect(clippy::disallowed_methods, reason = "a test's own task")]
        let reader = tokio::spawn(async move {
            loop {
                let event = listened.next_event().await;
                let over = matches!(event, SessionEvent::Closed(_));
                if told.send(event).is_err() || over {
                    break;
                }
            }
        });
        Self {
            session,
            events: tokio::sync::Mutex::new(events),
            reader,
        }
    }

    /// The next event that is more than a sign of life, or who is in the conversation.
    pub(crate) async fn next(&self) -> SessionEvent {
        let mut events = self.events.lock().await;
        let next = async {
            loop {
                match events.recv().await.expect("an event") {
                    SessionEvent::Alive | SessionEvent::Conversation(_) => {}
                    event => return event,
                }
            }
        };
        within(next).await
    }

    /// The next event of a kind.
    pub(crate) async fn until<T>(&self, pick: impl Fn(SessionEvent) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.next().await) {
                return found;
            }
        }
    }

    pub(crate) async fn message(&self) -> ServerMessage {
        self.until(|event| match event {
            SessionEvent::Message(message) => Some(message),
            _ => None,
        })
        .await
    }
}

/// Yields its tokens one after the other: each refresh moves on.
#[derive(Debug)]
pub(crate) struct Tokens(Mutex<Vec<String>>);

impl Tokens {
    pub(crate) fn new(tokens: &[&str]) -> Self {
        Self(Mutex::new(
            tokens.iter().rev().map(|&t| t.to_owned()).collect(),
        ))
    }

    fn top(&self) -> Option<Token> {
        self.0.lock().expect("tokens").last().map(Token::new)
    }
}

#[async_trait]
impl TokenProvider for Tokens {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(self.top())
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        let mut tokens = self.0.lock().expect("tokens");
        if tokens.len() > 1 {
            tokens.pop();
        }
        drop(tokens);
        self.top().ok_or(TokenError::SignInRequired)
    }
}
