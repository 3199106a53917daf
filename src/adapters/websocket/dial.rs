//! Dialling: name, TCP, TLS and upgrade under one deadline, with the server's refusal kept.

use std::time::Duration;

use http::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest, protocol::WebSocketConfig},
};
use url::Url;

use crate::{
    adapters::{
        http::{HttpReply, client::header_text},
        net::{BoxedIo, Connector},
    },
    domain::retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// The bounds of a socket; without them a peer could fill the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketLimits {
    /// Largest incoming message, and frame.
    pub message: usize,
    /// Most bytes that wait to be written.
    pub backlog: usize,
}

impl Default for WebSocketLimits {
    /// 1 MiB each: two hundred times the longest text a backend takes.
    fn default() -> Self {
        Self {
            message: 1024 * 1024,
            backlog: 1024 * 1024,
        }
    }
}

impl WebSocketLimits {
    pub(super) fn config(self) -> WebSocketConfig {
        WebSocketConfig::default()
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0)
            .max_write_buffer_size(self.backlog.max(1))
            .max_message_size(Some(self.message))
            .max_frame_size(Some(self.message))
    }
}

/// Why there is no socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialError {
    /// The server, or something in its place, answered with an HTTP reply instead of the upgrade.
    Refused(HttpReply),
    /// No reply came.
    Failed(ServiceError),
}

/// Dials sockets.
#[derive(Clone, Debug)]
pub struct Dialer {
    connector: Connector,
    deadline: Duration,
    limits: WebSocketLimits,
}

impl Dialer {
    /// Dials over the connector's connections; `deadline` covers a whole dial.
    #[must_use]
    pub const fn new(connector: Connector, deadline: Duration, limits: WebSocketLimits) -> Self {
        Self {
            connector,
            deadline,
            limits,
        }
    }

    /// Opens a socket; the upgrade is done when this returns.
    ///
    /// # Errors
    /// [`DialError`]. Nothing was ever applied by a dial.
    ///
    /// # Cancel safety
    /// Dropping the future ends the dial.
    pub async fn dial(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<WebSocketStream<BoxedIo>, DialError> {
        match tokio::time::timeout(self.deadline, Box::pin(self.open(url, headers))).await {
            Ok(result) => result,
            Err(_) => Err(failed(FailureKind::TimedOut, "the dial took too long")),
        }
    }

    async fn open(
        &self,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<WebSocketStream<BoxedIo>, DialError> {
        let connected = self.connector.connect(url).await;
        let io = connected.map_err(DialError::Failed)?;
        upgrade(io, url, headers, self.limits).await
    }
}

/// Performs the upgrade over a connection of any make.
///
/// # Errors
/// [`DialError`].
pub async fn upgrade(
    io: BoxedIo,
    url: &Url,
    headers: HeaderMap,
    limits: WebSocketLimits,
) -> Result<WebSocketStream<BoxedIo>, DialError> {
    let mut request = url
        .as_str()
        .into_client_request()
        .map_err(|_| failed(FailureKind::Invalid, "the address cannot be dialled"))?;
    request.headers_mut().extend(headers);
    let upgraded = client_async_with_config(request, io, Some(limits.config())).await;
    let (socket, _) = upgraded.map_err(refused)?;
    Ok(socket)
}

fn refused(error: tungstenite::Error) -> DialError {
    use tungstenite::Error as E;
    match error {
        E::Http(response) => DialError::Refused(reply(&response)),
        E::Io(_) | E::ConnectionClosed | E::AlreadyClosed => failed(
            FailureKind::Interrupted,
            "the connection broke in the upgrade",
        ),
        E::Protocol(tungstenite::error::ProtocolError::HandshakeIncomplete) => failed(
            FailureKind::Interrupted,
            "the connection ended in the upgrade",
        ),
        _ => failed(FailureKind::Protocol, "the upgrade was answered wrongly"),
    }
}

fn reply(response: &tungstenite::http::Response<Option<Vec<u8>>>) -> HttpReply {
    let text = |name| header_text(response.headers(), &name);
    let body = response.body().as_deref().unwrap_or_default();
    HttpReply {
        status: response.status().as_u16(),
        body: String::from_utf8_lossy(body).into_owned(),
        content_type: text(CONTENT_TYPE),
        retry_after: text(RETRY_AFTER),
        date: text(DATE),
        ..HttpReply::default()
    }
}

fn failed(kind: FailureKind, detail: &str) -> DialError {
    let retry = match kind {
        FailureKind::Invalid => RetryClass::Never,
        _ => RetryClass::Backoff,
    };
    DialError::Failed(ServiceError::new(kind, retry, Outcome::NotApplied, detail))
}
