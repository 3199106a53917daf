//! `session` and `watch`: one client for a whole script.

use serde_json::json;
use tidings_backend::{Backend, Network};

use crate::support::Place;

#[test]
fn l90_l52_switching_a_b_a_keeps_one_socket_each_and_crosses_nothing() {
    let place = Place::new();
    let (a, b) = (place.create("nutritionist"), place.create("triage"));
    let mut session = place.start(&["session"]);
    for (n, (shown, left)) in [(&a, &b), (&b, &a), (&a, &b)].into_iter().enumerate() {
        let (open, send) = (format!("open{n}"), format!("send{n}"));
        session.tell(&json!({"cmd": "open", "conversation": shown, "ref": open}));
        assert_eq!(session.result(&open)["ok"], true);
        session.until("live", |line| {
            line["state"] == "live" && line["conversation"] == **shown
        });
        place.until("the other's socket is closed", |backend: &Backend| {
            backend.sockets_of(left).is_empty() && backend.sockets_of(shown).len() == 1
        });
        let text = format!("short {n}");
        session.tell(&json!({"cmd": "send", "text": text, "ref": send}));
        session.until("answered", |line| line["phase"] == "completed");
    }
    session.tell(&json!({"cmd": "quit", "ref": "q"}));
    session.result("q");
    for line in session
        .seen
        .iter()
        .filter(|line| line["type"] == "timeline")
    {
        let message = &line["message"];
        assert!(message.is_null() || message["conversation"] == line["conversation"]);
    }
    assert_eq!(session.end().0, 0);
    place.assert_agreement(&a);
    place.assert_agreement(&b);
    assert_eq!(
        (
            place.copies(&a, "short 0"),
            place.copies(&b, "short 1"),
            place.copies(&a, "short 2")
        ),
        (1, 1, 1)
    );
}

#[test]
fn conversations_can_be_held_side_by_side_and_closed() {
    let place = Place::new();
    let (a, b) = (place.create("nutritionist"), place.create("triage"));
    let mut session = place.start(&["session"]);
    session.tell(&json!({"cmd": "open", "conversation": a}));
    session.tell(&json!({"cmd": "open", "conversation": b, "keep": true}));
    place.until("both are open", |backend: &Backend| {
        backend.sockets_of(&a).len() == 1 && backend.sockets_of(&b).len() == 1
    });
    session.tell(&json!({"cmd": "close", "conversation": a, "ref": "c"}));
    session.result("c");
    place.until("one is closed", |backend: &Backend| {
        backend.sockets_of(&a).is_empty() && backend.sockets_of(&b).len() == 1
    });
    assert_eq!(session.end().0, 0);
}

#[test]
fn in_the_background_everything_is_let_go_and_taken_up_again() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut session = place.start(&["session"]);
    session.tell(&json!({"cmd": "open", "conversation": id}));
    session.until("live", |line| line["state"] == "live");
    session.tell(&json!({"cmd": "background", "deadline": "200ms", "ref": "b"}));
    assert_eq!(session.result("b")["ok"], true);
    place.until("the socket is closed", |backend: &Backend| {
        backend.sockets().is_empty()
    });
    session.tell(&json!({"cmd": "foreground", "ref": "f"}));
    session.until("live again", |line| line["state"] == "live");
    session.tell(&json!({"cmd": "send", "text": "short back", "ref": "s"}));
    session.until("answered", |line| line["phase"] == "completed");
    assert_eq!(session.end().0, 0);
    place.assert_agreement(&id);
}

#[test]
fn every_command_ends_with_one_result_under_its_reference() {
    let place = Place::new();
    let mut session = place.start(&["session"]);
    session.tell(&json!({"cmd": "create", "persona": "triage", "first": "short hi", "ref": [1]}));
    let created = session.until("result", |line| line["type"] == "result");
    assert_eq!(
        (&created["ref"], &created["ok"]),
        (&json!([1]), &json!(true))
    );
    let kinds: Vec<_> = session
        .seen
        .iter()
        .filter(|l| l["ref"] == json!([1]))
        .map(|l| l["type"].clone())
        .collect();
    assert_eq!(kinds, ["conversation", "accepted", "result"]);
    session.until("answered", |line| line["phase"] == "completed");
    for (n, (command, ok)) in [
        (json!({"cmd": "read"}), true),
        (json!({"command": "history", "limit": 1}), true),
        (
            json!({"cmd": "history", "refresh": true, "include_deleted": true}),
            true,
        ),
        (json!({"type": "typing", "active": true}), false),
        (json!({"cmd": "stop"}), false),
        (json!({"cmd": "network", "change": "changed"}), true),
        (json!({"cmd": "network", "change": "sideways"}), false),
        (json!({"cmd": "cancel", "message": "nothing"}), false),
        (json!({"cmd": "dance"}), false),
        (json!({"cmd": "send", "text": " "}), false),
        (json!({"cmd": "close"}), true),
        (json!({"cmd": "send", "text": "to whom?"}), false),
    ]
    .into_iter()
    .enumerate()
    {
        let reference = format!("r{n}");
        let mut command = command;
        command["ref"] = json!(reference);
        session.tell(&command);
        assert_eq!(session.result(&reference)["ok"], ok, "{command}");
    }
    assert_eq!(session.end().0, 0);
}

#[test]
fn lines_that_are_no_command_are_said_and_the_session_goes_on() {
    let place = Place::new();
    let mut session = place.start(&["session"]);
    for line in ["{", "[]", "42", "\u{1f980}", "{\"cmd\":7}"] {
        session.tell_text(line);
        session.until("an error", |line| line["type"] == "error");
    }
    session.tell(&json!({"cmd": "quit", "ref": "q"}));
    assert_eq!(session.result("q")["ok"], true);
    assert_eq!(session.end().0, 0);
}

#[test]
fn watch_follows_other_devices_and_ends_cleanly_by_signal() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut watch = place.start(&["watch", &id]);
    watch.until("live", |line| line["state"] == "live");
    let mut other = crate::support::bare();
    other.arg("--json").arg("--url").arg(place.backend.url());
    other.arg("--store").arg(place.path("other.sqlite3"));
    crate::support::run(other.args(["send", &id, "short from elsewhere"])).assert_done();
    watch.until("the answer", |line| {
        line["type"] == "timeline"
            && line["message"]["role"] == "assistant"
            && line["message"]["server_id"].is_string()
    });
    watch.signal("INT");
    assert_eq!(watch.end().0, 0);
    place.until("the socket is closed", |backend: &Backend| {
        backend.sockets().is_empty()
    });
}

#[test]
fn watch_ends_when_synchronised_or_when_its_time_is_up() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place
        .run(&["watch", &id, "--until-synced", "--for", "30"])
        .assert_done();
    place.run(&["watch", &id, "--for", "0.2"]).assert_done();
    place.network(Network::Refuse);
    place
        .run(&["watch", &id, "--until-synced", "--for", "0.5"])
        .assert_fails(124, "timeout");
}
