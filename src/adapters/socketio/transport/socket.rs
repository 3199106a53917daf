//! A session over a WebSocket.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Bytes, Error, Message, error::ProtocolError},
};

use super::{Came, never, too_large};
use crate::{
    adapters::{
        net::BoxedIo,
        socketio::engineio::{Frame, Packet},
        websocket::session::{FAREWELL, WRITE_DEADLINE},
    },
    domain::{
        event::CloseReason,
        retry::{FailureKind, ServiceError},
    },
};

/// What a close frame without a code stands for; this protocol's servers send no other.
const NO_CODE: u16 = 1005;

/// The reading half.
pub(crate) struct SocketReader(SplitStream<WebSocketStream<BoxedIo>>);

/// The writing half.
pub(crate) struct SocketWriter {
    sink: SplitSink<WebSocketStream<BoxedIo>, Message>,
    most: usize,
    suspect: bool,
}

impl std::fmt::Debug for SocketReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SocketReader")
    }
}

impl std::fmt::Debug for SocketWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SocketWriter")
    }
}

/// The halves of a socket whose peer takes `most` bytes at once.
pub(crate) fn halves(
    stream: WebSocketStream<BoxedIo>,
    most: usize,
) -> (SocketReader, SocketWriter) {
    let (sink, stream) = stream.split();
    let writer = SocketWriter {
        sink,
        most,
        suspect: false,
    };
    (SocketReader(stream), writer)
}

impl SocketReader {
    pub(crate) async fn next(&mut self) -> Result<Came, CloseReason> {
        let frame = match self.0.next().await {
            Some(Ok(Message::Text(text))) => Frame::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.into()),
            Some(Ok(Message::Close(frame))) => {
                return Err(CloseReason::Code(frame.map_or(NO_CODE, |f| f.code.into())));
            }
            Some(Ok(_)) => return Ok(Came::Alive),
            Some(Err(error)) => return Err(broken(&error)),
            None => return Err(CloseReason::Broken),
        };
        let packet = Packet::from_frame(frame).map_err(|_| CloseReason::Violation)?;
        Ok(Came::Packet(packet))
    }
}

fn broken(error: &Error) -> CloseReason {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseReason::Broken,
        Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_) => CloseReason::Violation,
        _ => CloseReason::Broken,
    }
}

impl SocketWriter {
    /// The same, for a peer that takes this much at once.
    pub(crate) fn limited_to(self, most: usize) -> Self {
        Self { most, ..self }
    }

    pub(crate) const fn is_suspect(&self) -> bool {
        self.suspect
    }

    pub(crate) async fn write(&mut self, packets: Vec<Packet>) -> Result<(), ServiceError> {
        if self.suspect {
            return Err(never("the socket is broken"));
        }
        if packets.iter().any(|packet| packet.size() > self.most) {
            return Err(too_large());
        }
        let messages = packets.into_iter().map(message).collect();
        self.put(messages).await
    }

    pub(crate) async fn ping(&mut self) -> Result<(), ServiceError> {
        self.put(vec![Message::Ping(Bytes::new())]).await
    }

    pub(crate) async fn close(&mut self) {
        let _ = tokio::time::timeout(FAREWELL, self.sink.close()).await;
    }

    /// Until the last byte is with the system nobody knows how much of it left.
    async fn put(&mut self, messages: Vec<Message>) -> Result<(), ServiceError> {
        self.suspect = true;
        let written = tokio::time::timeout(WRITE_DEADLINE, self.feed(messages)).await;
        let written = written.map_err(|_| FailureKind::TimedOut);
        match written.and_then(|result| result.map_err(|_| FailureKind::Interrupted)) {
            Ok(()) => {
                self.suspect = false;
                Ok(())
            }
            Err(kind) => Err(ServiceError::unknown(
                kind,
                "the socket broke while writing",
            )),
        }
    }

    async fn feed(&mut self, messages: Vec<Message>) -> Result<(), Error> {
        for message in messages {
            self.sink.feed(message).await?;
        }
        self.sink.flush().await
    }
}

fn message(packet: Packet) -> Message {
    match packet.into_frame() {
        Frame::Text(text) => Message::text(text),
        Frame::Binary(bytes) => Message::binary(bytes),
    }
}
