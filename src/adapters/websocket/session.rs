//! A realtime session over a WebSocket: the backend's codec gives the frames their meaning.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Mutex, watch},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Bytes, Message,
        error::ProtocolError,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

use crate::{
    adapters::{
        net::BoxedIo,
        websocket::{
            Decoder, Encoder,
            frames::{Phase, Reader},
        },
    },
    domain::{
        event::SessionEvent,
        ids::MessageId,
        ports::{Outgoing, RealtimeSession},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How long a polite goodbye may take.
pub const FAREWELL: Duration = Duration::from_secs(1);

/// How long a frame may take to leave before the socket counts as stuck.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);

type Writer<S> = SplitSink<WebSocketStream<S>, Message>;

/// One open session. Reading, sending, probing and closing may run at once.
///
/// Somebody must read all the time: pongs leave while the socket is read.
pub struct WebSocketSession<E, D, S = BoxedIo> {
    encoder: E,
    reader: Mutex<Reader<D, S>>,
    writer: Mutex<Option<Writer<S>>>,
    phase: watch::Sender<Phase>,
}

impl<E, D, S> fmt::Debug for WebSocketSession<E, D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = *self.phase.borrow();
        write!(f, "WebSocketSession({phase:?})")
    }
}

impl<E, D, S> WebSocketSession<E, D, S>
where
    E: Encoder,
    D: Decoder,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Takes over an upgraded socket.
    #[must_use]
    pub fn new(socket: WebSocketStream<S>, encoder: E, decoder: D) -> Self {
        let (phase, watched) = watch::channel(Phase::Open);
        let (writer, stream) = socket.split();
        Self {
            encoder,
            reader: Mutex::new(Reader::new(stream, decoder, watched)),
            writer: Mutex::new(Some(writer)),
            phase,
        }
    }

    /// Writes one text frame.
    async fn write_text(&self, text: String) -> Result<(), ServiceError> {
        self.write(vec![Message::text(text)]).await
    }

    async fn write(&self, frames: Vec<Message>) -> Result<(), ServiceError> {
        let waited = tokio::time::timeout(WRITE_DEADLINE, self.writer.lock()).await;
        let mut writer = waited.map_err(|_| never_left("the socket is stuck"))?;
        let open = *self.phase.borrow() == Phase::Open;
        let writer = writer.as_mut().filter(|_| open);
        let Some(writer) = writer else {
            return Err(never_left("the session is over"));
        };
        match tokio::time::timeout(WRITE_DEADLINE, put(writer, frames)).await {
            Ok(result) => result.map_err(|e| write_failure(&e)),
            Err(_) => Err(ServiceError::unknown(
                FailureKind::TimedOut,
                "the frame did not leave in time",
            )),
        }
    }

    async fn optional(&self, frame: Option<String>, verb: &str) -> Result<(), ServiceError> {
        match frame {
            Some(text) => self.write_text(text).await,
            None => Err(ServiceError::unsupported(verb)),
        }
    }

    /// Says goodbye and reads on until the peer has answered.
    async fn part(&self) {
        self.goodbye(CloseCode::Normal).await;
        self.reader.lock().await.drain().await;
    }

    async fn goodbye(&self, code: CloseCode) {
        if let Some(writer) = self.writer.lock().await.as_mut() {
            let reason = tungstenite::Utf8Bytes::default();
            let frame = CloseFrame { code, reason };
            let _ = writer.send(Message::Close(Some(frame))).await;
        }
    }

    /// Lets go of the socket, so that the system closes it even while the session is still held.
    fn release(&self) {
        if let Ok(mut writer) = self.writer.try_lock() {
            *writer = None;
        }
    }
}

#[async_trait]
impl<E, D, S> RealtimeSession for WebSocketSession<E, D, S>
where
    E: Encoder,
    D: Decoder,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    async fn next_event(&self) -> SessionEvent {
        let mut reader = self.reader.lock().await;
        let event = reader.next().await;
        if matches!(event, SessionEvent::Closed(_)) {
            if let Some(code) = reader.rebuke() {
                let _ = tokio::time::timeout(FAREWELL, self.goodbye(code)).await;
            }
            self.phase.send_replace(Phase::Closed);
            self.release();
        }
        event
    }

    async fn send(&self, outgoing: &Outgoing) -> Result<(), ServiceError> {
        let frame = self.encoder.message(outgoing)?;
        self.write_text(frame).await
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        let mut frames = vec![Message::Ping(Bytes::new())];
        frames.extend(self.encoder.probe().map(Message::text));
        self.write(frames).await
    }

    async fn stop_answer(&self) -> Result<(), ServiceError> {
        self.optional(self.encoder.stop(), "stop an answer").await
    }

    async fn set_typing(&self, active: bool) -> Result<(), ServiceError> {
        self.optional(self.encoder.typing(active), "show typing")
            .await
    }

    async fn ack(&self, ids: &[MessageId]) -> Result<(), ServiceError> {
        match self.encoder.ack(ids) {
            Some(text) => self.write_text(text).await,
            None => Ok(()),
        }
    }

    async fn close(&self) {
        let was_open = self.phase.send_if_modified(|phase| {
            let open = *phase == Phase::Open;
            if open {
                *phase = Phase::Closing;
            }
            open
        });
        if was_open {
            let _ = tokio::time::timeout(FAREWELL, self.part()).await;
        }
        // Wakes a reader whose peer never answered.
        self.phase.send_replace(Phase::Closed);
        self.release();
    }
}

async fn put<S>(writer: &mut Writer<S>, frames: Vec<Message>) -> Result<(), tungstenite::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for frame in frames {
        writer.feed(frame).await?;
    }
    writer.flush().await
}

fn never_left(detail: &str) -> ServiceError {
    ServiceError::new(
        FailureKind::Interrupted,
        RetryClass::Backoff,
        Outcome::NotApplied,
        detail,
    )
}

/// Only a frame that the socket did not even take is proved not to have left.
fn write_failure(error: &tungstenite::Error) -> ServiceError {
    use tungstenite::Error as E;
    match error {
        E::AlreadyClosed | E::Protocol(ProtocolError::SendAfterClosing) => {
            never_left("the session is over")
        }
        E::Capacity(_) | E::WriteBufferFull(_) => never_left("the frame does not fit the socket"),
        _ => ServiceError::unknown(FailureKind::Interrupted, "the socket broke while writing"),
    }
}

#[cfg(test)]
mod tests;
