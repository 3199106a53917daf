//! The network's modes and the rules for new connections.

use serde_json::json;
use tidings_backend::{Action, Backend, Direction, Network, On, Rule};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::support::{CONSULTATIONS, Http, Socket, silent, start, within};

async fn connected() -> (Backend, Http, Socket) {
    let backend = start();
    let http = Http::new(&backend);
    let id = http.create().await;
    let socket = Socket::open(&backend, &id).await;
    (backend, http, socket)
}

#[tokio::test]
async fn a_refusing_network_refuses_at_once_and_resets_what_is_open() {
    let (backend, http, mut socket) = connected().await;
    backend.network(Network::Refuse).expect("switches");
    let refused = TcpStream::connect(backend.addr())
        .await
        .expect_err("refused");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(socket.end().await, None, "no close frame");
    let admin = Http::at(backend.admin_url());
    assert_eq!(admin.get("/admin/network").await.json()["mode"], "refuse");
    let up = admin.post("/admin/network", json!({ "mode": "up" })).await;
    assert_eq!(up.status, 200);
    assert_eq!(
        http.get(CONSULTATIONS).await.status,
        200,
        "the same port answers again"
    );
}

#[tokio::test]
async fn the_port_stays_reserved_while_refusing() {
    let backend = start();
    for _ in 0..20 {
        backend.network(Network::Refuse).expect("switches");
        assert!(std::net::TcpListener::bind(backend.addr()).is_err() || cfg!(not(unix)));
        backend.network(Network::Up).expect("switches");
        assert_eq!(Http::new(&backend).get(CONSULTATIONS).await.status, 200);
    }
}

#[tokio::test]
async fn two_backends_never_share_a_port() {
    let first = start();
    let config = tidings_backend::BackendConfig {
        listen: first.addr(),
        ..Default::default()
    };
    assert!(Backend::start(config).is_err());
}

#[tokio::test]
async fn a_black_hole_takes_connections_and_answers_nothing() {
    let (backend, http, mut socket) = connected().await;
    backend.network(Network::Blackhole).expect("switches");
    assert!(silent(http.get(CONSULTATIONS)).await);
    socket.send(json!({ "type": "ping" })).await;
    assert!(socket.is_silent().await);
    backend.network(Network::Up).expect("switches");
    assert_eq!(http.get(CONSULTATIONS).await.status, 200);
    socket.send(json!({ "type": "ping" })).await;
    assert!(socket.is_silent().await, "what was caught stays silent");
}

#[tokio::test]
async fn without_websockets_http_goes_on_working() {
    let (backend, http, mut socket) = connected().await;
    backend.network(Network::NoWebsocket).expect("switches");
    assert_eq!(socket.end().await, None);
    let id = http.get(CONSULTATIONS).await.data()["consultations"][0]["id"].clone();
    let id = id.as_str().expect("an id");
    assert!(Socket::dial(&backend, id, "").await.is_err());
    assert_eq!(http.say(id, "by post").await.status, 201);
    backend.network(Network::Up).expect("switches");
    drop(Socket::open(&backend, id).await);
}

#[tokio::test]
async fn a_connection_can_be_cut_as_it_comes() {
    for action in [Action::Refuse, Action::Reset] {
        let backend = start();
        backend
            .faults()
            .add(Rule::new(On::Connect, action))
            .expect("a rule");
        let mut stream = TcpStream::connect(backend.addr()).await.expect("connects");
        let end = within(stream.read(&mut [0])).await;
        assert!(end.is_err(), "{end:?}");
        assert_eq!(Http::new(&backend).get(CONSULTATIONS).await.status, 200);
    }
}

#[tokio::test]
async fn a_connection_can_stay_silent_from_the_start() {
    let frozen = Action::Freeze {
        direction: Direction::Both,
    };
    for action in [Action::Drop, frozen] {
        let backend = start();
        backend
            .faults()
            .add(Rule::new(On::Connect, action))
            .expect("a rule");
        assert!(silent(Http::new(&backend).get(CONSULTATIONS)).await);
        assert_eq!(Http::new(&backend).get(CONSULTATIONS).await.status, 200);
    }
}

#[tokio::test]
async fn a_connection_can_be_slow_to_start() {
    let backend = start();
    backend
        .faults()
        .add(Rule::new(On::Connect, Action::Delay { ms: 150 }))
        .expect("a rule");
    let started = std::time::Instant::now();
    assert_eq!(Http::new(&backend).get(CONSULTATIONS).await.status, 200);
    assert!(started.elapsed().as_millis() >= 150);
}

#[tokio::test]
async fn all_bytes_are_counted() {
    let backend = start();
    let before = backend.traffic();
    assert_eq!((before.received, before.sent), (0, 0));
    let answer = Http::new(&backend).get(CONSULTATIONS).await;
    let after = backend.traffic();
    assert!(after.received > CONSULTATIONS.len() as u64);
    assert!(after.sent > answer.text.len() as u64);
}
