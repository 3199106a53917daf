//! The handle to a running backend: start it, look inside it, spoil it, stop it.

use std::{future::Future, net::SocketAddr, thread, time::Duration};

use serde::Serialize;
use tokio::{runtime::Handle, sync::oneshot};

use crate::{
    app::Shared,
    clock,
    config::BackendConfig,
    error::BackendError,
    faults::Faults,
    hub::OpenSocket,
    journal::{FrameRecord, RequestRecord, Traffic},
    network::Network,
    server::{self, Ports, Started},
    store::{Message, tokens},
    ws::Outgoing,
};

/// A running backend. Dropping it stops it without waiting; [`stop`](Self::stop) waits.
#[derive(Debug)]
pub struct Backend {
    app: Shared,
    runtime: Handle,
    ports: Ports,
    quit: Option<oneshot::Sender<()>>,
    gone: Option<oneshot::Receiver<()>>,
}

/// A message as the server has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoredMessage {
    /// The server's id.
    pub id: String,
    /// The conversation it belongs to.
    pub conversation: String,
    /// Its place in the conversation, dense from 1.
    pub seq: u64,
    /// `user` or `assistant`.
    pub role: String,
    /// The text; empty for a tombstone.
    pub content: String,
    /// The client's key, where it sent one (extension).
    pub client_id: Option<String>,
    /// 1, and one more for each edit or deletion.
    pub revision: u32,
    /// Whether only a tombstone is left.
    pub deleted: bool,
    /// When it was stored: RFC 3339, nanoseconds.
    pub created_at: String,
}

impl From<Message> for StoredMessage {
    fn from(row: Message) -> Self {
        Self {
            id: row.id,
            conversation: row.consultation_id,
            seq: row.seq,
            role: row.role,
            content: row.content,
            client_id: row.client_id,
            revision: row.revision,
            deleted: row.deleted,
            created_at: clock::precise(row.created_at),
        }
    }
}

impl Backend {
    /// Starts a backend on a thread of its own. It answers when this returns.
    ///
    /// # Errors
    /// When an address cannot be bound, the store cannot be opened, or the thread not be made.
    pub fn start(config: BackendConfig) -> Result<Self, BackendError> {
        if !config.admin_listen.ip().is_loopback() {
            return Err(BackendError::AdminNotLoopback(config.admin_listen));
        }
        let ports = Ports::claim(&config)?;
        Self::start_on(ports, config)
    }

    fn start_on(ports: Ports, config: BackendConfig) -> Result<Self, BackendError> {
        let (ready, started) = std::sync::mpsc::channel();
        let (leaving, gone) = oneshot::channel();
        // Everything is made on that thread: a runtime must not be dropped on an async caller's.
        let claimed = ports.clone();
        thread::Builder::new()
            .name("tidings-backend".to_owned())
            .spawn(move || {
                server::live(config, claimed, ready);
                let _ = leaving.send(());
            })
            .map_err(BackendError::Runtime)?;
        let started = started.recv().unwrap_or_else(|_| {
            Err(BackendError::Runtime(std::io::Error::other(
                "the server thread ended",
            )))
        })?;
        let Started { app, runtime, quit } = started;
        Ok(Self {
            app,
            runtime,
            ports,
            quit: Some(quit),
            gone: Some(gone),
        })
    }

