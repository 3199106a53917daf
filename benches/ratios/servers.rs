//! Loopback servers on threads of their own, so that they never share a core's turn with the
//! side that is measured.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, mpsc},
    time::Instant,
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

/// Runs a server for every connection, until the process ends; returns where it listens.
fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + 'static,
{
    let (ready, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let tasks = tokio::task::LocalSet::new();
        tasks.block_on(&runtime, async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::task::spawn_local(serve(stream));
            }
        });
    });
    address.recv().unwrap()
}

/// A WebSocket server that says back whatever it is told.
pub(crate) fn echo() -> SocketAddr {
    listen(|stream| async move {
        let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
            return;
        };
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}

/// A wire that notes when bytes of the client come by.
#[derive(Clone, Debug)]
pub(crate) struct Tap {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Chunks>>,
}

/// What came by, and when.
type Chunks = Vec<(Instant, Vec<u8>)>;

impl Tap {
    /// A way to the server that goes through the tap.
    pub(crate) fn before(server: SocketAddr) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let address = listen(move |client| {
            let notes = Arc::clone(&notes);
            async move {
                let server = TcpStream::connect(server).await.unwrap();
                server.set_nodelay(true).unwrap();
                pass(client, server, &notes).await;
            }
        });
        Self { address, seen }
    }

    /// Forgets what came so far.
    pub(crate) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    /// When the first chunk came that the test takes for the message; forgets all others.
    pub(crate) fn first(&self, is_message: impl Fn(&[u8]) -> bool) -> Option<Instant> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        let found = seen.into_iter().find(|(_, bytes)| is_message(bytes));
        found.map(|(when, _)| when)
    }
}

async fn pass(client: TcpStream, server: TcpStream, notes: &Mutex<Chunks>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::task::spawn_local(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        let _ = to_client.shutdown().await;
    });
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let now = Instant::now();
        notes.lock().unwrap().push((now, buffer[..count].to_vec()));
        if to_server.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
    let _ = to_server.shutdown().await;
}
