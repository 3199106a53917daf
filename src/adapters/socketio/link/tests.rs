//! One connection over an in-memory pipe, on virtual time, against a peer that does as it is told.

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::{Map, json};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::*;
use crate::{
    adapters::{
        net::BoxedIo,
        socketio::{
            SocketIoConfig,
            engineio::Handshake,
            transport::{Reader, halves},
        },
    },
    domain::{retry::Outcome, time::WallTime},
    testing::VirtualPlatform,
};

const WITHIN: Duration = Duration::from_secs(30);

/// Tells the conversation's name and the text of everything.
#[derive(Debug)]
struct Names;

impl Router for Names {
    fn route(&self, name: &str, arguments: &Arguments) -> Routed {
        let text = arguments.text(0).unwrap_or_default();
        match ConversationId::parse(name) {
            Some(id) if name.starts_with("to ") => {
                Routed::To(id, SessionEvent::AnswerDelta { text })
            }
            _ => Routed::All(SessionEvent::AnswerDelta { text }),
        }
    }

    fn is_placed(&self, _: &ConversationId) -> bool {
        true
    }
}

struct Peer(WebSocketStream<DuplexStream>);

impl Peer {
    async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("sent");
    }

    async fn hear(&mut self) -> String {
        let frame = self.0.next().await.expect("a frame").expect("a frame");
        frame.to_text().expect("text").to_owned()
    }
}

async fn pair() -> (Arc<Link>, Peer, Arc<VirtualPlatform>) {
    let (near, far) = duplex(64 * 1024);
    let near: BoxedIo = Box::new(near);
    let near = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
    let far = WebSocketStream::from_raw_socket(far, Role::Server, None).await;
    let text = r#"{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
    let handshake = Handshake::parse(text).expect("a handshake");
    let (reader, writer) = halves(near, handshake.max_payload);
    let opened = Opened {
        reader: Reader::Socket(reader),
        writer: Writer::Socket(writer),
        handshake,
    };
    let platform = Arc::new(VirtualPlatform::new(1, WallTime::from_millis(1_000_000)));
    let profile = SocketIoConfig::new("http://h")
        .profile()
        .expect("a profile");
    let link = Link::new(
        opened,
        Arc::new(profile),
        Arc::new(Names),
        None,
        platform.clone(),
    );
    (Arc::new(link), Peer(far), platform)
}

