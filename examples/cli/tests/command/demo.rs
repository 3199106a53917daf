//! `demo --script`: every step is seen, and none without its cause.

use crate::support::{Ran, bare, run};

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
