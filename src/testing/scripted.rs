//! A programmable backend: a small server in memory whose every answer a test can change.
//!
//! By default it behaves like a good server: it keeps conversations and messages, gives ids,
//! greets, confirms, pages its history. [`ScriptedService::next`] changes the next answer to an
//! operation, [`ScriptedService::always`] every answer from now on. What was asked of it is in
//! [`ScriptedService::calls`]; what goes over a socket is pushed and inspected on the
//! [`ScriptedSession`]. Delays follow tokio's clock, so that a paused one is virtual.
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! use tidings::{
//!     ChatClient, ChatClientParts, Config,
//!     adapters::memory::MemoryRepository,
//!     domain::{ids::ConversationId, time::WallTime},
//!     testing::{ScriptedService, VirtualPlatform},
//! };
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let service = ScriptedService::builder().conversation("c1").answering("Hello!").build();
//! let client = ChatClient::start(ChatClientParts {
//!     service: Arc::new(service.clone()),
//!     repository: Arc::new(MemoryRepository::new()),
//!     platform: Arc::new(VirtualPlatform::new(1, WallTime::from_millis(1_800_000_000_000))),
//!     config: Config::default(),
//! })
//! .await
//! .unwrap();
//! let chat = client.open(ConversationId::parse("c1").unwrap());
//! chat.send("Hi").await.unwrap();
//! tokio::time::sleep(Duration::from_secs(5)).await;
//! assert_eq!(service.texts("c1"), ["Hi", "Hello!"]);
//! # }
//! ```
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a script that makes no sense panics: the test is wrong"
)]

mod builder;
mod port;
mod server;
mod session;

pub use builder::ScriptedServiceBuilder;
pub use session::ScriptedSession;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{
    capabilities::Capabilities,
    event::SessionEvent,
    ids::{ConversationId, MessageId},
    message::{Role, ServerMessage},
    retry::ServiceError,
    time::WallTime,
};
use server::Server;

/// What can be asked of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Create a conversation.
    Create,
    /// List conversations.
    List,
    /// Ask about one conversation.
    Conversation,
    /// Read a page of history.
    History,
    /// Send by a request.
    Send,
    /// Send over the socket.
    SocketSend,
    /// Dial.
    Connect,
    /// Move the read marker.
    MarkRead,
    /// Complete a conversation.
    Complete,
    /// Delete a conversation.
    DeleteConversation,
    /// Delete a message.
    DeleteMessage,
    /// Edit a message.
    EditMessage,
    /// Archive a conversation, or show it again.
    Archive,
    /// Stop an answer.
    StopAnswer,
}

/// How an operation goes.
#[derive(Clone, Debug)]
pub enum Reply {
    /// As by a good server.
    Normal,
    /// It fails; the server did nothing.
    Fail(ServiceError),
    /// It takes effect, and its answer is this error: a lost confirmation.
    ApplyThenFail(ServiceError),
    /// It never ends, and the server does nothing.
    Hang,
    /// It never ends; the server applies it after this long.
    HangAndApply(Duration),
    /// The adapter has a bug: it panics, and the server did nothing.
    Panic,
    /// It goes like that, after this long.
    Later(Duration, Box<Self>),
}

impl Reply {
    /// As by a good server that takes this long.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        Self::Later(wait, Box::new(Self::Normal))
    }
}

/// One thing that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// How long after the service was built.
    pub at: Duration,
    /// What.
    pub operation: Operation,
    /// Of which conversation, where it was about one.
    pub conversation: Option<ConversationId>,
}

/// The programmable backend. Clones share it.
#[derive(Clone, Debug)]
pub struct ScriptedService {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    capabilities: Capabilities,
    answer: Option<String>,
    greets: bool,
    started: tokio::time::Instant,
    script: Mutex<Script>,
    server: Mutex<Server>,
    sessions: Mutex<Vec<ScriptedSession>>,
}

#[derive(Debug, Default)]
struct Script {
    next: BTreeMap<Operation, VecDeque<Reply>>,
    always: BTreeMap<Operation, Reply>,
    calls: Vec<Call>,
}

