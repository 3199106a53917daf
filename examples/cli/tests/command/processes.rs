//! Several processes on one store, and processes that die.

use tidings_backend::{Action, On, Rule};

use crate::support::Place;

#[test]
fn a_second_process_accepts_and_the_owner_sends() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let mut owner = place.start(&["watch", &id]);
    owner.until("live", |line| line["state"] == "live");
    let ran = place.run(&["send", &id, "through the other", "--wait", "reply"]);
    ran.assert_done();
    assert_eq!(ran.lines[0]["type"], "accepted");
    let answer = ran.lines.last().expect("line");
    assert_eq!(answer["role"], "assistant");
    assert_eq!(place.copies(&id, "through the other"), 1);
    let key = ran.lines[0]["id"].clone();
    owner.until("the owner sent it", |line| {
        line["id"] == key && line["state"] == "sent"
    });
    owner.signal("TERM");
    assert_eq!(owner.end().0, 0);
}

#[test]
fn four_processes_at_once_lose_and_double_nothing() {
    let place = Place::new();
    let id = place.create("nutritionist");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let (place, id) = (&place, &id);
            scope.spawn(move || {
                let text = format!("short {n}");
                place
                    .run(&["send", id, &text, "--wait", "none"])
                    .assert_done();
            });
        }
    });
    place.run(&["flush"]).assert_done();
    for n in 0..4 {
        assert_eq!(place.copies(&id, &format!("short {n}")), 1, "{n}");
    }
    place.assert_agreement(&id);
}

#[test]
fn inv01_inv02_f27_killed_between_apply_and_ack_it_is_there_once() {
    let place = Place::new();
    let id = place.create("nutritionist");
    for round in 0..3 {
        let text = format!("short {round}");
        let trickle = Rule::new(On::Http, Action::SlowBody { bytes_per_sec: 1 });
        let rule = place
            .backend
            .faults()
            .add(trickle.method("POST").path("*/messages"));
        let mut send = place.start(&["send", &id, &text]);
        send.until("accepted", |line| line["type"] == "accepted");
        place.until("applied", |backend| {
            backend.messages(&id).iter().any(|row| row.content == text)
        });
        send.kill();
        place.backend.faults().remove(&rule.expect("rule"));
        let left = place.run_offline(&["outbox"]);
        assert_eq!(left.lines[0]["state"], "sending", "{left:?}");
        place.run(&["flush"]).assert_done();
        assert_eq!(place.copies(&id, &text), 1);
    }
    place.assert_agreement(&id);
}

#[test]
fn inv01_f45_killed_before_anything_left_it_still_goes_out() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(tidings_backend::Network::Blackhole);
    let mut send = place.start(&["send", &id, "short one"]);
    send.until("accepted", |line| line["type"] == "accepted");
    send.kill();
    place.network(tidings_backend::Network::Up);
    place.run(&["flush"]).assert_done();
    assert_eq!(place.copies(&id, "short one"), 1);
    place.assert_agreement(&id);
}
