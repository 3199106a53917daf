//! The reading half of a socket: frames in, events out, and why it ended.

use std::collections::VecDeque;

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::SplitStream,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, error::ProtocolError, protocol::frame::coding::CloseCode},
};

use crate::{
    adapters::websocket::{Decoder, session::FAREWELL},
    domain::event::{CloseReason, SessionEvent},
};

/// How far the session is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// In use.
    Open,
    /// We said goodbye and wait for the peer's.
    Closing,
    /// Over, whether or not the peer answered.
    Closed,
}

type Item = Option<Result<Message, tungstenite::Error>>;

/// The reading half.
pub(super) struct Reader<D, S> {
    stream: Option<SplitStream<WebSocketStream<S>>>,
    decoder: D,
    queue: VecDeque<SessionEvent>,
    farewell: Option<CloseReason>,
    ended: Option<CloseReason>,
    rebuke: Option<CloseCode>,
    phase: watch::Receiver<Phase>,
}

impl<D: Decoder, S: AsyncRead + AsyncWrite + Unpin> Reader<D, S> {
    pub(super) const fn new(
        stream: SplitStream<WebSocketStream<S>>,
        decoder: D,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            stream: Some(stream),
            decoder,
            queue: VecDeque::new(),
            farewell: None,
            ended: None,
            rebuke: None,
            phase,
        }
    }

    /// The next event. Nothing is lost when the future is dropped: a frame is taken from the
    /// stream and put in the queue without a pause between.
    pub(super) async fn next(&mut self) -> SessionEvent {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return event;
            }
            if let Some(reason) = &self.ended {
                return SessionEvent::Closed(reason.clone());
            }
            self.advance().await;
        }
    }

    /// Reads on until the end, for a close that nobody else waits for.
    pub(super) async fn drain(&mut self) {
        while self.ended.is_none() {
            self.advance().await;
        }
    }

    async fn advance(&mut self) {
        let Some(stream) = self.stream.as_mut() else {
            return self.finish(CloseReason::Broken);
        };
        if let Some(reason) = self.farewell.clone() {
            // Reading on lets our answer to the peer's goodbye leave; then the peer hangs up.
            let _ = tokio::time::timeout(FAREWELL, stream.next()).await;
            return self.finish(reason);
        }
        match next_or_over(stream, &mut self.phase).await {
            Some(frame) => self.take(frame),
            None => self.finish(CloseReason::Local),
        }
    }

    /// The close code that tells the peer what it did wrong, once.
    pub(super) const fn rebuke(&mut self) -> Option<CloseCode> {
        self.rebuke.take()
    }

    fn take(&mut self, frame: Item) {
        match frame {
            Some(Ok(Message::Text(text))) => self.decoder.text(&text, &mut self.queue),
            Some(Ok(Message::Binary(bytes))) => self.decoder.binary(&bytes, &mut self.queue),
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or(1005, |f| f.code.into());
                self.farewell = Some(CloseReason::Code(code));
            }
            Some(Ok(_)) => self.queue.push_back(SessionEvent::Alive),
            Some(Err(error)) => self.fail(&error),
            None => self.finish(CloseReason::Broken),
        }
    }

    fn fail(&mut self, error: &tungstenite::Error) {
        use tungstenite::Error as E;
        if matches!(error, E::Utf8(_) | E::Capacity(_)) {
            // Something was said that we cannot know: history is asked to make up for it.
            self.queue.push_back(SessionEvent::Undecodable);
        }
        self.rebuke = match error {
            E::Capacity(_) => Some(CloseCode::Size),
            E::Utf8(_) => Some(CloseCode::Invalid),
            _ => None,
        };
        self.finish(match error {
            E::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseReason::Broken,
            E::Utf8(_) | E::Capacity(_) | E::Protocol(_) => CloseReason::Violation,
            _ => CloseReason::Broken,
        });
    }

    fn finish(&mut self, reason: CloseReason) {
        let ours = *self.phase.borrow() != Phase::Open;
        self.ended = Some(if ours { CloseReason::Local } else { reason });
        self.stream = None;
    }
}

/// The stream's next item, or `None` once the session is over without the peer's consent.
async fn next_or_over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    phase: &mut watch::Receiver<Phase>,
) -> Option<Item> {
    let over = Box::pin(phase.wait_for(|phase| *phase == Phase::Closed));
    match select(stream.next(), over).await {
        Either::Left((item, _)) => Some(item),
        Either::Right(_) => None,
    }
}
