//! `send`: accepted, sent, answered.

use std::{io::Write, process::Stdio, time::Duration};

use serde_json::Value;
use tidings_backend::{Action, BackendConfig, Dialect, On, Rule};

use crate::support::{Live, Place};

fn states(lines: &[&Value]) -> Vec<String> {
    let each = lines.iter().filter_map(|line| line["state"].as_str());
    each.map(str::to_owned).collect()
}

#[test]
fn accepted_comes_first_then_the_delivery_to_its_end() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "hello"]);
    ran.assert_done();
    assert_eq!(ran.lines[0]["type"], "accepted");
    let key = ran.lines[0]["id"].clone();
    let deliveries = ran.of("delivery");
    assert!(deliveries.iter().all(|line| line["id"] == key));
    let states = states(&deliveries);
    assert_eq!(states.first().map(String::as_str), Some("queued"));
    assert_eq!(states.last().map(String::as_str), Some("sent"));
    assert_eq!(place.copies(&id, "hello"), 1);
}

#[test]
fn a_reply_is_streamed_read_back_and_printed_as_stored() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "hello", "--wait", "reply"]);
    ran.assert_done();
    let phases: Vec<&str> = ran
        .of("stream")
        .iter()
        .filter_map(|line| line["phase"].as_str())
        .collect();
    assert_eq!(phases.first(), Some(&"started"));
    assert!(phases.iter().filter(|phase| **phase == "delta").count() > 1);
    assert_eq!(phases.last(), Some(&"completed"));
    let answer = ran.lines.last().expect("line");
    assert_eq!(
        (answer["type"].as_str(), answer["role"].as_str()),
        (Some("message"), Some("assistant"))
    );
    let server = place.backend.messages(&id);
    assert_eq!(answer["server_id"].as_str(), Some(server[1].id.as_str()));
    assert_eq!(answer["text"].as_str(), Some(server[1].content.as_str()));
    assert_eq!(answer["position"], 1);
    let streamed: String = ran
        .of("stream")
        .iter()
        .filter_map(|line| line["text"].as_str())
        .collect();
    assert_eq!(answer["text"].as_str(), Some(streamed.as_str()));
    assert!(
        ran.of("stream")
            .iter()
            .all(|line| line["id"] == answer["id"])
    );
    assert_eq!(
        states(&ran.of("delivery")).last().map(String::as_str),
        Some("sent")
    );
    place.assert_agreement(&id);
}

#[test]
fn l71_a_reply_that_comes_whole_ends_the_wait_too() {
    let place = Place::with(BackendConfig {
        dialect: Dialect::S34,
        ..BackendConfig::default()
    });
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "hello", "--wait", "reply"]);
    ran.assert_done();
    assert_eq!(ran.lines.last().expect("line")["role"], "assistant");
    place.assert_agreement(&id);
}

#[test]
fn direct_mode_prints_no_accepted_line_and_waits_alike() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "hello", "--mode", "direct", "--wait", "reply"]);
    ran.assert_done();
    assert!(ran.of("accepted").is_empty());
    assert_eq!(ran.lines.last().expect("line")["role"], "assistant");
    assert_eq!(place.copies(&id, "hello"), 1);
}

#[test]
fn several_texts_and_lines_of_stdin_go_in_order() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut child = place
        .command()
        .args(["send", &id, "one short", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("spawn");
    child
        .stdin
        .take()
        .expect("stdin")
        .write_all(b"two short\nthree short\n")
        .expect("write");
    assert!(child.wait().expect("wait").success());
    let server = place.backend.messages(&id);
    let ours: Vec<&str> = server
        .iter()
        .filter(|row| row.role == "user")
        .map(|row| row.content.as_str())
        .collect();
    assert_eq!(ours, ["one short", "two short", "three short"]);
}

#[test]
fn one_rejected_text_among_several_is_exit_5_and_the_others_go() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "one", "  ", "two"]);
    ran.assert_fails(5, "send.blank");
    assert_eq!(ran.error()["field"], "text");
    assert_eq!(ran.of("accepted").len(), 2);
    assert_eq!((place.copies(&id, "one"), place.copies(&id, "two")), (1, 1));
}

