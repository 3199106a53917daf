use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::adapters::json::Object;
use crate::adapters::socketio::{WireError, WireLimits, engineio::Frame};

fn reader() -> PacketReader {
    PacketReader::new(WireLimits::default())
}

fn read(text: &str) -> Result<Option<Packet>, WireError> {
    reader().read(Frame::Text(text.to_owned()))
}

/// A packet as one comparable value.
fn shown(packet: &Packet) -> Value {
    let of = |arguments: &Arguments| -> Value {
        let each = |at| {
            arguments
                .json(at)
                .map(|json| serde_json::from_str::<Value>(json).expect("json"))
        };
        (0..arguments.len()).filter_map(each).collect()
    };
    let body = match &packet.body {
        Body::Connect(data) => json!({ "connect": data }),
        Body::Disconnect => json!("disconnect"),
        Body::Event {
            ack,
            name,
            arguments,
        } => json!({ "event": name, "ack": ack.map(|a| a.0), "args": of(arguments) }),
        Body::Ack { ack, arguments } => json!({ "answers": ack.0, "args": of(arguments) }),
        Body::ConnectError(refusal) => {
            json!({ "refused": refusal.message, "data": refusal.data })
        }
    };
    json!([packet.namespace.as_str(), body])
}

fn shows(text: &str) -> Value {
    let packet = read(text).expect(text).expect("whole");
    shown(&packet)
}

fn event(name: &str, ack: Option<u64>, arguments: Arguments) -> Packet {
    let body = Body::Event {
        ack: ack.map(AckId),
        name: name.to_owned(),
        arguments,
    };
    Packet::new(Namespace::default(), body)
}