    /// The origin clients talk to, e.g. `http://127.0.0.1:41234`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr())
    }

    /// The origin of the admin endpoint. It stays reachable whatever the network does.
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.ports.admin.addr())
    }

    /// The address clients talk to.
    pub fn addr(&self) -> SocketAddr {
        self.app.door.addr()
    }

    /// The fault rules: the same that the admin endpoint edits.
    pub fn faults(&self) -> &Faults {
        &self.app.faults
    }

    /// Changes what the network does; see [`Network`].
    ///
    /// # Errors
    /// When the port cannot be listened on again, which only a system out of resources does.
    pub fn network(&self, network: Network) -> std::io::Result<()> {
        let _entered = self.runtime.enter();
        self.app.door.set_network(network)
    }

    /// Every request so far, oldest first.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.app.journal.requests()
    }

    /// Every WebSocket document so far, oldest first.
    pub fn frames(&self) -> Vec<FrameRecord> {
        self.app.journal.frames()
    }

    /// Forgets the requests and frames recorded so far.
    pub fn forget_records(&self) {
        self.app.journal.clear();
    }

    /// All bytes on the wire so far.
    pub fn traffic(&self) -> Traffic {
        let (received, sent) = self.app.door.bytes();
        Traffic { received, sent }
    }

    /// A conversation's rows, in order; empty for one that does not exist.
    pub fn messages(&self, conversation: &str) -> Vec<StoredMessage> {
        let rows = self
            .app
            .store
            .run_now(|db| Message::page(db, conversation, None, 0));
        rows.unwrap_or_default()
            .into_iter()
            .map(StoredMessage::from)
            .collect()
    }

    /// The WebSockets open now.
    pub fn sockets(&self) -> Vec<OpenSocket> {
        self.app.hub.sockets()
    }

    /// The WebSockets open now in one conversation.
    pub fn sockets_of(&self, conversation: &str) -> Vec<OpenSocket> {
        let mut sockets = self.sockets();
        sockets.retain(|socket| socket.conversation == conversation);
        sockets
    }

    /// Whether an answer is being written, or waits to be.
    pub fn is_answering(&self, conversation: &str) -> bool {
        self.app.hub.turns().contains_key(conversation)
    }

    /// Closes all sockets of a conversation; returns how many there were.
    pub fn kick(&self, conversation: &str, code: u16, reason: &str) -> usize {
        let close = Outgoing::Close {
            code,
            reason: reason.to_owned(),
        };
        self.app.hub.send_all(conversation, &close)
    }

    /// Sends a text frame as it is to all sockets of a conversation; returns how many.
    pub fn push(&self, conversation: &str, frame: impl Into<Vec<u8>>) -> usize {
        let frame = Outgoing::Verbatim {
            bytes: frame.into(),
            binary: false,
        };
        self.app.hub.send_all(conversation, &frame)
    }

    /// Sets the pace of scripted answers from the next word on.
    pub fn set_word_delay(&self, delay: Duration) {
        self.app.coach.set_word_delay(delay);
    }

    /// Lets every access token from `/auth/login` and `/auth/refresh` be expired now.
    pub fn expire_access_tokens(&self) {
        self.log_failure(
            self.app
                .store
                .run_now(|db| tokens::expire_access(db, clock::now())),
        );
    }

    /// Withdraws every refresh token, as signing out everywhere does.
    pub fn revoke_refresh_tokens(&self) {
        self.log_failure(self.app.store.run_now(tokens::revoke_refresh));
    }

    /// How often a refresh token was exchanged for a fresh pair.
    pub fn refreshes(&self) -> u64 {
        self.app.journal.refreshes()
    }

    /// Waits until something is true of this backend. Looks again whenever a request, a frame, a
    /// message, a socket or a turn came or went; there is no limit of its own.
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing behind.
    pub async fn wait_until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut changes = self.app.journal.changes();
        while !holds(self) {
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Closes all sockets (1001), stops listening and waits for it: about 300 ms at the longest,
    /// 2 s when the disk is slow.
    pub async fn stop(mut self) {
        if let Some(gone) = self.begin_stop() {
            let _ = gone.await;
        }
    }

    /// Stops, then starts again on the same addresses and the same store. An in-memory store
    /// starts empty. Rules and records start empty.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn restart(self) -> Result<Self, BackendError> {
        // Holding on to the ports keeps others from taking them meanwhile.
        let (ports, config) = (self.ports.clone(), self.app.config.clone());
        self.stop().await;
        Self::start_on(ports, config)
    }

    /// The future of its end, as a plain function so that dropping can begin it too.
    fn begin_stop(
        &mut self,
    ) -> Option<impl Future<Output = Result<(), oneshot::error::RecvError>>> {
        let _ = self.quit.take()?.send(());
        self.gone.take()
    }

    fn log_failure(&self, result: rusqlite::Result<()>) {
        if let Err(error) = result {
            tracing::error!(%error, url = %self.url(), "the store failed");
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.begin_stop());
    }
}
