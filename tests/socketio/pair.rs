//! Two nodes of one service behind a balancer, their rooms joined by Redis.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use tidings::domain::{delivery::DeliveryState, message::Message};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    app::{App, texts, until},
    node::Node,
    support::{Admin, id},
};

/// The system's Redis, on a socket of its own. Ended with the test.
struct Redis {
    process: Child,
    directory: tempfile::TempDir,
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    /// `None` where this machine has none; CI promises one.
    fn start() -> Option<Self> {
        let directory = tempfile::TempDir::new().expect("a directory");
        let started = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .arg("--unixsocket")
            .arg(directory.path().join("socket"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut process) = started else {
            let promised = std::env::var_os("CI").is_some_and(|value| value != "false");
            assert!(
                !promised,
                "redis-server is not installed, and CI promises it"
            );
            println!("skipped: redis-server is not installed");
            return None;
        };
        let output = process.stdout.take().expect("its output");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let ready = lines.any(|line| line.contains("ready to accept connections"));
        assert!(ready, "redis-server did not start");
        Some(Self { process, directory })
    }

    fn switch(&self) -> String {
        format!("--redis={}", self.directory.path().join("socket").display())
    }
}

/// Hands each connection to the next node that listens.
struct Balancer {
    port: u16,
    nodes: Arc<Mutex<Vec<u16>>>,
}

impl Balancer {
    async fn before(nodes: &[&Node]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let ports: Vec<_> = nodes.iter().map(|node| node.port()).collect();
        let nodes = Arc::new(Mutex::new(ports));
        let shared = Arc::clone(&nodes);
        #[expect(clippy::disallowed_methods, reason = "a test's own task")]
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let order = shared.lock().expect("nodes").clone();
                shared.lock().expect("nodes").rotate_left(1);
                #[expect(clippy::disallowed_methods, reason = "a test's own task")]
                tokio::spawn(forward(connection, order));
            }
        });
        Self { port, nodes }
    }

    /// From now on everybody comes to this node first.
    fn prefer(&self, node: &Node) {
        let mut nodes = self.nodes.lock().expect("nodes");
        nodes.sort_by_key(|port| *port != node.port());
    }
}

async fn forward(mut connection: TcpStream, nodes: Vec<u16>) {
    for port in nodes {
        if let Ok(mut node) = TcpStream::connect(("127.0.0.1", port)).await {
            let _ = copy_bidirectional(&mut connection, &mut node).await;
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_of_nodes_is_one_service_and_one_of_them_may_die() {
    let Some(redis) = Redis::start() else { return };
    let journal = tempfile::NamedTempFile::new().expect("a file");
    let store = format!("--store={}", journal.path().display());
    let switches = [store.as_str(), &redis.switch()];
    let (mut first, second) = (Node::start(&switches), Node::start(&switches));
    let balancer = Balancer::before(&[&first, &second]).await;
    let admin = Admin::of(&second);
    let channel = admin.booking("b1", &["ann", "bob"]).await;
    let mut apps = [App::of(&first, "ann").await, App::of(&first, "bob").await];
    for app in &mut apps {
        app.socketio.origin = format!("http://127.0.0.1:{}", balancer.port);
        // Nothing but the socket brings a message here.
        app.core.set("poll.active", "60s").expect("a setting");
    }
    let chat = id("Booking:b1");
    let mut clients = Vec::new();
    for (app, node) in apps.iter().zip([&first, &second]) {
        let client = app.start().await;
        client.refresh_conversations().await.expect("a list");
        balancer.prefer(node);
        let open = client.open(chat.clone());
        let mut events = client.events();
        while open.connection().await.expect("a state").state
            != tidings::domain::connection::ConnectionState::Live
        {
            events.next().await.expect("an event");
        }
        clients.push((client, open));
    }
    let [(ann, at_ann), (bob, at_bob)] = &clients[..] else {
        panic!("two clients");
    };
    for node in [&first, &second] {
        let sockets = Admin::of(node).tell("sockets", serde_json::json!({})).await;
        assert_eq!(sockets["count"], 1, "one client at each node");
    }
    let mut due = Vec::new();
    for number in 0..30 {
        let (at, text) = match number % 2 {
            0 => (at_ann, format!("ann {number}")),
            _ => (at_bob, format!("bob {number}")),
        };
        let row = at.send(text.as_str()).await.expect("accepted");
        let client = if number % 2 == 0 { ann } else { bob };
        client
            .wait_for_delivery(row.id)
            .await
            .expect("on the server");
        due.push(text);
        let arrived = |rows: &[Message]| texts(rows) == due;
        if number < 4 {
            // From node to node.
            until(if number % 2 == 0 { bob } else { ann }, &chat, arrived).await;
        }
        if number == 10 {
            first.kill();
        }
    }
    let whole = |rows: &[Message]| {
        texts(rows) == due && rows.iter().all(|row| row.state >= DeliveryState::Sent)
    };
    until(ann, &chat, whole).await;
    until(bob, &chat, whole).await;
    assert_eq!(admin.stored(&channel).await, due, "once, in order");
    for (client, open) in clients {
        drop(open);
        client.shutdown().await;
    }
}
