//! Dialling: name, TCP, TLS and upgrade under one deadline, with the server's refusal kept.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, client::IntoClientRequest, protocol::WebSocketConfig},
};
use url::{Host, Url};

use crate::{
    adapters::{
        http::{HttpReply, client::header_text, tls},
        websocket::tcp,
    },
    domain::retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// A connection of any make: plain, TLS, or a test's pipe.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection whose make no longer matters.
pub type BoxedIo = Box<dyn Io>;

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
#[derive(Clone)]
pub struct Dialer {
    tls: TlsConnector,
    deadline: Duration,
    limits: WebSocketLimits,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("deadline", &self.deadline)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Dialer {
    /// Dials on the given TLS configuration; `deadline` covers a whole dial.
    #[must_use]
    pub fn new(mut tls: ClientConfig, deadline: Duration, limits: WebSocketLimits) -> Self {
        // The upgrade is HTTP/1.1, whatever HTTP itself would negotiate.
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            tls: TlsConnector::from(Arc::new(tls)),
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
        let io = self.connect(url).await?;
        upgrade(io, url, headers, self.limits).await
    }

    async fn connect(&self, url: &Url) -> Result<BoxedIo, DialError> {
        let host = url
            .host()
            .ok_or_else(|| unreachable("the address has no host"))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = tcp::connect(&bare(&host), port)
            .await
            .map_err(|_| unreachable("the service cannot be reached"))?;
        if url.scheme() == "ws" {
            return Ok(Box::new(stream));
        }
        let name = server_name(&host)?;
        let secured = self
            .tls
            .connect(name, stream)
            .await
            .map_err(|e| insecure(&e))?;
        Ok(Box::new(secured))
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

fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    }
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, DialError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::from(IpAddr::from(*ip))),
        Host::Ipv6(ip) => Some(ServerName::from(IpAddr::from(*ip))),
    };
    name.ok_or_else(|| failed(FailureKind::Invalid, "the host name fits no certificate"))
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

fn insecure(error: &std::io::Error) -> DialError {
    if tls::is_certificate_failure(error) {
        return failed(
            FailureKind::Certificate,
            "the server's certificate is not trusted",
        );
    }
    unreachable("no secure connection came about")
}

fn unreachable(detail: &str) -> DialError {
    DialError::Failed(ServiceError::unreachable(detail))
}

fn failed(kind: FailureKind, detail: &str) -> DialError {
    let retry = match kind {
        FailureKind::Invalid => RetryClass::Never,
        _ => RetryClass::Backoff,
    };
    DialError::Failed(ServiceError::new(kind, retry, Outcome::NotApplied, detail))
}
