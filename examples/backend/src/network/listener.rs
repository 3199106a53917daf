//! The public listener. It can refuse connections while keeping its port, and knows every
//! connection it let in.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    task::{Context, Poll, Waker},
};

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};

use super::{
    Flow, Network, Port, Wire,
    wire::{Totals, WireIo},
};
use crate::faults::{Action, Event, Faults, On};

/// The listener handed to the HTTP server. Cheap to clone; all clones are one door.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    port: Arc<Port>,
    faults: Faults,
    state: Mutex<State>,
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

impl Door {
    /// Listens on a port. Must run inside the server's runtime.
    pub(crate) fn open(port: Arc<Port>, faults: Faults) -> io::Result<Self> {
        let state = State {
            network: Network::Up,
            listener: Some(port.listen()?),
            acceptor: None,
            wires: Vec::new(),
            next_wire: 1,
            totals: Arc::default(),
        };
        let inner = Inner {
            port,
            faults,
            state: Mutex::new(state),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.inner.port.addr()
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
            state.listener = Some(self.inner.port.listen()?);
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
        Ok(self.inner.port.addr())
    }
}
