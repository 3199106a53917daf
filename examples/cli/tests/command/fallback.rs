//! The WebSocket and what stands in for it, seen from outside.

use serde_json::json;
use tidings_backend::{Action, Backend, Network, On, Rule};

use crate::support::{Place, bare, run};

#[test]
fn over_the_websocket_no_polling_starts() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["-v", "send", &id, "hello", "--wait", "reply"]);
    ran.assert_done();
    assert!(!ran.stderr.contains("polling.started"), "{}", ran.stderr);
    let mut transports = ran
        .of("connection")
        .into_iter()
        .map(|line| &line["transport"]);
    assert_eq!(transports.next_back(), Some(&json!("websocket")));
    let posts = place
        .backend
        .requests()
        .into_iter()
        .filter(|r| r.method == "POST" && r.path.ends_with("/messages"));
    assert_eq!(posts.count(), 0, "the message went over the WebSocket");
}

#[test]
fn f03_f04_where_the_upgrade_is_refused_rest_and_polling_carry_the_turn() {
    for action in [
        Action::Refuse,
        Action::Status {
            code: 403,
            headers: std::collections::BTreeMap::new(),
            body: String::new(),
            content_type: "text/plain".to_owned(),
        },
    ] {
        let place = Place::new();
        let id = place.create("nutritionist");
        let rule = Rule::new(On::Upgrade, action).times(0);
        place.backend.faults().add(rule).expect("rule");
        let ran = place.run(&["-v", "send", &id, "hello", "--wait", "reply"]);
        ran.assert_done();
        assert!(ran.stderr.contains("polling.started"), "{}", ran.stderr);
        assert!(ran.of("stream").iter().all(|line| line["phase"] != "delta"));
        assert_eq!(ran.lines.last().expect("line")["role"], "assistant");
        assert_eq!(place.copies(&id, "hello"), 1);
        place.assert_agreement(&id);
    }
}

#[test]
fn l92_cut_during_a_chat_the_next_reply_comes_by_polling_once() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut session = place.start(&["session"]);
    session.tell(&json!({"cmd": "open", "conversation": id}));
    session.until("live", |line| line["state"] == "live");
    session.tell(&json!({"cmd": "send", "text": "short one"}));
    session.until("answered", |line| line["phase"] == "completed");
    place.network(Network::NoWebsocket);
    session.until("polling", |line| line["transport"] == "polling");
    session.tell(&json!({"cmd": "send", "text": "short two"}));
    session.until("the answer by polling", |line| {
        line["type"] == "timeline"
            && line["message"]["text"] == "Got it: short two"
            && line["message"]["server_id"].is_string()
    });
    place.network(Network::Up);
    session.until("live again", |line| line["state"] == "live");
    session.tell(&json!({"cmd": "quit", "ref": "q"}));
    session.result("q");
    assert_eq!(session.end().0, 0);
    assert_eq!(place.copies(&id, "short two"), 1);
    place.assert_agreement(&id);
}

#[test]
fn l40_l86_a_conversation_that_only_the_server_knows_connects_and_is_never_deleted() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place
        .run(&["send", &id, "short one", "--wait", "reply"])
        .assert_done();
    let mut other = bare();
    other.arg("--json").arg("--url").arg(place.backend.url());
    other.arg("--store").arg(place.path("other.sqlite3"));
    let ran = run(other.args(["send", &id, "short two", "--wait", "reply"]));
    ran.assert_done();
    assert_eq!(ran.lines.last().expect("line")["position"], 3);
    place.assert_agreement(&id);
    let deletes = place
        .backend
        .requests()
        .into_iter()
        .filter(|r| r.method == "DELETE");
    assert_eq!(deletes.count(), 0);
}

#[test]
fn l39_creating_in_a_session_connects_whether_new_or_existing() {
    let place = Place::new();
    for existed in [false, true] {
        let mut session = place.start(&["session"]);
        let create = json!({
            "cmd": "create", "persona": "triage", "context_type": "goal", "context_id": "g1",
            "ref": "c",
        });
        session.tell(&create);
        let row = session.until("conversation", |line| line["type"] == "conversation");
        assert_eq!(row["existed"], existed);
        session.until("live", |line| {
            line["state"] == "live" && line["conversation"] == row["id"]
        });
        assert_eq!(session.end().0, 0);
        place.until("the socket is closed", |backend: &Backend| {
            backend.sockets().is_empty()
        });
    }
}

#[test]
fn f27_a_direct_send_whose_ack_was_lost_is_found_and_not_sent_again() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let lost = Rule::new(On::Http, Action::LostAck)
        .method("POST")
        .path("*/messages");
    place.backend.faults().add(lost).expect("rule");
    let ran = place.run(&["send", &id, "hello", "--mode", "direct"]);
    ran.assert_done();
    let states: Vec<&str> = ran
        .of("delivery")
        .iter()
        .filter_map(|line| line["state"].as_str())
        .collect();
    assert!(states.contains(&"uncertain"), "{states:?}");
    assert_eq!(states.last(), Some(&"sent"));
    assert_eq!(place.copies(&id, "hello"), 1);
}
