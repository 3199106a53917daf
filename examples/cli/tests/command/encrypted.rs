//! The command over TLS: a private authority is trusted when it is named, and else nothing leaves.

use std::{path::PathBuf, sync::Arc};

use tidings_backend::Backend;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::support::{Place, Ran, bare, run};

/// TLS in front of a backend, until it is dropped.
struct Encrypted {
    _runtime: Runtime,
    url: String,
    certificate: String,
}

impl Encrypted {
    fn before(backend: &Backend) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .expect("a certificate");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a server");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let plain = backend.url().trim_start_matches("http://").to_owned();
        runtime.spawn(relay(listener, TlsAcceptor::from(Arc::new(config)), plain));
        Self {
            _runtime: runtime,
            url: format!("https://localhost:{port}"),
            certificate: made.cert.pem(),
        }
    }

    fn run(&self, place: &Place, trust: &str, args: &[&str]) -> Ran {
        let trust = format!("consultations.trust={trust}");
        let mut command = bare();
        command
            .arg("--json")
            .arg("--store")
            .arg(place.path("encrypted.sqlite3"))
            .args(["--url", &self.url, "--config", &trust]);
        run(command.args(args))
    }

    fn authority(&self, place: &Place) -> PathBuf {
        let file = place.path("authority.pem");
        std::fs::write(&file, &self.certificate).expect("a file");
        file
    }
}

async fn relay(listener: TcpListener, acceptor: TlsAcceptor, plain: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, plain) = (acceptor.clone(), plain.clone());
        tokio::spawn(async move {
            let mut secured = acceptor.accept(stream).await.ok()?;
            let mut open = TcpStream::connect(plain).await.ok()?;
            copy_bidirectional(&mut secured, &mut open).await.ok()
        });
    }
}

fn check<'a>(ran: &'a Ran, name: &str) -> &'a serde_json::Value {
    let found = ran
        .of("check")
        .into_iter()
        .find(|line| line["name"] == name);
    found.unwrap_or_else(|| panic!("no check {name}: {ran:?}"))
}

#[test]
fn a_named_authority_is_trusted_by_requests_and_sockets() {
    let place = Place::new();
    let encrypted = Encrypted::before(&place.backend);
    let file = encrypted.authority(&place);
    let trust = file.to_str().expect("a path");
    let made = encrypted.run(&place, trust, &["create", "--persona", "nutritionist"]);
    made.assert_done();
    let id = made.lines[0]["id"].as_str().expect("an id");
    let sent = encrypted.run(&place, trust, &["send", id, "over TLS"]);
    sent.assert_done();
    assert_eq!(place.copies(id, "over TLS"), 1);
    let ran = encrypted.run(&place, trust, &["doctor"]);
    ran.assert_done();
    for name in ["tls", "rest", "websocket", "first_frame"] {
        let line = check(&ran, name);
        assert_eq!(
            (&line["ok"], &line["skipped"]),
            (&true.into(), &false.into()),
            "{name}"
        );
    }
}

#[test]
fn f02_an_unknown_authority_is_said_by_doctor_and_no_request_leaves() {
    let place = Place::new();
    let encrypted = Encrypted::before(&place.backend);
    place.backend.forget_records();
    let ran = encrypted.run(&place, "webpki", &["doctor"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let line = check(&ran, "tls");
    assert_eq!(line["ok"], false);
    assert_eq!(line["code"], "network.certificate", "{line}");
    let listed = encrypted.run(&place, "webpki", &["conversations", "--refresh"]);
    listed.assert_fails(4, "network.certificate");
    assert!(place.backend.requests().is_empty());
}
