//! The golden scenarios of `tests/scenarios`, played by the command against the real Socket.IO
//! server: the same files, and the same traces as far as the command shows what they tell.

mod player;
mod trace;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Mutex, thread};

use serde_json::Value;

use self::{player::Player, trace::Trace};

/// What the command does not do, and the scenario that is therefore left to the other players.
const BEYOND: [(&str, &str); 1] = [(
    "begin_offline",
    "a session begins no conversation without the server",
)];

/// Played at a time: each is a server, and a command that mostly waits.
const BESIDE: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios")
}

fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).expect("scenarios").flatten();
    let files = files.map(|entry| entry.path());
    let files = files.filter(|file| file.extension().is_some_and(|kind| kind == "json"));
    let names = files.map(|file| {
        file.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The kept trace: the backend's own where it has one.
fn kept(name: &str) -> Trace {
    let own = folder().join(format!("socketio/{name}.trace"));
    let common = folder().join(format!("{name}.trace"));
    let text = fs::read_to_string(own).or_else(|_| fs::read_to_string(common));
    Trace::read(&text.expect("a trace"))
}

/// Why a scenario is not played.
fn skipped(name: &str) -> Option<String> {
    let beyond = BEYOND.iter().find(|(other, _)| *other == name);
    let beyond = beyond.map(|(_, reason)| (*reason).to_owned());
    beyond.or_else(|| kept(name).skipped)
}

/// Plays one, and holds each step against the kept trace.
fn play(name: &str) {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).expect("a scenario");
    let scenario: Value = serde_json::from_str(&text).expect("json");
    let kept = kept(name);
    let mut player = Player::start(&scenario);
    let steps = scenario["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), kept.steps.len(), "{name}");
    for (number, (step, due)) in steps.iter().zip(&kept.steps).enumerate() {
        let verb = step["do"].as_str().expect("a verb");
        if let Some(told) = player.perform(step) {
            let due = trace::as_shown(verb, due);
            assert_eq!(told, due, "{name}, step {}: {step}", number + 1);
        }
    }
}

#[test]
fn what_this_backend_can_is_played_through_the_command() {
    let names = names();
    let reasons: BTreeMap<_, _> = names
        .iter()
        .filter_map(|name| Some((name.clone(), skipped(name)?)))
        .collect();
    let due: Vec<_> = names
        .iter()
        .filter(|name| !reasons.contains_key(*name))
        .collect();
    assert!(
        due.len() >= 19,
        "{} played; left out: {reasons:#?}",
        due.len()
    );
    let queue = Mutex::new(due.into_iter());
    let next = || queue.lock().expect("the queue").next();
    thread::scope(|threads| {
        for _ in 0..BESIDE {
            threads.spawn(|| {
                while let Some(name) = next() {
                    play(name);
                }
            });
        }
    });
}
