//! One accepted connection. HTTP and WebSocket traffic runs through it, so a fault rule can make
//! it silent, write bytes no library would write, or end it abruptly, wherever it is in its life.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::Door;

/// How one direction of a connection flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Bytes move.
    Open,
    /// Bytes wait.
    Held,
    /// Bytes vanish; the writer believes they went out.
    Lost,
}

/// A connection and the levers on it.
#[derive(Debug)]
pub(crate) struct Wire {
    id: u64,
    gate: Mutex<Gate>,
    websocket: AtomicBool,
    totals: Arc<Totals>,
}

/// Bytes over all connections.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
}

impl Totals {
    /// Writes and counts. Counted first: a peer that has the bytes must find them counted.
    fn try_write(&self, stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
        let wanted = bytes.len() as u64;
        self.sent.fetch_add(wanted, Ordering::Relaxed);
        let written = stream.try_write(bytes);
        let went = written.as_ref().map_or(0, |n| *n as u64);
        self.sent.fetch_sub(wanted - went, Ordering::Relaxed);
        written
    }
}

#[derive(Debug)]
struct Gate {
    /// Gone once the connection is closed from our side. Held in an `Arc` so that a raw write can
    /// wait for room without keeping the gate shut.
    stream: Option<Arc<TcpStream>>,
    reads: Flow,
    writes: Flow,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Wire {
    pub(crate) fn new(id: u64, stream: TcpStream, flow: Flow, totals: Arc<Totals>) -> Arc<Self> {
        let gate = Gate {
            stream: Some(Arc::new(stream)),
            reads: flow,
            writes: flow,
            reader: None,
            writer: None,
        };
        Arc::new(Self {
            id,
            gate: Mutex::new(gate),
            websocket: AtomicBool::new(false),
            totals,
        })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn mark_websocket(&self) {
        self.websocket.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_websocket(&self) -> bool {
        self.websocket.load(Ordering::Relaxed)
    }

    /// Sets how both directions flow from now on.
    pub(crate) fn flow(&self, reads: Flow, writes: Flow) {
        let mut gate = self.gate();
        gate.reads = reads;
        gate.writes = writes;
        gate.wake();
    }

    /// Lets the library's writes wait, or go on. Lost ones stay lost.
    pub(crate) fn hold_writes(&self, hold: bool) {
        let mut gate = self.gate();
        gate.writes = match gate.writes {
            Flow::Lost => Flow::Lost,
            _ if hold => Flow::Held,
            _ => Flow::Open,
        };
        gate.wake();
    }

    /// Ends the connection with an RST, at once.
    pub(crate) fn reset(&self) {
        let mut gate = self.gate();
        if let Some(stream) = gate.stream.take() {
            // Without a zero linger the peer would see an orderly end. Failing to set it only
            // makes the fault milder.
            let _ = stream.set_zero_linger();
        }
        gate.wake();
    }

    /// Ends the connection in order (FIN), after what was already written.
    pub(crate) fn finish(&self) {
        let mut gate = self.gate();
        gate.stream = None;
        gate.wake();
    }

    /// Writes bytes past the HTTP or WebSocket library. The caller has flushed the library first.
    pub(crate) async fn write_raw(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (stream, flow) = {
                let gate = self.gate();
                (gate.stream.clone(), gate.writes)
            };
            let stream = stream.ok_or(io::ErrorKind::ConnectionReset)?;
            if flow == Flow::Lost {
                return Ok(());
            }
            stream.writable().await?;
            match self.totals.try_write(&stream, bytes) {
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_read(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut gate = self.gate();
        gate.reader = Some(cx.waker().clone());
        let Some(stream) = gate.stream.clone() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        if gate.reads == Flow::Held {
            return Poll::Pending;
        }
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(buf.initialize_unfilled()) {
                // Lost bytes are taken off the wire, so the peer's writes go on succeeding.
                Ok(n) if n > 0 && gate.reads == Flow::Lost => {}
                Ok(n) => {
                    buf.advance(n);
                    self.totals.received.fetch_add(n as u64, Ordering::Relaxed);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut gate = self.gate();
        gate.writer = Some(cx.waker().clone());
        let Some(stream) = gate.stream.clone() else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        match gate.writes {
            Flow::Open => {}
            Flow::Held => return Poll::Pending,
            Flow::Lost => return Poll::Ready(Ok(buf.len())),
        }
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match self.totals.try_write(&stream, buf) {
                Ok(n) => return Poll::Ready(Ok(n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl Gate {
    fn wake(&mut self) {
        for waker in [self.reader.take(), self.writer.take()]
            .into_iter()
            .flatten()
        {
            waker.wake();
        }
    }
}

/// The side of a [`Wire`] that the HTTP library reads and writes.
#[derive(Debug)]
pub(crate) struct WireIo(pub(super) Arc<Wire>);

impl Drop for WireIo {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl AsyncRead for WireIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }
}

impl AsyncWrite for WireIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.finish();
        Poll::Ready(Ok(()))
    }
}

/// Hands each request the connection it came in on.
#[derive(Clone, Debug)]
pub(crate) struct WireInfo(pub(crate) Arc<Wire>);

impl Connected<IncomingStream<'_, Door>> for WireInfo {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(Arc::clone(&stream.io().0))
    }
}
