//! `--key-file`: a store that only its key opens, and a build without the cipher that says so.

use crate::support::Place;

fn key_file(place: &Place, name: &str, digit: &str) -> String {
    let path = place.path(name);
    std::fs::write(&path, digit.repeat(64)).expect("written");
    path.display().to_string()
}

#[test]
fn a_file_without_a_key_is_a_mistake_of_the_caller() {
    let place = Place::new();
    let short = place.path("short");
    std::fs::write(&short, "5a5a5a5a").expect("written");
    let short = short.display().to_string();
    let ran = place.run_offline(&["outbox", "--key-file", &short]);
    ran.assert_fails(2, "usage");
    assert!(!ran.stderr.contains("5a5a5a5a"), "{ran:?}");
    let alone = place.run_offline(&["outbox", "--previous-key-file", &short]);
    assert_eq!(alone.code, 2, "{alone:?}");
}

#[cfg(not(feature = "encryption"))]
#[test]
fn a_build_without_the_cipher_refuses_a_key_and_stores_nothing_in_plain() {
    let place = Place::new();
    let key = key_file(&place, "key", "5");
    let ran = place.run_offline(&["outbox", "--key-file", &key]);
    ran.assert_fails(6, "store.no_cipher");
    assert!(!place.path("store.sqlite3").exists(), "nothing was made");
}

#[cfg(feature = "encryption")]
#[test]
fn only_the_key_opens_an_encrypted_store() {
    let place = Place::new();
    let (one, two) = (key_file(&place, "one", "5"), key_file(&place, "two", "7"));
    let before = place.run(&["create", "--persona", "nutritionist", "--key-file", &one]);
    before.assert_done();
    let without = place.run_offline(&["outbox"]);
    without.assert_fails(6, "store.no_key");
    let wrong = place.run_offline(&["outbox", "--key-file", &two]);
    wrong.assert_fails(6, "store.wrong_key");
    let missing = place.run_offline(&["outbox", "--key-file", "/nowhere/at/all"]);
    missing.assert_fails(6, "store.no_key");
    let both = ["--key-file", &two, "--previous-key-file", &one];
    let changed = place.run(&[["conversations", "--refresh"].as_slice(), &both].concat());
    changed.assert_done();
    let after = place.run_offline(&["conversations", "--key-file", &two]);
    after.assert_done();
    assert_eq!(after.of("conversation").len(), 1, "{after:?}");
}
