//! What the app asks of the running core.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot};

use crate::{
    domain::{connection::ConnectionStatus, ids::ConversationId, ports::Dispatch},
    error::ChatError,
};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ChatError>>;

/// One request to the driver.
#[derive(Debug)]
pub(crate) enum Command {
    /// The outbox changed.
    Wake,
    /// One more handle on a conversation: connect it.
    Open(ConversationId),
    /// One handle less.
    Close(ConversationId),
    /// Read the server's history from the stored cursor to its end, and back to its beginning.
    Synchronise {
        conversation: ConversationId,
        whole: bool,
        reply: Reply<usize>,
    },
    /// Read one page before what is stored.
    LoadOlder {
        conversation: ConversationId,
        reply: Reply<bool>,
    },
    /// Somebody listens to events from now on.
    Subscribed,
    /// How a conversation is connected.
    Status {
        conversation: ConversationId,
        reply: Reply<ConnectionStatus>,
    },
    /// Tell the room that the user types.
    SetTyping {
        conversation: ConversationId,
        active: bool,
        reply: Reply<()>,
    },
    /// The app left the foreground; suspend when the deadline passes.
    Background {
        deadline: Duration,
        reply: Reply<()>,
    },
    /// The app is back.
    Foreground,
    /// The device's network changed.
    Network(NetworkChange),
    /// End everything in bounded time.
    Shutdown { reply: Reply<()> },
}

impl Command {
    /// The conversation it is about.
    pub(crate) const fn conversation(&self) -> Option<&ConversationId> {
        match self {
            Self::Open(id) | Self::Close(id) => Some(id),
            Self::Synchronise { conversation, .. }
            | Self::LoadOlder { conversation, .. }
            | Self::Status { conversation, .. }
            | Self::SetTyping { conversation, .. } => Some(conversation),
            _ => None,
        }
    }

    /// The same about another conversation.
    pub(crate) fn about(&mut self, other: ConversationId) {
        match self {
            Self::Open(id) | Self::Close(id) => *id = other,
            Self::Synchronise { conversation, .. }
            | Self::LoadOlder { conversation, .. }
            | Self::Status { conversation, .. }
            | Self::SetTyping { conversation, .. } => *conversation = other,
            _ => {}
        }
    }
}

/// What the platform says of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkChange {
    /// There is one, perhaps after there was none.
    Up,
    /// There is none.
    Down,
    /// The path changed (another Wi-Fi, mobile data): open sockets are suspect.
    Changed,
}

/// The way into the driver.
#[derive(Clone, Debug)]
pub(crate) struct Commands(pub(crate) Arc<mpsc::UnboundedSender<Command>>);

impl Commands {
    /// Hands a command over; a driver that ended makes this a no-op.
    pub(crate) fn tell(&self, command: Command) {
        let _ = self.0.send(command);
    }

    /// Hands a command over and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, ChatError> {
        let (reply, answer) = oneshot::channel();
        self.tell(command(reply));
        answer.await.unwrap_or(Err(ChatError::Closed))
    }
}

impl Dispatch for Commands {
    fn wake(&self) {
        self.tell(Command::Wake);
    }
}
