//! The public listener. It can refuse connections while keeping its port, and knows every
//! connection it let in.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    task::{Context, Poll, Waker},
};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{
    Flow, Network, Wire,
    wire::{Totals, WireIo},
};
use crate::faults::{Action, Event, Faults, On};

/// Connections the kernel may queue; more than any test opens at once.
const BACKLOG: u32 = 1024;
/// A free port can be taken between probing and reserving it; try a few others.
const BIND_ATTEMPTS: u32 = 8;

/// The listener handed to the HTTP server. Cheap to clone; all clones are one door.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    addr: SocketAddr,
    faults: Faults,
    state: Mutex<State>,
    /// Bound but never listening: keeps the port ours while the listener is gone.
    _reservation: Option<TcpSocket>,
}

#[derive(Debug)]
struct State {
    network: Network,
    listener: Option<TcpListener>,
    acceptor: Option<Waker>,
    wires: Vec<Weak<Wire>>,
    next_wire: u64,
    totals: Arc<Totals>,
}

/// Reserves an address and listens on it. Must run inside the server's runtime.
pub(crate) fn bind(addr: SocketAddr, faults: Faults) -> io::Result<Door> {
    let mut attempts = 0;
    let (reservation, listener) = loop {
        match reserve(addr) {
            Ok(bound) => break bound,
            Err(error) if addr.port() == 0 && attempts < BIND_ATTEMPTS => {
                tracing::debug!(%error, "another process took the free port, trying the next");
                attempts += 1;
            }
            Err(error) => return Err(error),
        }
    };
    let addr = listener.local_addr()?;
    let state = State {
        network: Network::Up,
        listener: Some(listener),
        acceptor: None,
        wires: Vec::new(),
        next_wire: 1,
        totals: Arc::default(),
    };
    let inner = Inner {
        addr,
        faults,
        state: Mutex::new(state),
        _reservation: reservation,
    };
    Ok(Door {
        inner: Arc::new(inner),
    })
}

/// An exclusive probe first: sharing a port with another server would split its clients.
fn reserve(addr: SocketAddr) -> io::Result<(Option<TcpSocket>, TcpListener)> {
    let probe = socket(addr)?;
    probe.bind(addr)?;
    let addr = probe.listen(1)?.local_addr()?;
    #[cfg(unix)]
    let reservation = {
        // Without address reuse, so that nobody else may bind it, by name or by chance.
        let reservation = new_socket(addr)?;
        reservation.set_reuseport(true)?;
        reservation.bind(addr)?;
        Some(reservation)
    };
    #[cfg(not(unix))]
    let reservation = None;
    Ok((reservation, listen(addr)?))
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = shared_socket(addr)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

fn new_socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    if addr.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
}

fn socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = new_socket(addr)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    Ok(socket)
}

fn shared_socket(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = socket(addr)?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    Ok(socket)
}

impl Door {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.inner.addr
    }

    pub(crate) fn network(&self) -> Network {
        self.state().network
    }

    /// Changes the network. Must run inside the server's runtime.
    pub(crate) fn set_network(&self, network: Network) -> io::Result<()> {
        let mut state = self.state();
        if network == Network::Refuse {
            state.listener = None;
        } else if state.listener.is_none() {
            state.listener = Some(listen(self.inner.addr)?);
        }
        state.network = network;
        for wire in state.live() {
            match network {
                Network::Up => {}
                Network::Refuse => wire.reset(),
                Network::Blackhole => wire.flow(Flow::Lost, Flow::Lost),
                Network::NoWebsocket if wire.is_websocket() => wire.reset(),
                Network::NoWebsocket => {}
            }
        }
        if let Some(acceptor) = state.acceptor.take() {
            acceptor.wake();
        }
        Ok(())
    }

    /// Bytes received and sent on all connections so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        let totals = Arc::clone(&self.state().totals);
        (
            totals.received.load(Ordering::Relaxed),
            totals.sent.load(Ordering::Relaxed),
        )
    }

    /// Resets every connection and stops listening: what a killed process leaves behind.
    pub(crate) fn slam(&self) {
        let mut state = self.state();
        state.listener = None;
        for wire in state.live() {
            wire.reset();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<(TcpStream, SocketAddr)> {
        let mut state = self.state();
        state.acceptor = Some(cx.waker().clone());
        let Some(listener) = &state.listener else {
            return Poll::Pending;
        };
        loop {
            match listener.poll_accept(cx) {
                Poll::Ready(Ok(accepted)) => return Poll::Ready(accepted),
                // A connection that died in the queue; the next one may be fine.
                Poll::Ready(Err(error)) => tracing::debug!(%error, "accept failed"),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn admit(&self, stream: TcpStream) -> Arc<Wire> {
        // Small frames must leave at once, or Nagle's algorithm would blur every timing.
        let _ = stream.set_nodelay(true);
        let mut state = self.state();
        let flow = if state.network == Network::Blackhole {
            Flow::Lost
        } else {
            Flow::Open
        };
        let wire = Wire::new(state.next_wire, stream, flow, Arc::clone(&state.totals));
        state.next_wire += 1;
        state.live();
        state.wires.push(Arc::downgrade(&wire));
        wire
    }

    /// Applies the rules for new connections.
    fn greet(&self, wire: &Arc<Wire>) {
        let decision = self.inner.faults.decide(&Event::new(On::Connect));
        match decision.action {
            None => {}
            Some(Action::Freeze { direction }) => {
                let (reads, writes) = direction.flows();
                return wire.flow(reads, writes);
            }
            Some(Action::Drop) => return wire.flow(Flow::Lost, Flow::Lost),
            Some(_) => return wire.reset(),
        }
        let delay = decision.delay;
        if !delay.is_zero() {
            wire.flow(Flow::Held, Flow::Held);
            let wire = Arc::clone(wire);
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                wire.flow(Flow::Open, Flow::Open);
            });
        }
    }
}

impl State {
    /// The connections still alive; forgets the others.
    fn live(&mut self) -> Vec<Arc<Wire>> {
        let live: Vec<_> = self.wires.iter().filter_map(Weak::upgrade).collect();
        self.wires = live.iter().map(Arc::downgrade).collect();
        live
    }
}

impl Listener for Door {
    type Io = WireIo;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (WireIo, SocketAddr) {
        let (stream, peer) = std::future::poll_fn(|cx| self.poll_accept(cx)).await;
        let wire = self.admit(stream);
        self.greet(&wire);
        (WireIo(wire), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.inner.addr)
    }
}