#[test]
fn l76_a_text_over_the_limit_is_refused_before_anything_is_stored() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let long = "🦀".repeat(5_001);
    place
        .run(&["send", &id, &long])
        .assert_fails(5, "send.too_long");
    assert!(place.run_offline(&["outbox"]).lines.is_empty());
    place.run(&["send", &id, &"🦀".repeat(5_000)]).assert_done();
}

#[test]
fn waiting_for_nothing_ends_with_accepted_and_another_run_delivers() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let ran = place.run(&["send", &id, "later", "--wait", "none"]);
    ran.assert_done();
    assert_eq!(
        ran.lines
            .iter()
            .filter(|line| line["type"] == "accepted")
            .count(),
        1
    );
    place.run(&["flush"]).assert_done();
    assert_eq!(place.copies(&id, "later"), 1);
}

#[test]
fn a_context_finds_its_conversation_or_makes_it() {
    let place = Place::new();
    let context = ["--context-type", "goal", "--context-id", "g1"];
    let send = |text: &str, more: &[&str]| {
        let ran = place.run(&[&["send", text][..], &context, more].concat());
        ran.assert_done();
        ran.lines[0]["conversation"]
            .as_str()
            .expect("id")
            .to_owned()
    };
    let made = send("first", &["--persona", "nutritionist"]);
    assert_eq!(send("second", &[]), made);
    assert_eq!(
        (place.copies(&made, "first"), place.copies(&made, "second")),
        (1, 1)
    );
    let ran = place.run(&["conversations"]);
    assert_eq!(ran.lines[0]["context"]["type"], "goal");
    assert_eq!(ran.lines[0]["context"]["id"], "g1");
}

#[test]
fn a_second_message_during_a_slow_answer_waits_and_follows() {
    let place = Place::new();
    place.backend.set_word_delay(Duration::from_millis(60));
    let id = place.create("nutritionist");
    let mut session = place.start(&["session"]);
    session.tell(&serde_json::json!({"cmd": "open", "conversation": id, "ref": "o"}));
    session.until("live", |line| line["state"] == "live");
    session.tell(&serde_json::json!({"cmd": "send", "text": "one", "ref": "a"}));
    session.until("an answer", |line| line["phase"] == "delta");
    session.tell(&serde_json::json!({"cmd": "send", "text": "two", "ref": "b"}));
    let second = session.result("b")["id"].clone();
    session.until("turn_open", |line| {
        line["id"] == second && line["reason"]["code"] == "turn_open"
    });
    session.until("sent", |line| {
        line["id"] == second && line["state"] == "sent"
    });
    session.until("the second answer", |line| line["phase"] == "completed");
    assert_eq!(session.end().0, 0);
    place.assert_agreement(&id);
}

#[test]
fn l72_f34_an_error_frame_ends_the_wait_with_exit_5() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let error = Action::ErrorFrame {
        code: Some("AI_SERVICE_UNAVAILABLE".into()),
        text: "the model is away".into(),
        after_chunks: 2,
    };
    place
        .backend
        .faults()
        .add(Rule::new(On::WsIn, error).frame_type("message"))
        .expect("rule");
    let ran = place.run(&["send", &id, "hello", "--wait", "reply", "--timeout", "30"]);
    ran.assert_fails(5, "answer.failed");
    assert_eq!(ran.of("stream").last().expect("stream")["phase"], "failed");
    assert_eq!(
        states(&ran.of("delivery")).last().map(String::as_str),
        Some("sent")
    );
}

#[test]
fn a_reader_that_goes_away_is_no_defect() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut child = place
        .command()
        .args(["watch", &id])
        .stdout(Stdio::piped())
        .spawn()
        .expect("spawn");
    drop(child.stdout.take());
    let status = child.wait().expect("wait");
    assert_eq!(status.code(), Some(0));
    let live = Live::start(place.command().args(["send", &id, "hi", "--wait", "none"]));
    assert!(live.abandon().success());
}
