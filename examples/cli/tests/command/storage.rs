//! The store's file as a whole: its size, its end, and what a damage leaves.

use crate::support::Place;

/// Accepts a message that nobody is there to take.
fn unsent(place: &Place, conversation: &str, text: &str) {
    let mut command = place.offline();
    command.args(["--url", "http://127.0.0.1:9", "send", conversation, text]);
    crate::support::run(command.args(["--wait", "none"])).assert_done();
}

#[test]
fn a_damaged_store_keeps_what_is_unsent_and_watch_tells_of_it_once() {
    let place = Place::new();
    let id = place.create("nutritionist");
    unsent(&place, &id, "kept over the damage");
    let store = place.path("store.sqlite3");
    let bytes = std::fs::read(&store).expect("a store");
    let noise: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
    std::fs::write(&store, noise).expect("written");
    let outbox = place.run_offline(&["outbox"]);
    outbox.assert_done();
    assert_eq!(outbox.lines.len(), 1, "{:?}", outbox.lines);
    let watched = place.run(&["watch", &id, "--for", "3"]);
    let told = watched.of("salvaged");
    assert_eq!(told.len(), 1, "{:?}", watched.lines);
    assert_eq!(told[0]["unsent"], 1);
    let kept = told[0]["kept"].as_str().expect("a name");
    assert!(store.with_file_name(kept).exists(), "{kept}");
    let again = place.run(&["watch", &id, "--for", "1"]);
    assert_eq!(again.of("salvaged").len(), 0);
}

#[test]
fn a_wipe_is_asked_for_twice_and_leaves_nothing() {
    let place = Place::new();
    let id = place.create("nutritionist");
    unsent(&place, &id, "soon gone");
    let full = place.run_offline(&["storage"]);
    full.assert_done();
    assert_eq!(full.lines[0]["unsent"], 1);
    assert!(
        full.lines[0]["journal"].as_u64() >= Some(1),
        "it was accepted"
    );
    assert_eq!(full.lines[0]["gaps"], 0);
    place.run_offline(&["vacuum"]).assert_done();
    let refused = place.run_offline(&["wipe"]);
    assert_eq!(refused.code, 2);
    place.run_offline(&["wipe", "--yes"]).assert_done();
    assert!(!place.path("store.sqlite3").exists());
    let empty = place.run_offline(&["storage"]);
    assert_eq!(empty.lines[0]["messages"], 0);
}
