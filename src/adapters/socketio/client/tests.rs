use serde_json::json;

use super::*;
use crate::adapters::socketio::{
    WireLimits,
    engineio::Frame,
    packet::{PacketReader, write},
};

fn arity(name: &str) -> Option<usize> {
    (name == "message:new").then_some(1)
}

fn hears(client: &mut Client, text: &str) -> Heard {
    let mut reader = PacketReader::new(WireLimits::default());
    let packet = reader.read(Frame::Text(text.to_owned())).expect("good");
    client.receive(packet.expect("whole"), arity).expect("room")
}

fn says(packet: &Packet) -> String {
    match write(packet).expect("written").remove(0) {
        Frame::Text(text) => text,
        Frame::Binary(_) => panic!("text"),
    }
}

fn knocks(client: &Client) -> String {
    let auth = json!({ "token": "t" });
    says(&client.knock(auth.as_object().expect("an object").clone()))
}

fn fresh() -> Client {
    Client::new(Namespace::default(), None)
}

fn is_in(heard: &Heard, due: bool) -> bool {
    matches!(heard, Heard::In { recovered, .. } if *recovered == due)
}

#[test]
fn a_session_with_a_place_is_offered_for_recovery_and_one_without_is_not() {
    let mut client = fresh();
    assert_eq!(knocks(&client), r#"0{"token":"t"}"#);
    assert!(is_in(
        &hears(&mut client, r#"0{"sid":"s","pid":"p"}"#),
        false
    ));
    let next = Client::new(Namespace::default(), client.recovery());
    assert_eq!(knocks(&next), r#"0{"token":"t"}"#, "nothing was heard");
    hears(&mut client, r#"2["message:new",{"id":1},"p.7"]"#);
    let next = Client::new(Namespace::default(), client.recovery());
    assert_eq!(knocks(&next), r#"0{"offset":"p.7","pid":"p","token":"t"}"#);
}

#[test]
fn missed_events_come_before_the_reply_and_are_delivered_after_it_in_order() {
    let mut client = fresh();
    hears(&mut client, r#"0{"sid":"s","pid":"p"}"#);
    hears(&mut client, r#"2["message:new",{"id":1},"p.1"]"#);
    let mut next = Client::new(Namespace::default(), client.recovery());
    for number in 2..4 {
        let text = format!(r#"2["message:new",{{"id":{number}}},"p.{number}"]"#);
        assert!(matches!(hears(&mut next, &text), Heard::Nothing));
    }
    assert!(!next.is_in());
    let Heard::In { recovered, missed } = hears(&mut next, r#"0{"sid":"s","pid":"p"}"#) else {
        panic!("let in");
    };
    assert!(recovered);
    let ids: Vec<_> = missed.iter().filter_map(|e| e.arguments.json(0)).collect();
    assert_eq!(ids, [r#"{"id":2}"#, r#"{"id":3}"#]);
    let after = Client::new(Namespace::default(), next.recovery());
    assert!(
        knocks(&after).contains("p.3"),
        "the place moved on meanwhile"
    );
}

#[test]
fn another_session_in_the_reply_means_that_nothing_was_recovered() {
    for reply in [
        r#"0{"sid":"s2","pid":"p2"}"#,
        r#"0{"sid":"s2","pid":"p"}"#,
        r#"0{"sid":"s"}"#,
    ] {
        let mut client = fresh();
        hears(&mut client, r#"0{"sid":"s","pid":"p"}"#);
        hears(&mut client, r#"2["message:new",{},"p.1"]"#);
        let mut next = Client::new(Namespace::default(), client.recovery());
        assert!(is_in(&hears(&mut next, reply), false), "{reply}");
        let after = Client::new(Namespace::default(), next.recovery());
        assert_eq!(knocks(&after), r#"0{"token":"t"}"#, "the old place is void");
    }
}

#[test]
fn a_place_is_what_follows_the_declared_values_of_an_event_that_wants_no_answer() {
    for (text, place) in [
        (r#"2["message:new",{},"at"]"#, Some("at")),
        (r#"2["message:new","text"]"#, None),
        (r#"2["message:new",{},{}]"#, None),
        (r#"2["message:new",{},"more","at"]"#, None),
        (r#"27["message:new",{},"at"]"#, None),
        (r#"2["of another kind",1,2,"at"]"#, Some("at")),
        (r#"2["of another kind"]"#, None),
        (r#"37["at"]"#, None),
    ] {
        let mut client = fresh();
        hears(&mut client, r#"0{"sid":"s","pid":"p"}"#);
        hears(&mut client, text);
        let known = client.recovery().and_then(|r| r.offset);
        assert_eq!(known.as_deref(), place, "{text}");
    }
    let mut bare = fresh();
    hears(&mut bare, r#"0{"sid":"s"}"#);
    hears(&mut bare, r#"2["message:new",{},"at"]"#);
    assert_eq!(bare.recovery(), None, "this server recovers nothing");
}

#[test]
fn an_end_on_purpose_is_not_recovered() {
    let ends: [fn(&mut Client); 3] = [
        |client| drop(client.leave()),
        |client| assert!(matches!(hears(client, "1"), Heard::Out)),
        |client| {
            let heard = hears(client, r#"4{"message":"no"}"#);
            assert!(matches!(heard, Heard::Refused(_)));
        },
    ];
    for end in ends {
        let mut client = fresh();
        hears(&mut client, r#"0{"sid":"s","pid":"p"}"#);
        hears(&mut client, r#"2["message:new",{},"at"]"#);
        end(&mut client);
        assert_eq!(client.recovery(), None);
        assert!(matches!(
            hears(&mut client, r#"2["message:new",{}]"#),
            Heard::Nothing
        ));
    }
}

#[test]
fn questions_are_numbered_and_those_of_the_server_are_answered() {
    let mut client = Client::new(Namespace::parse("/chat").expect("namespace"), None);
    hears(&mut client, r#"0/chat,{"sid":"s"}"#);
    for number in 0..3 {
        let (packet, ack) = client.event("ask", json!({}), true);
        assert_eq!(ack, Some(AckId(number)));
        assert_eq!(says(&packet), format!(r#"2/chat,{number}["ask",{{}}]"#));
    }
    let (packet, ack) = client.event("tell", json!(1), false);
    assert_eq!(
        (says(&packet).as_str(), ack),
        (r#"2/chat,["tell",1]"#, None)
    );
    let Heard::Event(question) = hears(&mut client, r#"2/chat,9["q"]"#) else {
        panic!("an event");
    };
    let answer = client.answer(question.ack.expect("wanted"));
    assert_eq!(says(&answer), "3/chat,9[]");
    let heard = hears(&mut client, r#"3/chat,1["a"]"#);
    assert!(matches!(heard, Heard::Answer(AckId(1), _)));
}

#[test]
fn other_namespaces_are_not_ours() {
    let mut client = fresh();
    assert!(matches!(
        hears(&mut client, r#"0/chat,{"sid":"s"}"#),
        Heard::Nothing
    ));
    assert!(!client.is_in());
}

#[test]
fn a_flood_before_the_reply_ends_the_try_and_what_it_would_bring_again() {
    let mut client = fresh();
    hears(&mut client, r#"0{"sid":"s","pid":"p"}"#);
    hears(&mut client, r#"2["message:new",{},"at"]"#);
    let mut next = Client::new(Namespace::default(), client.recovery());
    let mut reader = PacketReader::new(WireLimits::default());
    let mut flood = || {
        let read = reader
            .read(Frame::Text(r#"2["x"]"#.to_owned()))
            .expect("good");
        next.receive(read.expect("whole"), arity).err()
    };
    let error = (0..=MOST_EARLY).find_map(|_| flood());
    assert_eq!(error, Some(WireError::TooLarge));
    assert_eq!(next.recovery(), None);
}
