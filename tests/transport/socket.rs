//! The realtime session.

use futures_util::{SinkExt, StreamExt};
use tidings::domain::event::{CloseReason, SessionEvent};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Reply, Server, connect, outgoing, within};

#[tokio::test]
async fn a_turn_is_read_from_the_socket() {
    let server = Server::start(|_| {
        Reply::socket(|mut socket| async move {
            let _ = socket.send(Message::text(r#"{"type":"connected","consultation_id":"c1"}"#)).await;
            while let Some(Ok(frame)) = socket.next().await {
                if frame.to_text().is_ok_and(|t| t.contains("\"message\"")) {
                    let both = "{\"type\":\"stream_chunk\",\"content\":\"Hi \"}\n{\"type\":\"stream_chunk\",\"content\":\"you\"}";
                    let _ = socket.send(Message::text(r#"{"type":"message_received"}"#)).await;
                    let _ = socket.send(Message::text(both)).await;
                    let _ = socket.send(Message::text(r#"{"type":"stream_complete"}"#)).await;
                }
            }
        })
    })
    .await;
    let session = connect(&server).await;
    let mut events = Vec::new();
    while events.len() < 5 {
        match within(session.next_event()).await {
            SessionEvent::Alive => {}
            SessionEvent::Ready => {
                within(session.send(&outgoing("hello")))
                    .await
                    .expect("sent");
                events.push(SessionEvent::Ready);
            }
            event => events.push(event),
        }
    }
    assert_eq!(events[2], SessionEvent::AnswerDelta { text: "Hi ".into() });
    assert_eq!(events[4], SessionEvent::AnswerCompleted { stopped: false });
    within(session.close()).await;
    let end = within(session.next_event()).await;
    assert_eq!(end, SessionEvent::Closed(CloseReason::Local));
}
