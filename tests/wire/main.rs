//! Golden frames: what each one on the wire means, in every version that was seen or specified.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a test crate: no users, and a failed expectation is a failed test"
)]

use std::collections::VecDeque;

use serde_json::{Value, json};
use tidings::{
    adapters::{consultations::ConsultationsDecoder, websocket::Decoder},
    domain::{event::SessionEvent, ids::ConversationId, message::ServerMessage},
};

fn decode(frame: &str) -> Vec<Value> {
    let own = ConversationId::parse("c1").expect("id");
    let mut events = VecDeque::new();
    ConsultationsDecoder::new(own).text(frame, &mut events);
    events.iter().map(shown).collect()
}

fn shown(event: &SessionEvent) -> Value {
    match event {
        SessionEvent::Ready => json!("ready"),
        SessionEvent::Alive => json!("alive"),
        SessionEvent::Undecodable => json!("undecodable"),
        SessionEvent::Acknowledged { receipt, .. } => {
            json!({ "acknowledged": receipt.message.as_ref().map(message) })
        }
        SessionEvent::AnswerDelta { text } => json!({ "delta": text }),
        SessionEvent::AnswerCompleted { stopped } => json!({ "completed": stopped }),
        SessionEvent::Message(whole) => json!({ "message": message(whole) }),
        SessionEvent::Failed { code, text, .. } => json!({ "failed": code, "text": text }),
        SessionEvent::Unknown { name } => json!({ "unknown": name }),
        other => panic!("no such event on this wire: {other:?}"),
    }
}

fn message(whole: &ServerMessage) -> Value {
    json!({
        "id": whole.id.as_str(),
        "role": whole.role.as_str(),
        "text": whole.text,
        "at": whole.created_at.map(|at| at.to_string()),
    })
}

fn check(golden: &str) {
    let cases: Vec<Value> = serde_json::from_str(golden).expect("golden file");
    for case in cases {
        let frame = case["frame"]
            .as_str()
            .map_or_else(|| case["frame"].to_string(), str::to_owned);
        assert_eq!(Value::from(decode(&frame)), case["events"], "{frame}");
    }
}

#[test]
fn l1_frame_is_read_by_its_type_and_the_unknown_is_reported() {
    check(include_str!("accepted.json"));
    check(include_str!("unknown.json"));
}

#[test]
fn f35_rejected_frames_are_reported_once_and_spoil_no_neighbour() {
    check(include_str!("rejected.json"));
}