#[test]
fn every_form_on_the_wire_is_read() {
    for (text, expected) in [
        ("0", json!(["/", { "connect": null }])),
        (
            r#"0{"sid":"s","pid":"p"}"#,
            json!(["/", { "connect": { "sid": "s", "pid": "p" } }]),
        ),
        (
            r#"0/chat,{"sid":"s"}"#,
            json!(["/chat", { "connect": { "sid": "s" } }]),
        ),
        ("0/chat", json!(["/chat", { "connect": null }])),
        ("1", json!(["/", "disconnect"])),
        ("1/chat,", json!(["/chat", "disconnect"])),
        (
            r#"2["ev",{"a":1}]"#,
            json!(["/", { "event": "ev", "ack": null, "args": [{ "a": 1 }] }]),
        ),
        (
            r#"20["ev",1]"#,
            json!(["/", { "event": "ev", "ack": 0, "args": [1] }]),
        ),
        (
            r#"2/chat,7["ev"]"#,
            json!(["/chat", { "event": "ev", "ack": 7, "args": [] }]),
        ),
        (
            "2[5,1]",
            json!(["/", { "event": "5", "ack": null, "args": [1] }]),
        ),
        ("30[]", json!(["/", { "answers": 0, "args": [] }])),
        (
            r#"3/chat,7["x"]"#,
            json!(["/chat", { "answers": 7, "args": ["x"] }]),
        ),
        (
            r#"4{"message":"no"}"#,
            json!(["/", { "refused": "no", "data": null }]),
        ),
        (
            r#"4/none,{"message":"Invalid namespace"}"#,
            json!(["/none", { "refused": "Invalid namespace", "data": null }]),
        ),
        (
            r#"4{"message":"no","data":{"code":4}}"#,
            json!(["/", { "refused": "no", "data": { "code": 4 } }]),
        ),
        (r#"4"no""#, json!(["/", { "refused": "no", "data": null }])),
    ] {
        assert_eq!(shows(text), expected, "{text}");
    }
}

#[test]
fn what_we_say_stands_so_on_the_wire() {
    let chat = Namespace::parse("/chat").expect("namespace");
    let token = serde_json::value::to_raw_value(&json!({ "token": "x" })).ok();
    let in_chat = |body| Packet::new(chat.clone(), body);
    for (packet, text) in [
        (Packet::new(Namespace::default(), Body::Connect(None)), "0"),
        (in_chat(Body::Connect(token)), r#"0/chat,{"token":"x"}"#),
        (in_chat(Body::Disconnect), "1/chat,"),
        (event("ev", None, Arguments::default()), r#"2["ev"]"#),
        (
            event("ev", Some(0), Arguments::of([json!(1)])),
            r#"20["ev",1]"#,
        ),
        (
            in_chat(Body::Ack {
                ack: AckId(12),
                arguments: Arguments::of([json!("a"), json!(null)]),
            }),
            r#"3/chat,12["a",null]"#,
        ),
    ] {
        let written = write(&packet).expect(text);
        assert_eq!(written, [Frame::Text(text.to_owned())]);
    }
}

#[test]
fn attachments_follow_their_packet_in_order() {
    let values = [
        json!({ "deep": [Arguments::placeholder(1)] }),
        Arguments::placeholder(0),
    ];
    let both = vec![vec![1], vec![2, 3]];
    let arguments = Arguments::of(values)
        .with_attachments(both.clone())
        .expect("placed");
    let written = write(&event("up", Some(3), arguments.clone())).expect("written");
    let Frame::Text(text) = &written[0] else {
        panic!("text first");
    };
    assert!(text.starts_with(r#"52-3["up",{"deep":["#), "{text}");
    assert_eq!(
        written[1..],
        [Frame::Binary(vec![1]), Frame::Binary(vec![2, 3])]
    );

    let mut reader = reader();
    let mut frames = written.into_iter();
    for _ in 0..2 {
        let early = reader.read(frames.next().expect("a frame")).expect("good");
        assert!(early.is_none(), "not whole yet");
    }
    let whole = reader.read(frames.next().expect("a frame")).expect("good");
    assert_eq!(whole.expect("whole").arguments(), Some(&arguments));
    assert!(
        reader.read(Frame::Text("1".into())).is_ok(),
        "nothing is due any more"
    );
}

#[test]
fn a_count_of_zero_attachments_is_read_and_never_written() {
    assert_eq!(
        shows(r#"50-["ev",1]"#),
        json!(["/", { "event": "ev", "ack": null, "args": [1] }])
    );
    let none = Arguments::of([json!(1)])
        .with_attachments(Vec::new())
        .expect("none");
    assert_eq!(
        write(&event("ev", None, none)),
        Ok(vec![Frame::Text(r#"2["ev",1]"#.into())])
    );
}

#[test]
fn a_text_in_the_middle_of_attachments_is_fatal() {
    let mut reader = reader();
    let header = r#"51-["ev",{"_placeholder":true,"num":0}]"#;
    assert!(
        reader
            .read(Frame::Text(header.into()))
            .expect("good")
            .is_none()
    );
    let error = reader
        .read(Frame::Text("2[\"ev\"]".into()))
        .expect_err("text");
    assert_eq!(error, WireError::AttachmentDue);
    let unasked = self::reader()
        .read(Frame::Binary(vec![1]))
        .expect_err("bytes");
    assert_eq!(unasked, WireError::AttachmentUnasked);
}

#[test]
fn a_placeholder_points_at_an_attachment_however_deep_it_lies() {
    let with = |value: &str| read(&format!(r#"51-["ev",{value}]"#)).err();
    for good in [
        r#"{"_placeholder":true,"num":0}"#,
        r#"{"num":0,"_placeholder":true}"#,
        r#"[[{"a":{"_placeholder":true,"num":0}}]]"#,
        r#"{"_placeholder":false,"num":9}"#,
        r#"{"_placeholder":1,"num":9}"#,
        r#"{"num":9}"#,
    ] {
        assert_eq!(with(good), None, "{good}");
    }
    for bad in [
        "1",
        "-1",
        "0.5",
        "\"0\"",
        "null",
        "1e9",
        "18446744073709551616",
    ] {
        let deep = format!(r#"[[{{"a":{{"_placeholder":true,"num":{bad}}}}}]]"#);
        assert_eq!(with(&deep), Some(WireError::BadAttachments), "{bad}");
    }
    assert_eq!(
        with(r#"{"_placeholder":true}"#),
        Some(WireError::BadAttachments)
    );
    let unplaced = Arguments::of([Arguments::placeholder(1)]).with_attachments(vec![vec![]]);
    assert_eq!(unplaced.err(), Some(WireError::BadAttachments));
}

#[test]
fn eleven_attachments_are_neither_read_nor_written() {
    assert_eq!(read(r#"511-["ev"]"#).err(), Some(WireError::TooLarge));
    assert!(read(r#"510-["ev"]"#).expect("ten").is_none());
    let many = Arguments::default()
        .with_attachments(vec![vec![]; 11])
        .expect("eleven");
    assert_eq!(write(&event("ev", None, many)), Err(WireError::TooLarge));
}

#[test]
fn attachments_are_bounded_together() {
    let limits = WireLimits {
        attached: 10,
        ..WireLimits::default()
    };
    let mut reader = PacketReader::new(limits);
    reader
        .read(Frame::Text(r#"53-["ev"]"#.into()))
        .expect("header");
    reader.read(Frame::Binary(vec![0; 6])).expect("six");
    let error = reader.read(Frame::Binary(vec![0; 5])).expect_err("eleven");
    assert_eq!(error, WireError::TooLarge);
}

#[test]
fn texts_and_arguments_are_bounded() {
    let many = format!("2[\"ev\"{}]", ",0".repeat(65));
    assert_eq!(read(&many).err(), Some(WireError::TooLarge));
    let vast = format!("2[\"ev\"{}]", ",0".repeat(100_000));
    assert!(read(&vast).is_err());
    let long = format!("2[\"ev\",\"{}\"]", "a".repeat(1024 * 1024));
    assert_eq!(read(&long).err(), Some(WireError::TooLarge));
    let deep = format!("2[\"ev\",{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(&deep).is_ok(), "what is not looked into costs nothing");
    let deep = format!("51-[\"ev\",{}{}]", "[".repeat(1000), "]".repeat(1000));
    assert_eq!(read(&deep).err(), Some(WireError::BadAttachments));
}

#[test]
fn what_a_server_would_hang_up_for_is_not_written() {
    for name in RESERVED {
        let packet = event(name, None, Arguments::default());
        assert_eq!(write(&packet), Err(WireError::BadEvent), "{name}");
        assert_eq!(
            read(&format!("2[\"{name}\"]")).err(),
            Some(WireError::BadEvent)
        );
    }
    let refusal = Packet::new(Namespace::default(), Body::ConnectError(Refusal::default()));
    assert_eq!(write(&refusal), Err(WireError::UnknownType));
    let beyond = event("ev", Some(GREATEST_ACK + 1), Arguments::default());
    assert_eq!(write(&beyond), Err(WireError::BadAck));
}

#[test]
fn what_is_no_packet_is_refused() {
    for (text, error) in [
        ("", WireError::Empty),
        ("7", WireError::UnknownType),
        ("x", WireError::UnknownType),
        ("2", WireError::BadPayload),
        ("2[]", WireError::BadEvent),
        ("2{}", WireError::BadPayload),
        ("2[null]", WireError::BadEvent),
        ("2[{\"a\":1}]", WireError::BadEvent),
        ("2[\"ev\"", WireError::BadPayload),
        ("2[\"ev\"]x", WireError::BadPayload),
        ("2/chat[\"ev\"]", WireError::BadPayload),
        ("3[]", WireError::BadAck),
        ("31", WireError::BadPayload),
        ("399999999999999999999[]", WireError::BadAck),
        ("39007199254740992[]", WireError::BadAck),
        ("1{}", WireError::BadPayload),
        ("0[]", WireError::BadPayload),
        ("0\"a\"", WireError::BadPayload),
        ("4", WireError::BadPayload),
        ("4[]", WireError::BadPayload),
        ("5[\"ev\"]", WireError::BadAttachments),
        ("5-[\"ev\"]", WireError::BadAttachments),
        ("5+1-[\"ev\"]", WireError::BadAttachments),
        ("599999999999999999999-[\"ev\"]", WireError::BadAttachments),
        ("6[\"ev\"]", WireError::BadAttachments),
    ] {
        assert_eq!(read(text).err(), Some(error), "{text:?}");
    }
}

#[test]
fn f38_half_a_character_does_not_end_the_connection() {
    let packet = read(r#"2["ev",{"content":"cut \ud83d"}]"#)
        .expect("read")
        .expect("whole");
    let arguments = packet.arguments().expect("an event");
    let object = Object::parse(arguments.json(0).expect("one")).expect("an object");
    let content = object.text(&["content"]);
    assert!(content.expect("text").starts_with("cut "));
}

#[test]
fn l99_no_content_is_printed() {
    for text in [
        r#"2["ev",{"content":"secret"}]"#,
        r#"4{"message":"secret","data":"secret"}"#,
        r#"0{"sid":"secret"}"#,
        r#"31["secret"]"#,
    ] {
        let packet = read(text).expect("read").expect("whole");
        assert!(!format!("{packet:?}").contains("secret"), "{packet:?}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"]{0,4}", inner, 0..4)
                .prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let namespace = prop_oneof![
        Just("/".to_owned()),
        "/[a-z0-9/]{1,8}".prop_map(String::from)
    ];
    let name =
        "[^\u{0}-\u{1f}]{1,12}".prop_filter("free", |n: &String| !RESERVED.contains(&n.as_str()));
    let blobs = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..4);
    let arguments = prop::collection::vec(value(), 0..4);
    let arguments = (arguments, blobs).prop_map(|(mut values, blobs)| {
        values.extend((0..blobs.len()).map(Arguments::placeholder));
        let placed = Arguments::of(values).with_attachments(blobs);
        placed.expect("placed")
    });
    let arguments = arguments.boxed();
    let ack = 0..=GREATEST_ACK;
    let body = prop_oneof![
        Just(Body::Connect(None)),
        value().prop_map(|v| Body::Connect(
            serde_json::value::to_raw_value(&json!({ "auth": v })).ok()
        )),
        Just(Body::Disconnect),
        (prop::option::of(ack.clone()), name, arguments.clone()).prop_map(
            |(ack, name, arguments)| Body::Event {
                ack: ack.map(AckId),
                name,
                arguments,
            }
        ),
        (ack, arguments).prop_map(|(ack, arguments)| Body::Ack {
            ack: AckId(ack),
            arguments,
        }),
    ];
    (namespace, body).prop_map(|(namespace, body): (String, Body)| {
        Packet::new(Namespace::parse(&namespace).expect("namespace"), body)
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(packets in prop::collection::vec(packet(), 1..5)) {
        let mut reader = reader();
        for packet in packets {
            let frames = write(&packet).expect("written");
            let (last, before) = frames.split_last().expect("a frame");
            for frame in before {
                prop_assert!(reader.read(frame.clone()).expect("read").is_none());
            }
            let read = reader.read(last.clone()).expect("read").expect("whole");
            prop_assert_eq!(shown(&read), shown(&packet));
            prop_assert_eq!(
                read.arguments().map(Arguments::attachments),
                packet.arguments().map(Arguments::attachments)
            );
        }
    }

    #[test]
    fn f35_no_text_makes_it_panic(texts in prop::collection::vec(
        "[0-6]?[0-9]{0,2}-?(/[a-z]{0,3},?)?[0-9]{0,3}(\\PC{0,20}|[\\[\\]{}\",:a-z0-9\\\\]{0,20})", 1..4
    )) {
        let mut reader = reader();
        for text in texts {
            let _ = reader.read(Frame::Text(text)).map(|read| format!("{read:?}"));
        }
    }

    /// Good frames with a few bytes changed, cut or doubled: the neighbourhood of the grammar.
    #[test]
    fn f35_no_damaged_packet_makes_it_panic(
        packet in packet(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3u8), 1..4),
    ) {
        let mut reader = reader();
        for frame in write(&packet).expect("written") {
            let frame = match frame {
                Frame::Text(text) => Frame::Text(damaged(&text, &cuts)),
                bytes @ Frame::Binary(_) => bytes,
            };
            if let Ok(Some(read)) = reader.read(frame) {
                let _ = write(&read).map(|frames| frames.len());
            }
        }
    }
}

fn damaged(text: &str, cuts: &[(prop::sample::Index, char, u8)]) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for (at, letter, how) in cuts {
        let at = at.index(letters.len() + 1);
        match how {
            0 if at < letters.len() => letters[at] = *letter,
            1 if at < letters.len() => drop(letters.remove(at)),
            _ => letters.insert(at, *letter),
        }
    }
    letters.into_iter().collect()
}