/// A connection that was let in.
async fn inside() -> (Arc<Link>, Peer, Arc<VirtualPlatform>) {
    let (link, mut peer, platform) = pair().await;
    let knocked = link.enter(Map::new(), WITHIN);
    let welcome = async {
        assert_eq!(peer.hear().await, "40");
        peer.say(r#"40{"sid":"s"}"#).await;
    };
    let (admission, ()) = tokio::join!(knocked, welcome);
    assert!(matches!(admission, Ok(Admission::In { recovered: false })));
    (link, peer, platform)
}

fn chat() -> ConversationId {
    ConversationId::parse("to c1").expect("id")
}

async fn said(link: &Link, seat: Seat) -> SessionEvent {
    loop {
        match link.next(seat).await {
            SessionEvent::Alive => {}
            event => return event,
        }
    }
}

fn delta(text: &str) -> SessionEvent {
    SessionEvent::AnswerDelta { text: text.into() }
}

#[tokio::test(start_paused = true)]
async fn the_one_who_waits_drives_for_all_and_everybody_gets_their_share() {
    let (link, mut peer, _) = inside().await;
    let (one, other) = (
        link.sit(&chat()),
        link.sit(&ConversationId::parse("to c2").expect("id")),
    );
    let ask = link.ask("ask", json!({}), WITHIN);
    let server = async {
        assert_eq!(peer.hear().await, r#"420["ask",{}]"#);
        peer.say(r#"42["to c2","for the other"]"#).await;
        peer.say(r#"42["to c1","for the one"]"#).await;
        peer.say(r#"430["answer"]"#).await;
    };
    let (a, b, answer, ()) = tokio::join!(said(&link, one), said(&link, other), ask, server);
    assert_eq!((a, b), (delta("for the one"), delta("for the other")));
    assert_eq!(answer.expect("answered").text(0).as_deref(), Some("answer"));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_is_given_up_loses_nothing() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    assert!(link.next(seat).now_or_never().is_none());
    peer.say(r#"42["to c1","one"]"#).await;
    // Given up at whatever point one look reaches.
    let first = link.next(seat).now_or_never();
    assert!(matches!(first, None | Some(SessionEvent::Alive)));
    peer.say(r#"42["to c1","two"]"#).await;
    assert_eq!(said(&link, seat).await, delta("one"));
    assert_eq!(said(&link, seat).await, delta("two"));
}

#[tokio::test(start_paused = true)]
async fn the_servers_question_is_answered_and_moves_the_deadline() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    for _ in 0..4 {
        tokio::time::advance(Duration::from_secs(25)).await;
        peer.say("2").await;
        assert_eq!(link.next(seat).await, SessionEvent::Alive);
        // What is owed leaves with the next step, whoever takes it.
        assert!(link.next(seat).now_or_never().is_none());
        assert_eq!(peer.hear().await, "3");
        assert!(!link.is_over());
    }
}

#[tokio::test(start_paused = true)]
async fn silence_beyond_the_servers_patience_ends_it_whatever_else_is_said() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    tokio::time::advance(Duration::from_secs(40)).await;
    peer.say(r#"42["to c1","data is no sign of it"]"#).await;
    assert_eq!(said(&link, seat).await, delta("data is no sign of it"));
    let before = tokio::time::Instant::now();
    assert_eq!(
        said(&link, seat).await,
        SessionEvent::Closed(CloseReason::Broken)
    );
    assert_eq!(before.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_slept_writes_nothing_to_a_server_that_is_gone() {
    let (link, mut peer, platform) = inside().await;
    let seat = link.sit(&chat());
    // The monotonic clock stood still; only the wall's ran on.
    platform.jump_wall(Duration::from_secs(60), false);
    let error = link.ask("ask", json!({}), WITHIN).await.expect_err("over");
    assert_eq!(error.outcome, Outcome::NotApplied);
    assert!(peer.0.next().now_or_never().is_none(), "not a byte left");
    assert_eq!(
        said(&link, seat).await,
        SessionEvent::Closed(CloseReason::Broken)
    );
    assert!(!link.is_live());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_nobodys() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    let late = link
        .ask("ask", json!(1), Duration::from_secs(3))
        .await
        .expect_err("late");
    assert_eq!(
        (late.kind, late.outcome),
        (FailureKind::TimedOut, Outcome::Unknown)
    );
    peer.say(r#"430["for the first"]"#).await;
    let ask = link.ask("ask", json!(2), WITHIN);
    let answer = async {
        peer.hear().await;
        peer.hear().await;
        peer.say(r#"431["for the second"]"#).await;
        peer.say(r#"431["again"]"#).await;
        peer.say(r#"42["to c1","on"]"#).await;
    };
    let (answer, ()) = tokio::join!(ask, answer);
    assert_eq!(
        answer.expect("answered").text(0).as_deref(),
        Some("for the second")
    );
    assert_eq!(said(&link, seat).await, delta("on"));
}

#[tokio::test(start_paused = true)]
async fn an_exception_ends_the_oldest_question_that_it_fits_and_no_other() {
    let (link, mut peer, _) = inside().await;
    let (first, twin) = (
        link.ask("send", json!({ "x": 1 }), WITHIN),
        link.ask("send", json!({ "x": 2 }), WITHIN),
    );
    let server = async {
        peer.hear().await;
        peer.hear().await;
        let cause = r#""cause":{"pattern":"send","data":{"x":2}}"#;
        peer.say(&format!(
            r#"42["exception",{{"status":"error","message":"no",{cause}}}]"#
        ))
        .await;
        peer.say(r#"42["exception",{"message":"whose?"}]"#).await;
        peer.say(r#"430["fine"]"#).await;
    };
    let (first, twin, ()) = tokio::join!(first, twin, server);
    assert_eq!(first.expect("answered").text(0).as_deref(), Some("fine"));
    let refused = twin.expect_err("refused");
    assert_eq!(
        (refused.kind, refused.outcome),
        (FailureKind::Invalid, Outcome::NotApplied)
    );
}

#[tokio::test(start_paused = true)]
async fn a_break_leaves_open_questions_unknown_and_tells_every_seat() {
    let (link, mut peer, _) = inside().await;
    let seats = [link.sit(&chat()), link.sit(&chat())];
    let ask = link.ask("ask", json!({}), WITHIN);
    let server = async {
        peer.hear().await;
        drop(peer);
    };
    let (asked, ()) = tokio::join!(ask, server);
    let error = asked.expect_err("broken");
    assert_eq!(
        (error.kind, error.outcome),
        (FailureKind::Interrupted, Outcome::Unknown)
    );
    for seat in seats {
        assert!(matches!(said(&link, seat).await, SessionEvent::Closed(_)));
        assert!(
            matches!(said(&link, seat).await, SessionEvent::Closed(_)),
            "and again"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_cannot_be_read_asks_the_history_and_ends_the_connection() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    peer.say("42{bad").await;
    assert_eq!(said(&link, seat).await, SessionEvent::Undecodable);
    assert_eq!(
        said(&link, seat).await,
        SessionEvent::Closed(CloseReason::Violation)
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_put_out_is_told_and_does_not_recover() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    peer.say("41").await;
    assert!(matches!(said(&link, seat).await, SessionEvent::Closed(_)));
    assert!(link.was_evicted());
    assert_eq!(link.recovery(), None);
}

#[tokio::test(start_paused = true)]
async fn a_question_of_the_servers_is_answered_once() {
    let (link, mut peer, _) = inside().await;
    let seat = link.sit(&chat());
    peer.say(r#"427["to c1","asked"]"#).await;
    let reading = async {
        loop {
            link.next(seat).await;
        }
    };
    let heard = async {
        assert_eq!(peer.hear().await, "437[]");
        tokio::time::timeout(Duration::from_secs(5), peer.hear()).await
    };
    let reading: std::pin::Pin<Box<dyn Future<Output = ()>>> = Box::pin(reading);
    match select(reading, Box::pin(heard)).await {
        Either::Left(_) => panic!("reading goes on"),
        Either::Right((again, _)) => assert!(again.is_err(), "{again:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_let_in_by_silence() {
    let (link, _peer, _) = pair().await;
    let error = link
        .enter(Map::new(), Duration::from_secs(20))
        .await
        .expect_err("silence");
    assert_eq!(error.outcome, Outcome::NotApplied);
    let early = link
        .ask("ask", json!({}), WITHIN)
        .await
        .expect_err("not in");
    assert_eq!(early.outcome, Outcome::NotApplied);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_lags_is_sent_to_the_history() {
    let (link, mut peer, _) = inside().await;
    let (busy, lazy) = (link.sit(&chat()), link.sit(&chat()));
    for _ in 0..5000 {
        peer.say(r#"42["to c1","x"]"#).await;
        said(&link, busy).await;
    }
    let mut kept = 0;
    loop {
        match said(&link, lazy).await {
            SessionEvent::AnswerDelta { .. } => kept += 1,
            other => break assert_eq!(other, SessionEvent::Undecodable),
        }
    }
    assert!(kept < 5000);
}
