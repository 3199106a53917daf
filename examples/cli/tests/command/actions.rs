//! What is no message waits for the network like one, and says how it ended.

use serde_json::Value;
use tidings_backend::{BackendConfig, Network};

use crate::support::{Place, Ran, run};

const EXTENDED: [&str; 2] = ["--config", "consultations.extensions=true"];

fn extended() -> Place {
    Place::with(BackendConfig {
        extensions: true,
        ..BackendConfig::default()
    })
}

fn with(place: &Place, args: &[&str]) -> Ran {
    run(place.command().args(EXTENDED).args(args))
}

fn sent(place: &Place, id: &str, text: &str) -> String {
    let sent = with(place, &["send", id, text, "--wait", "reply"]);
    sent.assert_done();
    let key = sent.of("accepted")[0]["id"].as_str();
    key.expect("an id").to_owned()
}

fn last(ran: &Ran, field: &str) -> Value {
    ran.of("delivery").last().expect("a delivery")[field].clone()
}

#[test]
fn an_edit_and_a_deletion_wait_for_the_network() {
    let place = extended();
    let id = place.create("nutritionist");
    let (edited, deleted) = (sent(&place, &id, "frist"), sent(&place, &id, "oops"));
    place.network(Network::Refuse);
    let edit = with(
        &place,
        &["edit-message", &edited, "first", "--timeout", "1"],
    );
    edit.assert_fails(124, "timeout");
    assert_eq!(
        (&edit.lines[0]["text"], &edit.lines[0]["pending"]),
        (&"first".into(), &"edit".into())
    );
    let delete = with(&place, &["delete-message", &deleted, "--timeout", "1"]);
    delete.assert_fails(124, "timeout");
    let waiting = place.run_offline(&["outbox"]);
    let kinds: Vec<&Value> = waiting.lines.iter().map(|line| &line["action"]).collect();
    assert_eq!(kinds, ["edit", "delete"]);
    place.network(Network::Up);
    with(&place, &["flush"]).assert_done();
    assert!(place.run_offline(&["outbox"]).lines.is_empty());
    assert_eq!(
        (place.copies(&id, "first"), place.copies(&id, "oops")),
        (1, 0)
    );
}

#[test]
fn what_waits_can_be_taken_back() {
    let place = extended();
    let id = place.create("nutritionist");
    let key = sent(&place, &id, "as it was");
    place.network(Network::Refuse);
    with(&place, &["edit-message", &key, "worse", "--timeout", "1"]).assert_fails(124, "timeout");
    let waiting = place.run_offline(&["outbox"]);
    let action = waiting.lines[0]["id"].as_str().expect("an id");
    let gone = place.run_offline(&["cancel", action]);
    gone.assert_done();
    assert_eq!(last(&gone, "state"), "cancelled");
    let shown = place.run_offline(&["history", &id]);
    assert!(shown.lines.iter().any(|line| line["text"] == "as it was"));
    place
        .run_offline(&["cancel", action])
        .assert_fails(7, "not_found");
}

#[test]
fn an_edit_of_what_was_not_sent_needs_no_server() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let queued = place.run(&["send", &id, "raw", "--wait", "none"]);
    let key = queued.lines[0]["id"].as_str().expect("an id");
    place.run(&["edit-message", key, "well done"]).assert_done();
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    assert_eq!(
        (place.copies(&id, "raw"), place.copies(&id, "well done")),
        (0, 1)
    );
    let late = place.run(&["edit-message", key, "too late"]);
    late.assert_fails(5, "unsupported");
    place.run(&["stop", &id]).assert_fails(5, "unsupported");
}

#[test]
fn a_conversation_begun_offline_is_created_once() {
    let place = Place::new();
    place.network(Network::Refuse);
    let begun = place.run(&[
        "create",
        "--persona",
        "triage",
        "--queue",
        "--first",
        "hello",
        "--timeout",
        "1",
    ]);
    begun.assert_fails(124, "timeout");
    let local = begun.of("conversation")[0]["id"].as_str().expect("an id");
    assert!(local.starts_with("local:"), "{local}");
    assert_eq!(begun.of("accepted").len(), 1);
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    let listed = place.run(&["conversations", "--refresh"]);
    assert_eq!(listed.lines.len(), 1);
    let id = listed.lines[0]["id"].as_str().expect("an id");
    assert_ne!(id, local);
    assert_eq!(place.copies(id, "hello"), 1);
    // The name it had leads there.
    place.run(&["send", local, "again"]).assert_done();
    assert_eq!(place.copies(id, "again"), 1);
    let online = place.run(&["create", "--persona", "nutritionist", "--queue"]);
    online.assert_done();
    let named = online.of("conversation").last().expect("a line")["id"].clone();
    assert!(!named.as_str().expect("an id").starts_with("local:"));
}

#[test]
fn an_end_closes_at_once_and_is_told_later() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let done = place.run(&["complete", &id, "--timeout", "1"]);
    done.assert_fails(124, "timeout");
    assert_eq!(done.lines[0]["status"], "completed");
    place
        .run(&["send", &id, "late", "--wait", "none"])
        .assert_fails(5, "conversation.not_active");
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    let listed = place.run(&["conversations", "--refresh"]);
    assert_eq!(listed.lines[0]["status"], "completed");
}

#[test]
fn a_draft_is_kept_without_a_server() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let kept = place.run_offline(&["draft", &id, "half a sentence"]);
    assert_eq!(kept.lines[0]["draft"], "half a sentence");
    place.run(&["conversations", "--refresh"]).assert_done();
    let listed = place.run_offline(&["conversations"]);
    assert_eq!(listed.lines[0]["draft"], "half a sentence");
    let gone = place.run_offline(&["draft", &id]);
    assert!(gone.lines[0].get("draft").is_none());
}
