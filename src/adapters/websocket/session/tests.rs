//! The session over an in-memory pipe: ends, limits, and who may do what at once.

use std::{collections::VecDeque, sync::Arc};

use futures_util::FutureExt;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::{
    adapters::websocket::WebSocketLimits,
    domain::{
        event::CloseReason,
        ids::{ClientMessageId, ConversationId},
    },
};

#[derive(Debug)]
struct Plain;

impl Decoder for Plain {
    fn text(&mut self, frame: &str, events: &mut VecDeque<SessionEvent>) {
        events.push_back(SessionEvent::AnswerDelta { text: frame.into() });
    }
}

impl Encoder for Plain {
    fn message(&self, outgoing: &Outgoing) -> Result<String, ServiceError> {
        Ok(outgoing.text.clone())
    }
}

type Session = WebSocketSession<Plain, Plain, DuplexStream>;
type Peer = WebSocketStream<DuplexStream>;

async fn pair() -> (Session, Peer) {
    let (near, far) = duplex(64 * 1024);
    (session(near).await, peer(far).await)
}

async fn session(io: DuplexStream) -> Session {
    let limits = WebSocketLimits {
        message: 2048,
        backlog: 2048,
    };
    let socket = WebSocketStream::from_raw_socket(io, Role::Client, Some(limits.config())).await;
    Session::new(socket, Plain, Plain)
}

async fn peer(io: DuplexStream) -> Peer {
    WebSocketStream::from_raw_socket(io, Role::Server, None).await
}

fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        id: ClientMessageId::from_bytes([1; 16]),
        conversation: ConversationId::parse("c1").expect("id"),
        text: text.into(),
        wire_id: None,
    }
}

fn closed(reason: CloseReason) -> SessionEvent {
    SessionEvent::Closed(reason)
}

#[tokio::test]
async fn frames_go_both_ways_while_somebody_reads() {
    let (session, mut peer) = pair().await;
    let both = async {
        session.send(&outgoing("out")).await.expect("sent");
        assert_eq!(
            peer.next().await.expect("frame").expect("frame"),
            Message::text("out")
        );
        peer.send(Message::text("in")).await.expect("sent");
    };
    let (event, ()) = tokio::join!(session.next_event(), both);
    assert_eq!(event, SessionEvent::AnswerDelta { text: "in".into() });
}

#[tokio::test]
async fn a_ping_is_answered_by_reading_alone() {
    let (session, mut peer) = pair().await;
    peer.send(Message::Ping(Bytes::from_static(b"x")))
        .await
        .expect("ping");
    assert_eq!(session.next_event().await, SessionEvent::Alive);
    let (_, pong) = tokio::join!(session.next_event().now_or_never_later(), peer.next());
    assert_eq!(
        pong.expect("frame").expect("frame"),
        Message::Pong(Bytes::from_static(b"x"))
    );
}

/// Polls a future a few times and lets it go: a reader that is cancelled.
trait Briefly: Future + Sized {
    async fn now_or_never_later(self) -> Option<Self::Output> {
        let mut pinned = Box::pin(self);
        for _ in 0..3 {
            if let Some(output) = pinned.as_mut().now_or_never() {
                return Some(output);
            }
            tokio::task::yield_now().await;
        }
        None
    }
}

impl<F: Future> Briefly for F {}

#[tokio::test]
async fn a_cancelled_read_loses_no_event() {
    let (session, mut peer) = pair().await;
    assert!(session.next_event().now_or_never().is_none());
    peer.send(Message::text("one")).await.expect("sent");
    peer.send(Message::text("two")).await.expect("sent");
    for expected in ["one", "two"] {
        let event = session.next_event().await;
        assert_eq!(
            event,
            SessionEvent::AnswerDelta {
                text: expected.into()
            }
        );
    }
    assert!(session.next_event().now_or_never().is_none());
}

#[tokio::test]
async fn f14_the_peers_close_code_is_kept_and_repeated() {
    let (session, mut peer) = pair().await;
    let frame = CloseFrame {
        code: CloseCode::Restart,
        reason: "".into(),
    };
    peer.send(Message::Close(Some(frame))).await.expect("close");
    let (event, _) = tokio::join!(session.next_event(), async {
        let echo = peer.next().await;
        drop(peer);
        echo
    });
    assert_eq!(event, closed(CloseReason::Code(1012)));
    assert_eq!(session.next_event().await, closed(CloseReason::Code(1012)));
    let error = session.send(&outgoing("late")).await.expect_err("over");
    assert_eq!(error.outcome, Outcome::NotApplied);
}

#[tokio::test]
async fn f09_a_cut_without_a_close_is_broken_and_half_a_frame_is_nothing() {
    let (near, mut far) = duplex(1024);
    let session = session(near).await;
    far.write_all(&[0x81, 0x05, b'h', b'a'])
        .await
        .expect("half");
    drop(far);
    assert_eq!(session.next_event().await, closed(CloseReason::Broken));
}

#[tokio::test]
async fn f37_an_oversize_frame_ends_the_session_with_1009() {
    let (session, mut peer) = pair().await;
    peer.send(Message::text("x".repeat(4096)))
        .await
        .expect("sent");
    assert_eq!(session.next_event().await, SessionEvent::Undecodable);
    assert_eq!(session.next_event().await, closed(CloseReason::Violation));
    let Some(Ok(Message::Close(Some(frame)))) = peer.next().await else {
        panic!("a close frame");
    };
    assert_eq!(frame.code, CloseCode::Size);
}

#[tokio::test]
async fn f38_invalid_utf8_is_undecodable_not_a_panic() {
    let (near, mut far) = duplex(1024);
    let session = session(near).await;
    far.write_all(&[0x81, 0x02, 0xff, 0xfe])
        .await
        .expect("bytes");
    assert_eq!(session.next_event().await, SessionEvent::Undecodable);
    assert_eq!(session.next_event().await, closed(CloseReason::Violation));
}

#[tokio::test(start_paused = true)]
async fn close_is_bounded_and_wakes_the_reader_of_a_deaf_peer() {
    let (session, _silent) = pair().await;
    let session = Arc::new(session);
    let ((), event) = tokio::join!(session.close(), session.next_event());
    assert_eq!(event, closed(CloseReason::Local));
}

#[tokio::test]
async fn close_without_a_reader_answers_local_afterwards() {
    let (session, mut peer) = pair().await;
    let polite = async {
        while let Some(Ok(_)) = peer.next().await {}
        drop(peer);
    };
    tokio::join!(session.close(), polite);
    assert_eq!(session.next_event().await, closed(CloseReason::Local));
    session.close().await;
}

#[tokio::test(start_paused = true)]
async fn f06_a_frame_that_a_stuck_peer_never_takes_is_unknown() {
    let (near, _far) = duplex(16);
    let session = session(near).await;
    let error = session
        .send(&outgoing(&"x".repeat(100)))
        .await
        .expect_err("stuck");
    assert_eq!(error.outcome, Outcome::Unknown);
}

#[tokio::test]
async fn a_frame_beyond_the_backlog_is_proved_not_to_have_left() {
    let (session, _peer) = pair().await;
    let error = session
        .send(&outgoing(&"x".repeat(10_000)))
        .await
        .expect_err("too long");
    assert_eq!(error.outcome, Outcome::NotApplied);
}