impl ScriptedService {
    /// A good server with one empty conversation, `c1`.
    ///
    /// # Panics
    /// Outside a tokio runtime with time enabled.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().conversation("c1").build()
    }

    /// A server to be described.
    #[must_use]
    pub fn builder() -> ScriptedServiceBuilder {
        ScriptedServiceBuilder::default()
    }

    /// The next such operation that has no other script goes like this.
    pub fn next(&self, operation: Operation, reply: Reply) {
        let mut script = lock(&self.shared.script);
        script.next.entry(operation).or_default().push_back(reply);
    }

    /// Every such operation goes like this from now on; `Reply::Normal` ends it.
    pub fn always(&self, operation: Operation, reply: Reply) {
        lock(&self.shared.script).always.insert(operation, reply);
    }

    /// Every operation goes like this from now on; `Reply::Normal` ends it.
    pub fn always_all(&self, reply: &Reply) {
        for operation in OPERATIONS {
            self.always(operation, reply.clone());
        }
    }

    /// Forgets every scripted reply, given or not: a good server from now on.
    pub fn clear_script(&self) {
        let mut script = lock(&self.shared.script);
        script.next.clear();
        script.always.clear();
    }

    /// Everything that was asked so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.script).calls.clone()
    }

    /// How often an operation was asked for.
    #[must_use]
    pub fn count(&self, operation: Operation) -> usize {
        let script = lock(&self.shared.script);
        let asked = script.calls.iter();
        asked.filter(|call| call.operation == operation).count()
    }

    /// Somebody else writes into the conversation: it is in the history, and nobody is told.
    pub fn writes(&self, conversation: &str, role: Role, text: &str) -> MessageId {
        self.server().append(&id(conversation), role, text).id
    }

    /// Another device of this account writes into the conversation: it is in the history.
    pub fn writes_own(&self, conversation: &str, text: &str) -> MessageId {
        self.server().append(&id(conversation), Role::User, text).id
    }

    /// The model answers; the open sessions of the conversation get the whole message.
    pub fn pushes(&self, conversation: &str, text: &str) -> MessageId {
        let row = self
            .server()
            .append(&id(conversation), Role::Assistant, text);
        for session in self.sessions(conversation) {
            session.push(SessionEvent::Message(row.clone()));
        }
        row.id
    }

    /// The model answers in pieces over the open sessions, and its row is in the history.
    pub fn streams(&self, conversation: &str, pieces: &[&str]) -> MessageId {
        for session in self.sessions(conversation) {
            for piece in pieces {
                session.push(delta(piece));
            }
        }
        let row = self
            .server()
            .append(&id(conversation), Role::Assistant, &pieces.concat());
        for session in self.sessions(conversation) {
            session.push(SessionEvent::AnswerCompleted { stopped: false });
        }
        row.id
    }

    /// Changes the rows of a conversation as the server has them.
    pub fn edit(&self, conversation: &str, change: impl FnOnce(&mut Vec<ServerMessage>)) {
        change(self.server().rows_mut(&id(conversation)));
    }

    /// The rows of a conversation as the server has them.
    #[must_use]
    pub fn rows(&self, conversation: &str) -> Vec<ServerMessage> {
        self.server().rows_mut(&id(conversation)).clone()
    }

    /// The texts of a conversation as the server has them.
    #[must_use]
    pub fn texts(&self, conversation: &str) -> Vec<String> {
        let rows = self.rows(conversation).into_iter();
        rows.map(|row| row.text).collect()
    }

    /// The conversations the server has.
    #[must_use]
    pub fn conversations(&self) -> Vec<ConversationId> {
        self.server().conversations()
    }

    /// How far the account has read a conversation, by the server's marker.
    #[must_use]
    pub fn read_to(&self, conversation: &str) -> Option<MessageId> {
        self.server().read_to(&id(conversation))
    }

    /// The server loses a conversation, as if it was deleted elsewhere.
    pub fn loses(&self, conversation: &str) {
        self.server().remove(&id(conversation));
    }

    /// The sessions of a conversation that are open now, oldest first.
    #[must_use]
    pub fn sessions(&self, conversation: &str) -> Vec<ScriptedSession> {
        let conversation = id(conversation);
        let sessions = lock(&self.shared.sessions);
        let open = sessions
            .iter()
            .filter(|session| session.conversation() == &conversation && !session.is_closed());
        open.cloned().collect()
    }

    /// The newest open session of a conversation.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn session(&self, conversation: &str) -> ScriptedSession {
        let newest = self.sessions(conversation).pop();
        newest.expect("no session of this conversation is open")
    }

    /// Every session ever opened, the closed ones too.
    #[must_use]
    pub fn all_sessions(&self) -> Vec<ScriptedSession> {
        lock(&self.shared.sessions).clone()
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        let mut server = lock(&self.shared.server);
        server.settle(self.shared.started.elapsed());
        server
    }

    /// Notes the call and says how it goes.
    fn asked(&self, operation: Operation, conversation: Option<&ConversationId>) -> Reply {
        let at = self.shared.started.elapsed();
        let mut script = lock(&self.shared.script);
        script.calls.push(Call {
            at,
            operation,
            conversation: conversation.cloned(),
        });
        let next = script
            .next
            .get_mut(&operation)
            .and_then(VecDeque::pop_front);
        next.or_else(|| script.always.get(&operation).cloned())
            .unwrap_or(Reply::Normal)
    }
}

impl Default for ScriptedService {
    fn default() -> Self {
        Self::new()
    }
}

const OPERATIONS: [Operation; 14] = [
    Operation::Create,
    Operation::List,
    Operation::Conversation,
    Operation::History,
    Operation::Send,
    Operation::SocketSend,
    Operation::Connect,
    Operation::MarkRead,
    Operation::Complete,
    Operation::DeleteConversation,
    Operation::DeleteMessage,
    Operation::EditMessage,
    Operation::Archive,
    Operation::StopAnswer,
];

/// A piece of an answer.
#[must_use]
pub fn delta(text: &str) -> SessionEvent {
    SessionEvent::AnswerDelta {
        text: text.to_owned(),
    }
}

/// A row as a server tells of it.
#[must_use]
pub fn server_message(name: &str, role: Role, text: &str) -> ServerMessage {
    ServerMessage {
        id: MessageId::parse(name).expect("a message id"),
        client_id: None,
        own: role == Role::User,
        role,
        sender: None,
        text: text.to_owned(),
        created_at: Some(WallTime::from_millis(1_800_000_000_000)),
        sequence: None,
        revision: 0,
        deleted: false,
    }
}

fn id(conversation: &str) -> ConversationId {
    ConversationId::parse(conversation).expect("a conversation id")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
