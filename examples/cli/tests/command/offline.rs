//! Without a network: accepted, queued, delivered on return; and what needs no network at all.

use tidings_backend::Network;

use crate::support::Place;

#[test]
fn f01_what_is_accepted_offline_is_delivered_on_return_once_and_in_order() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    for text in ["one short", "two short", "three short"] {
        place
            .run(&["send", &id, text, "--wait", "none"])
            .assert_done();
    }
    assert_eq!(place.run_offline(&["outbox"]).lines.len(), 3);
    let left = place.run(&["flush", "--timeout", "1"]);
    left.assert_fails(4, "flush.incomplete");
    assert_eq!(
        left.of("delivery")
            .iter()
            .rev()
            .take(3)
            .filter(|l| l["state"] == "queued")
            .count(),
        3
    );
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    assert!(place.run_offline(&["outbox"]).lines.is_empty());
    let server = place.backend.messages(&id);
    let ours: Vec<&str> = server
        .iter()
        .filter(|row| row.role == "user")
        .map(|row| row.content.as_str())
        .collect();
    assert_eq!(ours, ["one short", "two short", "three short"]);
}

#[test]
fn a_queued_message_can_be_taken_back_without_a_network() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let sent = place.run(&["send", &id, "never mind", "--wait", "none"]);
    let key = sent.lines[0]["id"].as_str().expect("id");
    let cancelled = place.run_offline(&["cancel", key]);
    cancelled.assert_done();
    assert_eq!(cancelled.lines[0]["state"], "cancelled");
    place
        .run_offline(&["cancel", key])
        .assert_fails(5, "message.not_cancellable");
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    assert_eq!(place.copies(&id, "never mind"), 0);
}

#[test]
fn looking_sends_nothing() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let sent = place.run(&["send", &id, "hello", "--wait", "none"]);
    let key = sent.lines[0]["id"].as_str().expect("id").to_owned();
    place.network(Network::Up);
    place.backend.forget_records();
    for args in [
        &["outbox"][..],
        &["history", &id],
        &["conversations"],
        &["explain", &key],
        &["search", "hello"],
        &["export", &id],
        &["archive", &id],
        &["config"],
    ] {
        place.run(args).assert_done();
    }
    assert!(place.backend.requests().is_empty());
}

#[test]
fn explain_tells_the_whole_story() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let sent = place.run(&["send", &id, "hello", "--timeout", "1"]);
    let key = sent.lines[0]["id"].as_str().expect("id").to_owned();
    place.network(Network::Up);
    place.run(&["flush"]).assert_done();
    let story = place.run_offline(&["explain", &key]);
    story.assert_done();
    let names: Vec<&str> = story
        .lines
        .iter()
        .filter_map(|line| line["name"].as_str())
        .collect();
    assert_eq!(names.first(), Some(&"created"), "{names:?}");
    assert!(
        names.contains(&"attempt") && names.contains(&"outcome"),
        "{names:?}"
    );
    assert_eq!(names.last(), Some(&"sent"), "{names:?}");
}
