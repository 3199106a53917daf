//! A connection to the server of an address: name, TCP and TLS.

use std::{fmt, net::IpAddr, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{
    adapters::net::{tcp, tls},
    domain::retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// A connection of any make: plain, TLS, or a test's pipe.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection whose make no longer matters.
pub type BoxedIo = Box<dyn Io>;

/// Connects; clones share one TLS configuration and its sessions.
#[derive(Clone)]
pub struct Connector {
    tls: TlsConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

impl Connector {
    /// Connects on the given TLS configuration, for HTTP/1.1 and nothing newer: the upgrade to a
    /// WebSocket is HTTP/1.1 (RFC 6455 section 4.1), and so is all else here.
    #[must_use]
    pub fn new(mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self {
            tls: TlsConnector::from(Arc::new(tls)),
        }
    }

    /// Connects to the address' host and port, with TLS but where its scheme is `http` or `ws`. No
    /// proxy of the environment is used. The caller bounds it in time.
    ///
    /// # Errors
    /// [`ServiceError`], always of outcome [`Outcome::NotApplied`]: nothing was sent yet.
    ///
    /// # Cancel safety
    /// Dropping the future ends the attempt.
    pub async fn connect(&self, url: &Url) -> Result<BoxedIo, ServiceError> {
        let host = url
            .host()
            .ok_or_else(|| ServiceError::unreachable("the address has no host"))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let stream = tcp::connect(&bare(&host), port)
            .await
            .map_err(|_| ServiceError::unreachable("the service cannot be reached"))?;
        if matches!(url.scheme(), "http" | "ws") {
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

fn bare(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => (*name).to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    }
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, ServiceError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::from(IpAddr::from(*ip))),
        Host::Ipv6(ip) => Some(ServerName::from(IpAddr::from(*ip))),
    };
    name.ok_or_else(|| {
        let detail = "the host name fits no certificate";
        let (kind, never) = (FailureKind::Invalid, RetryClass::Never);
        ServiceError::new(kind, never, Outcome::NotApplied, detail)
    })
}

fn insecure(error: &std::io::Error) -> ServiceError {
    if !tls::is_certificate_failure(error) {
        return ServiceError::unreachable("no secure connection came about");
    }
    let detail = "the server's certificate is not trusted";
    let (kind, later) = (FailureKind::Certificate, RetryClass::Backoff);
    ServiceError::new(kind, later, Outcome::NotApplied, detail)
}
