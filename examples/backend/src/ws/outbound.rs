//! The sending half of a socket: puts documents into frames, and frames wrong where a rule says so.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{SinkExt, stream::SplitSink};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Document, Outgoing, frames};
use crate::{
    app::Shared,
    config::Dialect,
    faults::{Action, Event, On, replacement},
    journal::FrameDirection,
    network::{Flow, Wire},
};

/// The socket takes no more.
#[derive(Debug)]
pub(super) struct Ended;

type Sent = Result<(), Ended>;

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CONTINUATION: u8 = 0x0;
const FINAL: u8 = 0x80;

/// The sending half.
pub(super) struct Outbound {
    app: Shared,
    sink: SplitSink<WebSocket, Message>,
    wire: Arc<Wire>,
    conversation: String,
    socket: u64,
    /// Documents gathered for the frame being built.
    frame: Vec<String>,
    /// A document that lets the next one pass.
    held: Option<String>,
}

impl Outbound {
    pub(super) fn new(
        app: Shared,
        sink: SplitSink<WebSocket, Message>,
        wire: Arc<Wire>,
        conversation: String,
        socket: u64,
    ) -> Self {
        Self {
            app,
            sink,
            wire,
            conversation,
            socket,
            frame: Vec::new(),
            held: None,
        }
    }

