//! TLS: a trusted server is reached on both transports, an untrusted one on neither.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tidings::{
    adapters::{consultations::ConsultationsConfig, http::StaticToken, net::TrustRoots},
    domain::{
        ports::ChatService,
        retry::{FailureKind, Outcome},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{id, outgoing, server::spawn, service_with, within};

/// A TLS server for `localhost` that answers everything with one conversation; its PEM certificate.
async fn serving() -> (String, Vec<u8>) {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("server");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let port = listener.local_addr().expect("address").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            spawn(async move {
                let mut secured = acceptor.accept(stream).await.ok()?;
                let read = secured.read(&mut [0; 4096]).await.ok()?;
                let body = "HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"id\":\"c1\"}";
                secured.write_all(body.as_bytes()).await.ok()?;
                secured.shutdown().await.ok()?;
                Some(read)
            });
        }
    });
    (
        format!("https://localhost:{port}"),
        made.cert.pem().into_bytes(),
    )
}

fn trusting(origin: String, trust: TrustRoots) -> impl ChatService {
    let mut config = ConsultationsConfig::new(origin);
    config.trust = trust;
    service_with(config, Arc::new(StaticToken::new("secret-token")))
}

#[tokio::test]
async fn f02_untrusted_certificate_is_its_own_failure_and_nothing_left() {
    let (origin, _) = serving().await;
    let service = trusting(origin, TrustRoots::Webpki);
    let sent = within(service.send(&outgoing("hi")))
        .await
        .expect_err("untrusted");
    assert_eq!(
        (sent.kind, sent.outcome),
        (FailureKind::Certificate, Outcome::NotApplied)
    );
    let dialled = within(service.connect(&id("c1")))
        .await
        .expect_err("untrusted");
    assert_eq!(
        (dialled.kind, dialled.outcome),
        (FailureKind::Certificate, Outcome::NotApplied)
    );
}

#[tokio::test]
async fn custom_roots_are_trusted_on_both_transports() {
    let (origin, pem) = serving().await;
    let service = trusting(origin, TrustRoots::Custom(pem));
    let read = within(service.conversation(&id("c1")))
        .await
        .expect("conversation");
    assert_eq!(read.id, id("c1"));
    // The socket gets through TLS, and then a page instead of an upgrade.
    let dialled = within(service.connect(&id("c1")))
        .await
        .expect_err("no upgrade");
    assert_eq!(dialled.status, Some(200));
}
