//! Proxies that cut whoever is quiet for too long.

use std::{net::SocketAddr, time::Duration};

use tidings::{Config, domain::connection::ConnectionState};
use tidings_backend::Backend;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::device::{Setup, backend, held, soon, upgrades};

/// A proxy between a device and its backend.
struct Proxy {
    address: SocketAddr,
    /// Sockets that it cut.
    cuts: watch::Receiver<usize>,
    /// Pieces that came from the device over sockets.
    pieces: watch::Receiver<usize>,
}

impl Proxy {
    /// Cuts every connection over which nothing went for so long, in either direction.
    async fn cutting(backend: &Backend, quiet: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = backend.url().trim_start_matches("http://").to_owned();
        let (cut, cuts) = watch::channel(0);
        let (piece, pieces) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((front, _)) = listener.accept().await {
                let back = TcpStream::connect(&behind).await.unwrap();
                tokio::spawn(carry(front, back, quiet, cut.clone(), piece.clone()));
            }
        });
        Self {
            address,
            cuts,
            pieces,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn carry(
    mut front: TcpStream,
    mut back: TcpStream,
    quiet: Duration,
    cut: watch::Sender<usize>,
    piece: watch::Sender<usize>,
) {
    let (mut up, mut down) = ([0; 4_096], [0; 4_096]);
    let mut socket = false;
    loop {
        let step = async {
            tokio::select! {
                read = front.read(&mut up) => (true, read.unwrap_or(0)),
                read = back.read(&mut down) => (false, read.unwrap_or(0)),
            }
        };
        let Ok((ours, length)) = tokio::time::timeout(quiet, step).await else {
            cut.send_modify(|count| *count += usize::from(socket));
            return;
        };
        let written = match ours {
            true => back.write_all(&up[..length]).await,
            false => front.write_all(&down[..length]).await,
        };
        if length == 0 || written.is_err() {
            return;
        }
        let asked = String::from_utf8_lossy(&up[..if ours { length } else { 0 }]);
        socket |= asked.to_ascii_lowercase().contains("upgrade: websocket");
        piece.send_modify(|count| *count += usize::from(ours && socket));
    }
}

/// The shortest limits in the field are a minute for proxies, ten for servers.
// covers: F-13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_keepalive_below_the_limit_keeps_an_idle_socket_open() {
    let ours = Config::default();
    assert!(ours.keepalive_interval.max(ours.probe_after) < Duration::from_secs(60));
    let backend = backend();
    let quiet = Duration::from_secs(3);
    let mut proxy = Proxy::cutting(&backend, quiet).await;
    let setup = Setup::at(&proxy.url()).set("probe.after", "100ms");
    let device = setup.start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    // A tenth of a second of silence before each: longer than the proxy has patience for.
    let probes = *proxy.pieces.borrow() + 45;
    let silence = proxy.pieces.wait_for(|pieces| *pieces >= probes);
    soon("so many probes", silence).await.unwrap();
    assert_eq!((*proxy.cuts.borrow(), upgrades(&backend)), (0, 1));
    chat.send("still there").await.unwrap();
    device.answered(&id, "still there").await;
    assert_eq!(upgrades(&backend), 1);
    device.stop().await;
}

// covers: F-13
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_socket_that_was_cut_all_the_same_is_replaced_and_nothing_is_missed() {
    let backend = backend();
    let quiet = Duration::from_millis(300);
    let mut proxy = Proxy::cutting(&backend, quiet).await;
    let device = Setup::at(&proxy.url()).start().await;
    let id = device.create().await;
    let chat = device.open(&id, ConnectionState::Live).await;
    for (cuts, text) in [(1, "first"), (2, "second"), (3, "third")] {
        let cut = proxy.cuts.wait_for(|count| *count >= cuts);
        soon("a cut", cut).await.unwrap();
        chat.send(text).await.unwrap();
        device.answered(&id, text).await;
        device.forget();
        device.state(&id, ConnectionState::Live).await;
    }
    assert_eq!(held(&backend, &id), ["first", "second", "third"]);
    assert!(upgrades(&backend) > 2);
    device.stop().await;
}
