//! `demo --script`: every step is seen, and none without its cause.

use tempfile::TempDir;

use crate::{
    gateway::Gateway,
    support::{Ran, bare, run},
};

const STEPS: [&str; 8] = [
    "streamed",
    "cut",
    "polling",
    "reconnected",
    "queued_offline",
    "delivered",
    "killed",
    "recovered",
];

fn played(args: &[&str]) -> Ran {
    run(bare().arg("demo").args(args))
}

fn steps(ran: &Ran) -> Vec<(String, bool)> {
    let lines = ran.of("step").into_iter();
    lines
        .map(|line| {
            (
                line["step"].as_str().expect("step").to_owned(),
                line["ok"] == true,
            )
        })
        .collect()
}

#[test]
fn the_script_sees_every_step() {
    let ran = played(&["--script"]);
    ran.assert_done();
    let wanted: Vec<(String, bool)> = STEPS
        .iter()
        .map(|step| ((*step).to_owned(), true))
        .collect();
    assert_eq!(steps(&ran), wanted, "{ran:?}");
    assert!(
        ran.of("step")
            .iter()
            .all(|line| !line["evidence"].as_str().unwrap_or("").is_empty())
    );
}

#[test]
fn without_a_terminal_the_script_is_played() {
    assert_eq!(steps(&played(&[])).len(), STEPS.len());
}

fn breaks(step: &str) {
    let ran = played(&["--script", "--break", step]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let before = STEPS.iter().take_while(|name| **name != step).count();
    for (n, (name, ok)) in steps(&ran).into_iter().enumerate() {
        assert_eq!(ok, n < before, "{name}: {ran:?}");
    }
}

/// What is played on a real gateway: all but the answer that is streamed.
fn steps_of_a_gateway(ran: &Ran, before: &str) {
    let played: Vec<_> = STEPS[1..].iter().map(|step| (*step).to_owned()).collect();
    let seen = played.iter().position(|step| step == before);
    let seen = seen.unwrap_or(played.len());
    let wanted = played
        .into_iter()
        .enumerate()
        .map(|(n, step)| (step, n < seen));
    assert_eq!(steps(ran), wanted.collect::<Vec<_>>(), "{ran:?}");
}

#[test]
fn on_a_gateway_that_is_named_the_script_sees_every_step() {
    let place = Gateway::new(&[]);
    let ran = place.run("ann", &["demo", "--script", "--context-id", "d1"]);
    ran.assert_done();
    steps_of_a_gateway(&ran, "");
    let channel = place.booking("d1", &["ann"]);
    let stored = place.stored(&channel);
    for text in &stored {
        let copies = stored.iter().filter(|other| *other == text).count();
        assert_eq!(copies, 1, "{stored:?}");
    }
    assert_eq!(
        stored.len(),
        6,
        "three messages and their answers: {stored:?}"
    );
}

#[test]
fn on_a_gateway_that_knows_no_keys_the_script_sees_every_step() {
    let place = Gateway::new(&["--dedupe=off"]);
    let keyless = ["--config", "socketio.dedupes=false", "demo", "--script"];
    let ran = place.run("ann", &keyless);
    ran.assert_done();
    steps_of_a_gateway(&ran, "");
}

#[test]
fn without_a_gateway_named_the_repositorys_own_is_played_on() {
    // Its packages are there once another test's server was.
    drop(Gateway::new(&[]));
    let ran = played(&["--backend", "socketio", "--script"]);
    ran.assert_done();
    steps_of_a_gateway(&ran, "");
}

#[test]
fn what_is_withheld_on_a_gateway_is_not_seen() {
    for step in ["cut", "polling", "queued_offline", "killed", "recovered"] {
        let place = Gateway::new(&[]);
        let ran = place.run("ann", &["demo", "--script", "--break", step]);
        assert_eq!(ran.code, 4, "{ran:?}");
        steps_of_a_gateway(&ran, step);
    }
}

#[test]
fn a_demo_that_has_no_server_to_play_on_says_what_it_needs() {
    let elsewhere = TempDir::new().expect("a directory");
    let mut command = bare();
    command.current_dir(&elsewhere);
    let ran = run(command.args(["--json", "--backend", "socketio", "demo", "--script"]));
    ran.assert_fails(2, "usage");
    assert_eq!(ran.error()["field"], "url");
    let encrypted = [
        "--json",
        "--backend",
        "socketio",
        "--url",
        "https://127.0.0.1:1",
        "demo",
    ];
    run(bare().args(encrypted)).assert_fails(2, "usage");
    let streamed = [
        "--json",
        "--backend",
        "socketio",
        "demo",
        "--break",
        "streamed",
    ];
    run(bare().args(streamed)).assert_fails(5, "unsupported");
}

macro_rules! broken {
    ($($name:ident: $step:literal,)*) => {
        $(
            #[test]
            fn $name() {
                breaks($step);
            }
        )*
    };
}

broken! {
    without_streaming_streamed_is_not_seen: "streamed",
    without_a_cut_cut_is_not_seen: "cut",
    without_an_answer_polling_is_not_seen: "polling",
    without_websockets_reconnected_is_not_seen: "reconnected",
    with_a_network_queued_offline_is_not_seen: "queued_offline",
    without_a_network_delivered_is_not_seen: "delivered",
    without_a_kill_killed_is_not_seen: "killed",
    without_the_server_recovered_is_not_seen: "recovered",
}
