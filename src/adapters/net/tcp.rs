//! A TCP connection to a name: every address gets its chance, none holds up the others.

use std::{io, net::SocketAddr, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};
use tokio::net::{TcpStream, lookup_host};

/// How long an address may be silent before the next one is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// More addresses than this are not tried.
const MOST_ADDRESSES: usize = 16;

/// Connects to the first address of the host that answers. The caller bounds the whole in time.
pub(super) async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut waiting = lookup_host((host, port)).await?.take(MOST_ADDRESSES);
    let mut dials = FuturesUnordered::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = waiting.next();
        let last = next.is_none();
        dials.extend(next.map(dial));
        match first(&mut dials, last).await {
            Some(Some(Ok(stream))) => return Ok(stream),
            Some(Some(Err(error))) => failure = error,
            Some(None) if last => return Err(failure),
            Some(None) | None => {}
        }
    }
}

/// The next finished dial; `None` where the head start passed first. Nothing is waited for once
/// no address is left but the dials themselves.
async fn first<D>(
    dials: &mut FuturesUnordered<D>,
    last: bool,
) -> Option<Option<io::Result<TcpStream>>>
where
    D: Future<Output = io::Result<TcpStream>>,
{
    if last {
        return Some(dials.next().await);
    }
    let pause = Box::pin(tokio::time::sleep(HEAD_START));
    match select(dials.next(), pause).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // A chat frame is small and must not wait for more of them.
    stream.set_nodelay(true)?;
    Ok(stream)
}
