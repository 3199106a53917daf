//! What carries packets: a WebSocket, or requests of which one waits.
//!
//! Both come in halves, so that writing never waits for reading. Dropping a read at any await loses
//! nothing: what is under way stays in the reader and is taken up again.

mod jar;
mod poll;
mod socket;

use std::fmt;

use http::header::HeaderMap;

use super::{
    config::Reach,
    engineio::{Carrier, Handshake, Packet},
};
use crate::{
    adapters::websocket::DialError,
    domain::{
        event::CloseReason,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

pub(super) use poll::{PollReader, PollWriter};
#[cfg(test)]
pub(super) use socket::halves;
pub(super) use socket::{SocketReader, SocketWriter};

/// The reading half.
pub(super) enum Reader {
    Socket(SocketReader),
    Polls(PollReader),
}

/// The writing half.
pub(super) enum Writer {
    Socket(SocketWriter),
    Polls(PollWriter),
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// A session of the transport that was just opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
    pub(super) handshake: Handshake,
}

/// Something that a reader brings.
#[derive(Debug)]
pub(super) enum Came {
    /// A packet.
    Packet(Packet),
    /// A sign of life below the protocol.
    Alive,
    /// The session moves: this is the new socket, quiet until the writer has changed over.
    Moves(Box<(SocketReader, SocketWriter)>),
}

impl Reader {
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Came, CloseReason> {
        match self {
            Self::Socket(socket) => socket.next().await,
            Self::Polls(polls) => polls.next().await,
        }
    }
}

impl Writer {
    /// Writes packets in order; after a failure that leaves the session in doubt it takes no more.
    pub(super) async fn write(&mut self, packets: Vec<Packet>) -> Result<(), ServiceError> {
        match self {
            Self::Socket(socket) => socket.write(packets).await,
            Self::Polls(polls) => polls.write(packets).await,
        }
    }

    /// Whether the session is in doubt since a write.
    pub(super) const fn is_suspect(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.is_suspect(),
            Self::Polls(polls) => polls.is_suspect(),
        }
    }

    /// Asks the peer's WebSocket for a sign of life; whether there is one to ask.
    pub(super) async fn ping(&mut self) -> Result<bool, ServiceError> {
        match self {
            Self::Socket(socket) => socket.ping().await.map(|()| true),
            Self::Polls(_) => Ok(false),
        }
    }

    /// Ends the session politely.
    pub(super) async fn close(&mut self) {
        match self {
            Self::Socket(socket) => socket.close().await,
            Self::Polls(polls) => {
                let _ = polls.write(vec![Packet::Close]).await;
            }
        }
    }
}

/// Opens a session: over a WebSocket, and where that is refused, by polling.
///
/// # Errors
/// The polls' own refusal, where both fail: only it says why.
pub(super) async fn open(reach: &Reach, headers: &HeaderMap) -> Result<Opened, ServiceError> {
    if reach.carriers.websocket {
        match over_socket(reach, headers).await {
            Ok(opened) => return Ok(opened),
            Err(error) if !reach.carriers.polling || is_hopeless(&error) => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    poll::open(reach, headers).await
}

/// What keeps a WebSocket from coming about keeps a poll too.
const fn is_hopeless(error: &ServiceError) -> bool {
    matches!(
        error.kind,
        FailureKind::Certificate | FailureKind::Unreachable
    )
}

async fn over_socket(reach: &Reach, headers: &HeaderMap) -> Result<Opened, ServiceError> {
    let url = reach.endpoint.address(Carrier::WebSocket, None, 0);
    let dialled = reach.dialer.dial(&url, headers.clone()).await;
    let stream = dialled.map_err(|error| no_socket(&error))?;
    let (mut reader, writer) = socket::halves(stream, usize::MAX);
    let opening = tokio::time::timeout(reach.open_within, reader.next()).await;
    let handshake = match opening {
        Ok(Ok(Came::Packet(Packet::Open(data)))) => {
            Handshake::parse(&data).map_err(|_| strange())?
        }
        Ok(Ok(_)) => return Err(strange()),
        Ok(Err(_)) => return Err(never("the server hung up before it opened a session")),
        Err(_) => return Err(never("the server opened no session in time")),
    };
    let writer = writer.limited_to(handshake.max_payload);
    Ok(Opened {
        reader: Reader::Socket(reader),
        writer: Writer::Socket(writer),
        handshake,
    })
}

fn no_socket(error: &DialError) -> ServiceError {
    match error {
        DialError::Failed(error) => error.clone(),
        // Why is told by a poll, in a form that can be read; here it is words.
        DialError::Refused(reply) => ServiceError {
            status: Some(reply.status),
            ..never("the server refuses the WebSocket")
        },
    }
}

/// Nothing left: it may be tried again.
pub(super) fn never(detail: &str) -> ServiceError {
    ServiceError::new(
        FailureKind::Interrupted,
        RetryClass::Backoff,
        Outcome::NotApplied,
        detail,
    )
}

/// Not this protocol.
pub(super) fn strange() -> ServiceError {
    ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        Outcome::NotApplied,
        "what answered does not speak this protocol",
    )
}

/// A packet that this server would hang up for, or refuse.
pub(super) fn too_large() -> ServiceError {
    ServiceError::new(
        FailureKind::Invalid,
        RetryClass::Never,
        Outcome::NotApplied,
        "the message is larger than the server takes at once",
    )
}
