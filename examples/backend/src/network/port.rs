//! An address held for as long as a backend wants it, whether or not it listens there.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections the kernel may queue; more than any test opens at once.
const BACKLOG: u32 = 1024;
/// A free port can be taken between probing and reserving it; try a few others.
const ATTEMPTS: u32 = 8;

/// A claimed address. Dropping it gives the address up.
#[derive(Debug)]
pub(crate) struct Port {
    addr: SocketAddr,
    /// Bound but never listening: keeps the port ours while the listener is gone.
    _reservation: Option<TcpSocket>,
}

impl Port {
    /// Claims an address; port 0 means any free one.
    pub(crate) fn claim(addr: SocketAddr) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::reserve(addr) {
                Err(error) if addr.port() == 0 && attempt < ATTEMPTS => {
                    tracing::debug!(%error, "another process took the free port, trying the next");
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Listens on the address. Must run inside a runtime.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        let socket = reusing(self.addr)?;
        #[cfg(unix)]
        socket.set_reuseport(true)?;
        socket.bind(self.addr)?;
        socket.listen(BACKLOG)
    }

    /// An exclusive probe first: sharing a port with another server would split its clients.
    fn reserve(addr: SocketAddr) -> io::Result<Self> {
        let addr = std::net::TcpListener::bind(addr)?.local_addr()?;
        #[cfg(unix)]
        let reservation = {
            // Without address reuse, so that nobody else may bind it, by name or by chance.
            let reservation = new(addr)?;
            reservation.set_reuseport(true)?;
            reservation.bind(addr)?;
            Some(reservation)
        };
        #[cfg(not(unix))]
        let reservation = None;
        Ok(Self {
            addr,
            _reservation: reservation,
        })
    }
}

fn new(addr: SocketAddr) -> io::Result<TcpSocket> {
    if addr.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
}

/// A socket that does not mind connections of the server before it that are still dying.
fn reusing(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = new(addr)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    Ok(socket)
}
