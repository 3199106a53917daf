//! A message through the client's session and back, against a raw socket.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tidings::{
    adapters::{
        consultations::{ConsultationsConfig, ConsultationsService},
        http::NoToken,
        system::SystemPlatform,
    },
    domain::{
        event::SessionEvent,
        ports::{ChatService, Outgoing, RealtimeSession},
    },
};
use tokio::{net::TcpStream, runtime::Runtime};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{
    measure::{in_turn, ratio, timed},
    report::Finding,
    servers,
    store::{self, conversation, key, text},
};

/// Encoded, sent, echoed, decoded.
pub(crate) fn round_trip() -> Vec<Finding> {
    const ROUNDS: usize = 6000;
    let runtime = store::runtime();
    let server = servers::echo();
    let session = runtime.block_on(connect(&format!("http://{server}")));
    let mut raw = runtime.block_on(raw(&format!("ws://{server}/"), server));
    let mut sent = 0;
    let mut ours = || {
        sent += 1;
        let outgoing = outgoing(sent);
        timed(|| runtime.block_on(exchange(session.as_ref(), &outgoing)))
    };
    let mut floor = || raw_exchange(&runtime, &mut raw);
    let ratio = ratio(&in_turn(ROUNDS, [&mut ours, &mut floor]));
    vec![Finding::at_most("round_trip", ratio, 1.3, ROUNDS)]
}

/// The client's session with a server.
async fn connect(origin: &str) -> Arc<dyn RealtimeSession> {
    let config = ConsultationsConfig::new(origin);
    let platform = Arc::new(SystemPlatform::new());
    let service = ConsultationsService::new(config, Arc::new(NoToken), platform).unwrap();
    service.connect(&conversation()).await.unwrap()
}

/// A socket without a client around it.
pub(crate) async fn raw(url: &str, server: std::net::SocketAddr) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    client_async(url, stream).await.unwrap().0
}

/// What the encoder makes of a message, as a string at hand.
pub(crate) fn frame(number: usize) -> String {
    json!({ "type": "message", "content": text(number) }).to_string()
}

pub(crate) fn outgoing(number: usize) -> Outgoing {
    Outgoing {
        id: key(number),
        conversation: conversation(),
        text: text(number),
        wire_id: None,
    }
}

/// An echoed message has no id, so that it reads as an answer: its text, then its end.
async fn exchange(session: &dyn RealtimeSession, outgoing: &Outgoing) {
    session.send(outgoing).await.unwrap();
    let mut echoed = false;
    loop {
        match session.next_event().await {
            SessionEvent::AnswerDelta { text } => echoed |= text == outgoing.text,
            SessionEvent::AnswerCompleted { .. } => return assert!(echoed),
            SessionEvent::Alive => {}
            other => panic!("unexpected: {other:?}"),
        }
    }
}

fn raw_exchange(runtime: &Runtime, socket: &mut WebSocketStream<TcpStream>) -> Duration {
    let frame = frame(1);
    timed(|| {
        runtime.block_on(async {
            socket.send(Message::text(frame.clone())).await.unwrap();
            let echo = socket.next().await.unwrap().unwrap();
            assert_eq!(echo.to_text().unwrap(), frame);
        });
    })
}