    /// Sends what is queued until the socket ends or nobody can queue any more.
    pub(super) async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
        while let Some(what) = queue.recv().await {
            let sent = match what {
                Outgoing::Frame(documents) => self.deliver(documents).await,
                Outgoing::Verbatim { bytes, binary } => {
                    self.raw(if binary { BINARY } else { TEXT }, &bytes).await
                }
                Outgoing::Close { code, reason } => self.close(code, reason).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    /// Sends documents, in one frame unless a rule has other ideas.
    pub(super) async fn deliver(&mut self, documents: Vec<Document>) -> Sent {
        let mut merging = false;
        for document in documents {
            let event = Event::frame(On::WsOut, &document.kind, &self.conversation);
            let decision = self.app.faults.decide(&event);
            if !decision.delay.is_zero() {
                self.flush_frame().await?;
                tokio::time::sleep(decision.delay).await;
            }
            merging = matches!(decision.action, Some(Action::MergeFrames));
            match decision.action {
                None => self.gather(document).await?,
                Some(action) => self.spoil(action, &document).await?,
            }
        }
        if merging {
            Ok(())
        } else {
            self.flush_frame().await
        }
    }

    /// Adds a document to the frame; one that was held follows in a frame of its own.
    async fn gather(&mut self, document: Document) -> Sent {
        self.note(&document.kind, document.text.len());
        self.frame.push(document.text);
        match self.held.take() {
            Some(held) => {
                self.flush_frame().await?;
                self.text(held).await
            }
            None => Ok(()),
        }
    }

    async fn flush_frame(&mut self) -> Sent {
        if self.frame.is_empty() {
            return Ok(());
        }
        let text = std::mem::take(&mut self.frame).join("\n");
        self.text(text).await
    }

    async fn spoil(&mut self, action: Action, document: &Document) -> Sent {
        if !matches!(action, Action::MergeFrames | Action::Replace { .. }) {
            self.flush_frame().await?;
        }
        if !matches!(action, Action::Drop) {
            self.note(&document.kind, document.text.len());
        }
        let text = self.terminated(&document.text);
        match action {
            Action::Drop => Ok(()),
            Action::Freeze { direction } => {
                let (reads, writes) = direction.flows();
                self.wire.flow(reads, writes);
                if writes == Flow::Open {
                    self.text(text).await
                } else {
                    Ok(())
                }
            }
            Action::Duplicate => {
                self.text(text.clone()).await?;
                self.text(text).await
            }
            Action::Reorder => {
                self.held = Some(document.text.clone());
                Ok(())
            }
            Action::MergeFrames => {
                self.frame.push(document.text.clone());
                Ok(())
            }
            Action::Replace { text, base64 } => {
                match String::from_utf8(replacement(text.as_deref(), base64.as_deref())) {
                    // In the frame it would have been in: a bad document among good ones.
                    Ok(text) => {
                        self.frame.push(text);
                        Ok(())
                    }
                    Err(bytes) => {
                        self.flush_frame().await?;
                        self.raw(TEXT, bytes.as_bytes()).await
                    }
                }
            }
            Action::Close { code, reason } => self.close(code, reason).await,
            Action::ErrorFrame { code, text, .. } => {
                let error = frames::error(&self.conversation, &text, code.as_deref());
                self.text(error.text).await
            }
            Action::Oversize { bytes } => self.text(oversized(&document.text, bytes)).await,
            other => self.mangle(other, text.as_bytes()).await,
        }
    }

    /// The actions that write bytes no library would write.
    async fn mangle(&mut self, action: Action, payload: &[u8]) -> Sent {
        match action {
            Action::SplitFrame { parts } => self.fragments(payload, parts.max(2)).await,
            Action::SlowBody { bytes_per_sec } => {
                let mut bytes = head(FINAL | TEXT, payload.len());
                bytes.extend_from_slice(payload);
                self.trickle(&bytes, bytes_per_sec).await
            }
            Action::Truncate { bytes } => {
                self.partial(payload, bytes).await;
                self.wire.finish();
                Err(Ended)
            }
            Action::Reset => {
                self.partial(payload, payload.len() / 2).await;
                self.wire.reset();
                Err(Ended)
            }
            _ => Ok(()),
        }
    }

    async fn partial(&mut self, payload: &[u8], keep: usize) {
        let mut bytes = head(FINAL | TEXT, payload.len());
        bytes.extend(payload.iter().take(keep));
        // The connection ends right after; an error changes nothing.
        let _ = self.wire.write_raw(&bytes).await;
    }

    async fn fragments(&mut self, payload: &[u8], parts: usize) -> Sent {
        let size = payload.len().div_ceil(parts).max(1);
        let pieces: Vec<_> = payload.chunks(size).collect();
        let last = pieces.len().saturating_sub(1);
        for (index, piece) in pieces.iter().enumerate() {
            let opcode = if index == 0 { TEXT } else { CONTINUATION };
            let end = if index == last { FINAL } else { 0 };
            let mut bytes = head(end | opcode, piece.len());
            bytes.extend_from_slice(piece);
            self.wire.write_raw(&bytes).await.map_err(|_| Ended)?;
        }
        Ok(())
    }

    async fn trickle(&mut self, bytes: &[u8], bytes_per_sec: u32) -> Sent {
        let (piece, pause) = pace(bytes_per_sec);
        // A pong from the reading half must not land inside this frame.
        self.wire.hold_writes(true);
        for piece in bytes.chunks(piece) {
            self.wire.write_raw(piece).await.map_err(|_| Ended)?;
            tokio::time::sleep(pause).await;
        }
        self.wire.hold_writes(false);
        Ok(())
    }

    async fn text(&mut self, text: String) -> Sent {
        let text = self.terminated(&text);
        self.sink
            .send(Message::Text(text.into()))
            .await
            .map_err(|_| Ended)
    }

    async fn raw(&mut self, opcode: u8, payload: &[u8]) -> Sent {
        let mut bytes = head(FINAL | opcode, payload.len());
        bytes.extend_from_slice(payload);
        self.wire.write_raw(&bytes).await.map_err(|_| Ended)
    }

    pub(super) async fn close(&mut self, code: u16, reason: String) -> Sent {
        self.note("close_frame", reason.len());
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        let _ = self.sink.send(Message::Close(Some(frame))).await;
        Err(Ended)
    }

    /// Go's `WriteJSON` ends each document with a newline; the 0.34 dialect shows none.
    fn terminated(&self, text: &str) -> String {
        let bare = text.trim_end_matches('\n');
        match self.app.config.dialect {
            Dialect::Production => format!("{bare}\n"),
            Dialect::S34 => bare.to_owned(),
        }
    }

    fn note(&self, kind: &str, bytes: usize) {
        let journal = &self.app.journal;
        journal.frame(
            &self.conversation,
            self.socket,
            FrameDirection::Out,
            kind,
            bytes,
        );
    }
}

/// The head of an unmasked frame.
fn head(first: u8, len: usize) -> Vec<u8> {
    let mut head = vec![first];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < 126 => head.push(short),
        (_, Ok(medium)) => {
            head.push(126);
            head.extend(medium.to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend((len as u64).to_be_bytes());
        }
    }
    head
}

/// How many bytes to write at a time, and the pause after each piece: twenty pieces a second at
/// most.
pub(crate) fn pace(bytes_per_sec: u32) -> (usize, Duration) {
    let rate = bytes_per_sec.max(1);
    let piece = rate.div_ceil(20);
    let pause = Duration::from_secs_f64(f64::from(piece) / f64::from(rate));
    (usize::try_from(piece).unwrap_or(1), pause)
}

/// The document, blown up with an unknown field.
pub(crate) fn oversized(text: &str, bytes: usize) -> String {
    let padding = "x".repeat(bytes.saturating_sub(text.len()));
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(mut document)) => {
            document.insert("padding".to_owned(), json!(padding));
            Value::Object(document).to_string()
        }
        _ => format!("{text}{padding}"),
    }
}
