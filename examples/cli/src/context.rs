//! What every command is handed: options, printing, clocks, and the client once it is needed.

use std::{sync::Arc, time::Duration};

use tidings::{
    ChatClient,
    adapters::system::SystemPlatform,
    domain::{
        ids::{ClientMessageId, ConversationId},
        ports::Platform,
        time::WallTime,
    },
};
use tokio::sync::OnceCell;

use crate::{
    args::Global,
    failure::Failure,
    output::Output,
    setup::{self, Access},
};

/// Longer than the SDK's own bound for ending.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// What every command is handed.
#[derive(Debug)]
pub(crate) struct Context {
    /// Options of every command.
    pub(crate) global: Global,
    /// Where to print.
    pub(crate) out: Output,
    /// Clocks and entropy.
    pub(crate) platform: Arc<dyn Platform>,
    client: OnceCell<ChatClient>,
}

impl Context {
    /// A context without a client yet.
    pub(crate) fn new(global: Global) -> Self {
        Self {
            out: Output::new(global.json),
            global,
            platform: Arc::new(SystemPlatform::new()),
            client: OnceCell::new(),
        }
    }

    /// The client, built at the first call; `access` of the first call stands.
    pub(crate) async fn client(&self, access: Access) -> Result<&ChatClient, Failure> {
        self.client
            .get_or_try_init(|| setup::client(&self.global, &self.platform, access))
            .await
    }

    /// Now, by the wall clock.
    pub(crate) fn now(&self) -> WallTime {
        self.platform.wall()
    }

    /// Ends the client, if there is one, in bounded time.
    pub(crate) async fn shutdown(&self) {
        if let Some(client) = self.client.get() {
            let _ = tokio::time::timeout(SHUTDOWN, client.shutdown()).await;
        }
    }
}

/// Reads a conversation's id.
pub(crate) fn conversation_id(text: &str) -> Result<ConversationId, Failure> {
    let blank = || Failure::usage("the conversation's id is blank").field("conversation");
    ConversationId::parse(text).ok_or_else(blank)
}

/// Reads a message's id; text that is no id names no message.
pub(crate) fn message_id(text: &str) -> Result<ClientMessageId, Failure> {
    ClientMessageId::parse(text.trim()).ok_or_else(Failure::no_message)
}
