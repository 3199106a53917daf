//! Frames that need memory, and bytes that mean harm. The golden frames are in `tests/wire`.

use proptest::prelude::*;

use super::*;
use crate::domain::ids::ClientMessageId;

fn decode(frames: &[&str]) -> Vec<SessionEvent> {
    let own = ConversationId::parse("c1").expect("id");
    let mut decoder = ConsultationsDecoder::new(own);
    let mut events = Events::new();
    for frame in frames {
        decoder.text(frame, &mut events);
    }
    events.into()
}

fn delta(text: &str) -> SessionEvent {
    SessionEvent::AnswerDelta { text: text.into() }
}

const COMPLETED: SessionEvent = SessionEvent::AnswerCompleted { stopped: false };

#[test]
fn l2_every_document_of_a_frame_is_read() {
    let frame = "{\"type\":\"stream_chunk\",\"content\":\"a\"}\n{bad}\n{\"type\":\"pong\"}{\"type\":\"stream_chunk\",\"content\":\"b\"}\n{\"cut";
    let expected = [
        delta("a"),
        SessionEvent::Undecodable,
        SessionEvent::Alive,
        delta("b"),
    ];
    assert_eq!(decode(&[frame]), expected);
}

#[test]
fn l71_nameless_message_is_shown_as_the_answer_it_is() {
    let nameless = r#"{"type":"message","content":"whole"}"#;
    assert_eq!(decode(&[nameless]), [delta("whole"), COMPLETED]);
    let streamed = r#"{"type":"stream_chunk","content":"whole"}"#;
    assert_eq!(decode(&[streamed, nameless]), [delta("whole"), COMPLETED]);
    let done = r#"{"type":"stream_complete"}"#;
    let again = [delta("whole"), COMPLETED, delta("whole"), COMPLETED];
    assert_eq!(decode(&[streamed, done, nameless]), again);
    let users = r#"{"type":"message","message":{"role":"user","content":"x"}}"#;
    assert_eq!(decode(&[users]), [SessionEvent::Undecodable]);
}

#[test]
fn l52_frame_belongs_to_the_conversation_of_its_socket() {
    for foreign in [
        r#"{"type":"stream_chunk","consultation_id":"c2","content":"x"}"#,
        r#"{"type":"error","conversationId":"c2","error":"x"}"#,
        r#"{"type":"message","message":{"id":"m","consultation_id":"c2"}}"#,
    ] {
        let events = decode(&[foreign]);
        assert!(
            matches!(events[..], [SessionEvent::Unknown { .. }]),
            "{events:?}"
        );
    }
    let own = r#"{"type":"stream_chunk","consultation_id":"C1","content":"x"}"#;
    assert_eq!(decode(&[own]), [delta("x")]);
}

#[test]
fn l80_content_survives_an_odd_date() {
    let frame = r#"{"type":"stream_chunk","content":"kept","timestamp":"2025-11-20T09:00:00.5Z"}"#;
    let odd = r#"{"type":"stream_chunk","content":"kept","timestamp":{}}"#;
    assert_eq!(decode(&[frame, odd]), [delta("kept"), delta("kept")]);
}

#[test]
fn f38_text_that_is_not_utf8_is_read_leniently() {
    let own = ConversationId::parse("c1").expect("id");
    let mut events = Events::new();
    let frame = b"{\"type\":\"stream_chunk\",\"content\":\"a\xffb\"}";
    ConsultationsDecoder::new(own).binary(frame, &mut events);
    assert_eq!(events, [delta("a\u{fffd}b")]);
}

#[test]
fn messages_are_written_only_where_the_server_takes_them() {
    let outgoing = Outgoing {
        id: ClientMessageId::from_bytes([7; 16]),
        conversation: ConversationId::parse("c1").expect("id"),
        text: "a \"b\"\n</c>".into(),
        wire_id: None,
    };
    let mut encoder = ConsultationsEncoder {
        sends: true,
        extensions: false,
    };
    let frame = encoder.message(&outgoing).expect("frame");
    assert_eq!(frame, r#"{"content":"a \"b\"\n</c>","type":"message"}"#);
    assert_eq!(encoder.stop(), None);
    encoder.sends = false;
    assert!(encoder.message(&outgoing).is_err());
}

fn kinds() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#"{"type":"connected","consultation_id":"c1"}"#,
        r#"{"type":"message_received","timestamp":"2025-11-20T09:00:00Z"}"#,
        r#"{"type":"stream_chunk","content":"Hi \u00e9","timestamp":"x"}"#,
        r#"{"type":"stream_complete","metadata":{"tokens_used":1}}"#,
        r#"{"type":"message","message":{"id":"m","role":"assistant","content":"x"}}"#,
        r#"{"type":"error","error":"e","code":"C"}"#,
        r#"{"type":"pong"}"#,
    ])
}

proptest! {
    #[test]
    fn inv25_perturbed_bytes_never_panic(
        frames in prop::collection::vec(kinds(), 1..5),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..12),
    ) {
        let mut bytes = frames.join("\n").into_bytes();
        for (place, byte, what) in edits {
            let at = place.index(bytes.len().max(1));
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.insert(at.min(bytes.len()), byte),
                _ if at < bytes.len() => { bytes.remove(at); }
                _ => {}
            }
        }
        let own = ConversationId::parse("c1").expect("id");
        let mut events = Events::new();
        ConsultationsDecoder::new(own).binary(&bytes, &mut events);
        prop_assert!(events.len() <= bytes.len() + 1);
    }

    #[test]
    fn f35_n_documents_give_their_n_events(texts in prop::collection::vec("(?s).{1,20}", 0..8)) {
        let frame: String = texts
            .iter()
            .map(|t| json!({ "type": "stream_chunk", "content": t }).to_string())
            .collect();
        let expected: Vec<_> = texts.iter().map(|t| delta(t)).collect();
        prop_assert_eq!(decode(&[&frame]), expected);
    }
}
