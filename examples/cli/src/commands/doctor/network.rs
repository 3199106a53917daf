//! Address, name, connection, encryption.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tidings::adapters::{consultations::parse_origin, net::tls};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use url::Url;

use super::Report;
use crate::{
    failure::{Exit, Failure},
    setup::{self, Settings},
};

/// Checks `url`, `dns`, `tcp` and `tls`.
pub(super) async fn check(report: &mut Report<'_>, settings: &Settings, url: &str) {
    let Some(origin) = address(report, url) else {
        report.skip_if_blocked(&["dns", "tcp", "tls"]);
        return;
    };
    let limit = settings.core.dial_timeout;
    let host = origin.host_str().unwrap_or_default().to_owned();
    let port = origin.port_or_known_default().unwrap_or(443);
    let Some(found) = name(report, &host, port, limit).await else {
        report.skip_if_blocked(&["tcp", "tls"]);
        return;
    };
    let Some(stream) = connection(report, &found, limit).await else {
        report.skip_if_blocked(&["tls"]);
        return;
    };
    match origin.scheme() {
        "https" => encryption(report, settings, &host, stream, limit).await,
        _ => report.skip("tls", "http:// is not encrypted: for this machine only"),
    }
}

fn address(report: &mut Report<'_>, url: &str) -> Option<Url> {
    let tried = "read --url";
    match parse_origin(url) {
        Ok(origin) => {
            report.pass("url", tried, "scheme, host and port are there");
            Some(origin)
        }
        Err(error) => {
            let failure = Failure::new(Exit::Usage, "config.bad_url", error.to_string());
            report.fail(
                "url",
                tried,
                failure,
                "write it like https://chat.example.com",
            );
            None
        }
    }
}

async fn name(
    report: &mut Report<'_>,
    host: &str,
    port: u16,
    limit: Duration,
) -> Option<Vec<SocketAddr>> {
    let tried = format!("look up {host}");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let looked = within(limit, tokio::net::lookup_host((bare, port))).await;
    let found: io::Result<Vec<SocketAddr>> = looked.map(Iterator::collect);
    match found {
        Ok(found) if !found.is_empty() => {
            report.pass("dns", tried, format!("{} addresses", found.len()));
            Some(found)
        }
        Ok(_) => {
            let advice = "check the host's name, and whether this machine has a network";
            report.fail("dns", tried, unreachable("the name has no address"), advice);
            None
        }
        Err(error) => {
            let advice = "check the host's name, and whether this machine has a network";
            report.fail("dns", tried, unreachable(&said(&error)), advice);
            None
        }
    }
}

async fn connection(
    report: &mut Report<'_>,
    found: &[SocketAddr],
    limit: Duration,
) -> Option<TcpStream> {
    let ports: Vec<String> = found.iter().map(ToString::to_string).collect();
    let tried = format!("connect to {}", ports.join(", "));
    match within(limit, TcpStream::connect(found)).await {
        Ok(stream) => {
            report.pass("tcp", tried, "connected");
            Some(stream)
        }
        Err(error) => {
            let advice = "start the server, or check port, firewall and VPN";
            report.fail("tcp", tried, unreachable(&said(&error)), advice);
            None
        }
    }
}

async fn encryption(
    report: &mut Report<'_>,
    settings: &Settings,
    host: &str,
    stream: TcpStream,
    limit: Duration,
) {
    let tried = format!("TLS handshake with {host}");
    let shaken = async {
        let roots = setup::trust(settings.trust(report.context.global.backend))
            .map_err(|failure| io::Error::other(failure.text))?;
        let config = tls::client_config(&roots).map_err(io::Error::other)?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await
    };
    match within(limit, shaken).await {
        Ok(stream) => {
            let version = stream.get_ref().1.protocol_version();
            let text = version.map_or_else(String::new, |version| format!("{version:?}, "));
            report.pass("tls", tried, format!("{text}certificate accepted"));
        }
        Err(error) => {
            let failure = Failure::new(Exit::GaveUp, "network.certificate", said(&error));
            let advice = "check the server's certificate and this machine's clock; a private \
                          authority goes into the backend's setting, e.g. --config consultations.trust=FILE";
            report.fail("tls", tried, failure, advice);
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")),
    }
}

fn unreachable(text: &str) -> Failure {
    Failure::new(Exit::GaveUp, "network.unreachable", text)
}

fn said(error: &io::Error) -> String {
    error.to_string().chars().take(200).collect()
}
