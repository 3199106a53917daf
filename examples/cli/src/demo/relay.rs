//! A network of the demo's own: what goes between its clients and a server somewhere else.
//!
//! It passes bytes on and reads no more of them than the first line of a request: whether a
//! connection is a socket's, and whether it brings a message.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tidings_backend::Network;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// What one read takes.
const PIECE: usize = 16 * 1024;

/// A running relay; dropped, it takes its connections with it.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    wire: Arc<Wire>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Wire {
    upstream: String,
    /// Where a request's path begins that belongs to a socket.
    socket: String,
    network: watch::Sender<Network>,
    /// Whether answers to messages stay away.
    holding: watch::Sender<bool>,
    sockets: AtomicUsize,
    reads: AtomicUsize,
}

impl Relay {
    /// Listens on a free port of loopback for connections to this server.
    pub(super) async fn start(upstream: String, socket: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Arc::new(Wire {
            upstream,
            socket,
            network: watch::Sender::new(Network::Up),
            holding: watch::Sender::new(false),
            sockets: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        });
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, address, Arc::clone(&wire)));
        Ok(Self {
            address,
            wire,
            _tasks: tasks,
        })
    }

    /// Its origin.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what gets through.
    pub(super) fn network(&self, network: Network) {
        self.wire.network.send_replace(network);
    }

    /// Keeps answers to messages back, or lets them go.
    pub(super) fn hold(&self, holding: bool) {
        self.wire.holding.send_replace(holding);
    }

    /// Connections of sockets that are open.
    pub(super) fn sockets(&self) -> usize {
        self.wire.sockets.load(Ordering::SeqCst)
    }

    /// How often a history was asked for.
    pub(super) fn reads(&self) -> usize {
        self.wire.reads.load(Ordering::SeqCst)
    }
}

/// Takes connections while there is a network; without one nobody listens.
async fn listen(listener: TcpListener, address: SocketAddr, wire: Arc<Wire>) {
    let mut network = wire.network.subscribe();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        if *network.borrow_and_update() == Network::Refuse {
            listener = None;
            connections.abort_all();
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let Some(open) = &listener else {
            if network.changed().await.is_err() {
                return;
            }
            continue;
        };
        tokio::select! {
            biased;
            changed = network.changed() => if changed.is_err() {
                return;
            },
            Some(_) = connections.join_next() => {}
            taken = open.accept() => if let Ok((client, _)) = taken {
                connections.spawn(serve(client, Arc::clone(&wire)));
            },
        }
    }
}

/// One connection, until either side ends it or the network does.
async fn serve(mut client: TcpStream, wire: Arc<Wire>) {
    let mut piece = vec![0; PIECE];
    let Ok(length @ 1..) = client.read(&mut piece).await else {
        return;
    };
    piece.truncate(length);
    let is_socket = path(&piece).is_some_and(|path| path.starts_with(&wire.socket));
    if !is_socket {
        return pass(client, piece, &wire).await;
    }
    let mut network = wire.network.subscribe();
    wire.sockets.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(&wire.sockets);
    tokio::select! {
        biased;
        _ = network.wait_for(|now| *now == Network::NoWebsocket) => {}
        () = pass(client, piece, &wire) => {}
    }
}

/// Counted as open until it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn pass(client: TcpStream, first: Vec<u8>, wire: &Wire) {
    let Ok(server) = TcpStream::connect(&wire.upstream).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let held = watch::Sender::new(false);
    let up = async {
        let mut piece = first;
        loop {
            wire.note(&piece, &held);
            to_server.write_all(&piece).await.ok()?;
            piece.resize(PIECE, 0);
            let length = from_client.read(&mut piece).await.ok().filter(|n| *n > 0)?;
            piece.truncate(length);
        }
    };
    let down = async {
        let (mut mute, mut holding) = (held.subscribe(), wire.holding.subscribe());
        let mut piece = vec![0; PIECE];
        loop {
            let length = from_server.read(&mut piece).await.ok().filter(|n| *n > 0)?;
            if *mute.borrow_and_update() {
                holding.wait_for(|still| !still).await.ok()?;
            }
            to_client.write_all(piece.get(..length)?).await.ok()?;
        }
    };
    let _: Option<()> = tokio::select! {
        ended = up => ended,
        ended = down => ended,
    };
}

impl Wire {
    /// Notes what a piece asks for, where it begins a request.
    fn note(&self, piece: &[u8], held: &watch::Sender<bool>) {
        let about_messages = path(piece).is_some_and(|path| path.contains("/messages"));
        match piece {
            [b'G', b'E', b'T', b' ', ..] if about_messages => {
                self.reads.fetch_add(1, Ordering::SeqCst);
            }
            [b'P', b'O', b'S', b'T', b' ', ..] if about_messages => {
                held.send_replace(*self.holding.borrow());
            }
            _ => {}
        }
    }
}

/// The path in the first line of a request.
fn path(piece: &[u8]) -> Option<&str> {
    let line = piece.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(1)
}
