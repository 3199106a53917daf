//! Starting, stopping, starting again.

use std::io::BufRead;

use tidings_backend::{Backend, BackendConfig, BackendError};
use tokio::net::TcpStream;

use crate::support::{CONSULTATIONS, Http, Socket, start, start_with, within};

#[tokio::test]
async fn stopping_closes_sockets_politely_and_frees_the_port() {
    // An address of its own where the system has several: another test could take a freed port.
    let ip = if cfg!(target_os = "linux") {
        "127.9.8.7:0"
    } else {
        "127.0.0.1:0"
    };
    let backend = start_with(|config| config.listen = ip.parse().expect("an address"));
    let id = Http::new(&backend).create().await;
    let mut socket = Socket::open(&backend, &id).await;
    let addr = backend.addr();
    let (end, ()) = tokio::join!(socket.end(), within(backend.stop()));
    assert_eq!(end, Some(1001));
    assert!(TcpStream::connect(addr).await.is_err());
    assert!(std::net::TcpListener::bind(addr).is_ok());
}

#[tokio::test]
async fn stopping_does_not_wait_for_those_who_do_not_answer() {
    let backend = start();
    let id = Http::new(&backend).create().await;
    let deaf = Socket::open(&backend, &id).await;
    let started = std::time::Instant::now();
    within(backend.stop()).await;
    assert!(started.elapsed().as_secs() < 3);
    drop(deaf);
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart_on_the_same_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = start_with(|config| config.store = Some(folder.path().join("b.db")));
    let http = Http::new(&backend);
    let id = http.create().await;
    http.say(&id, "remember me").await;
    within(backend.wait_until(|backend| backend.messages(&id).len() == 2)).await;
    let before = backend.messages(&id);
    let addr = backend.addr();

    let backend = within(backend.restart()).await.expect("starts again");
    assert_eq!(backend.addr(), addr);
    assert_eq!(backend.messages(&id), before);
    assert_eq!(http.history(&id).await.len(), 2);
    drop(Socket::open(&backend, &id).await);
}

#[tokio::test]
async fn a_restart_signs_nobody_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let backend = start_with(|config| {
        config.store = Some(folder.path().join("b.db"));
        config.sign_in_required = true;
    });
    let login = serde_json::json!({ "email": "a@example.org", "password": "x" });
    let data = Http::new(&backend)
        .post("/api/v1/auth/login", login)
        .await
        .data();
    let token = data["access_token"].as_str().expect("a token").to_owned();
    let backend = within(backend.restart()).await.expect("starts again");
    assert_eq!(
        Http::new(&backend)
            .with_token(&token)
            .get(CONSULTATIONS)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn dropping_a_backend_stops_it() {
    let backend = start();
    let addr = backend.addr();
    drop(backend);
    within(async {
        while TcpStream::connect(addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[test]
fn it_works_without_an_async_runtime() {
    let backend = start();
    assert!(std::net::TcpStream::connect(backend.addr()).is_ok());
    assert!(backend.messages("none").is_empty());
}

#[test]
fn the_admin_endpoint_stays_on_this_machine() {
    let config = BackendConfig {
        admin_listen: "0.0.0.0:0".parse().expect("an address"),
        ..BackendConfig::default()
    };
    assert!(matches!(
        Backend::start(config),
        Err(BackendError::AdminNotLoopback(_))
    ));
}

#[tokio::test]
async fn the_admin_endpoint_serves_neither_proxies_nor_web_pages() {
    let backend = start();
    let admin = Http::at(backend.admin_url());
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.1"),
        ("origin", "https://example.org"),
    ] {
        let request = admin.request("DELETE", "/admin/faults").header(name, value);
        assert_eq!(Http::send(request).await.expect("an answer").status, 403);
    }
    let state = admin.get("/admin/state").await.json();
    assert_eq!(state["url"], backend.url());
}

#[tokio::test]
async fn the_command_says_where_it_listens_and_takes_rules() {
    let rule = r#"{"match":{"on":"http"},"action":{"kind":"status","code":503}}"#;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tidings-backend"));
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--word-delay",
        "0ms",
        "--fault",
        rule,
    ]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("its output");
    std::io::BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a line");
    let mut urls = line
        .split_whitespace()
        .filter(|word| word.starts_with("http://"));
    let url = urls.next().expect("an origin").to_owned();
    let admin = urls.next().expect("an admin origin").to_owned();
    assert_eq!(Http::at(url.clone()).get(CONSULTATIONS).await.status, 503);
    assert_eq!(Http::at(url).get(CONSULTATIONS).await.status, 200);
    assert_eq!(Http::at(admin).get("/admin/state").await.status, 200);
    child.kill().expect("ends");
    child.wait().expect("ended");
}

#[test]
fn the_command_explains_what_is_wrong() {
    for args in [
        ["--word-delay", "40"],
        ["--admin-listen", "0.0.0.0:0"],
        ["--fault", "{}"],
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tidings-backend"));
        let output = command
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .output()
            .expect("runs");
        assert!(
            !output.status.success() && !output.stderr.is_empty(),
            "{args:?}"
        );
        assert!(output.stdout.is_empty());
    }
}
