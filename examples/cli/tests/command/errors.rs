//! The error table of the contract, in both modes.

use std::collections::BTreeMap;

use tidings_backend::{Action, BackendConfig, Network, On, Rule, StaticToken};

use crate::support::{Place, run};

fn status(code: u16, headers: &[(&str, &str)], body: &str) -> Action {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Action::Status {
        code,
        headers,
        body: body.to_owned(),
        content_type: "application/json".to_owned(),
    }
}

fn post(action: Action) -> Rule {
    Rule::new(On::Http, action)
        .method("POST")
        .path("*/messages")
}

/// A place with a conversation, where posting a message meets this.
fn place_with(action: Action, times: u32) -> (Place, String) {
    let place = Place::new();
    let id = place.create("nutritionist");
    place
        .backend
        .faults()
        .add(post(action).times(times))
        .expect("rule");
    (place, id)
}

#[test]
fn f24_f25_each_refusal_has_its_code_and_exit_in_both_modes() {
    for (code, wanted, exit) in [
        (400, "rejected", 5),
        (403, "not_allowed", 3),
        (404, "not_found", 7),
        (422, "rejected", 5),
    ] {
        for mode in ["direct", "durable"] {
            let (place, id) = place_with(status(code, &[], r#"{"error":{"message":"no"}}"#), 0);
            let ran = place.run(&["send", &id, "hello", "--mode", mode]);
            ran.assert_fails(exit, wanted);
            let posts = place.backend.requests().into_iter();
            let posts = posts.filter(|r| r.method == "POST" && r.path.ends_with("/messages"));
            assert_eq!(posts.count(), 1, "{code} is never tried again");
            let states = ran.of("delivery");
            let last = states.last().expect("delivery");
            assert_eq!(last["state"], "failed", "each printed state is final");
            let draft = ran.error().get("draft").and_then(|draft| draft.as_str());
            assert_eq!(
                draft,
                (mode == "direct").then_some("hello"),
                "{code} {mode}"
            );
        }
    }
}

#[test]
fn a_direct_send_that_was_refused_leaves_no_row() {
    let (place, id) = place_with(status(400, &[], "{}"), 0);
    assert_eq!(
        place.run(&["send", &id, "hello", "--mode", "direct"]).code,
        5
    );
    assert!(place.run_offline(&["outbox"]).lines.is_empty());
    assert!(place.run_offline(&["history", &id]).lines.is_empty());
}

#[test]
fn a_direct_send_without_a_network_gives_the_draft_back_at_once() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    let ran = place.run(&["send", &id, "hello", "--mode", "direct"]);
    ran.assert_fails(4, "network.unreachable");
    assert_eq!(ran.error()["draft"], "hello");
    assert_eq!(ran.error()["retryable"], true);
    assert!(place.run_offline(&["outbox"]).lines.is_empty());
}

#[test]
fn a_durable_send_without_a_network_times_out_and_stays_queued() {
    let place = Place::new();
    let id = place.create("nutritionist");
    place.network(Network::Refuse);
    place
        .run(&["send", &id, "hello", "--timeout", "2"])
        .assert_fails(124, "timeout");
    let outbox = place.run_offline(&["outbox"]);
    assert_eq!(outbox.lines.len(), 1);
    assert_eq!(outbox.lines[0]["state"], "queued");
    assert_eq!(outbox.lines[0]["reason"]["code"], "network.unreachable");
}

#[test]
fn f21_too_many_requests_end_a_direct_send_and_only_delay_a_durable_one() {
    let limited = || status(429, &[("retry-after", "1")], "{}");
    let (place, id) = place_with(limited(), 1);
    let ran = place.run(&["send", &id, "hello", "--mode", "direct"]);
    ran.assert_fails(5, "rate_limited");
    assert_eq!(ran.error()["retry_after_ms"], 1000);
    assert_eq!(ran.error()["draft"], "hello");
    let (place, id) = place_with(limited(), 1);
    let ran = place.run(&["send", &id, "hello"]);
    ran.assert_done();
    assert_eq!(place.copies(&id, "hello"), 1);
    let waited = ran
        .of("delivery")
        .into_iter()
        .any(|line| line["reason"]["retry_after_ms"] == 1000);
    assert!(waited || !ran.of("cooldown").is_empty(), "{ran:?}");
}

#[test]
fn f22_l56_too_many_active_conversations_have_a_code_of_their_own() {
    let place = Place::with(BackendConfig {
        max_active: 1,
        ..BackendConfig::default()
    });
    place.create("nutritionist");
    let ran = place.run(&["create", "--persona", "triage"]);
    ran.assert_fails(5, "conversation.too_many_active");
}

#[test]
fn l57_a_closed_conversation_takes_no_message() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let completed = place.run(&["complete", &id]);
    completed.assert_done();
    assert_eq!(completed.lines[0]["status"], "completed");
    let ran = place.run(&["send", &id, "hello"]);
    ran.assert_fails(5, "conversation.not_active");
    assert_eq!(ran.error()["field"], "conversation");
}

#[test]
fn a_refused_token_ends_every_waiting_command_with_3_and_keeps_the_message() {
    let place = Place::with(BackendConfig {
        sign_in_required: true,
        tokens: vec![StaticToken::new("good", "ann")],
        ..BackendConfig::default()
    });
    let ran = run(place
        .command()
        .args(["--token", "good", "create", "--persona", "nutritionist"]));
    let id = ran.lines[0]["id"].as_str().expect("id").to_owned();
    for wait in ["sent", "reply"] {
        let ran = run(place
            .command()
            .args(["--token", "bad", "send", &id, "hello", "--wait", wait]));
        ran.assert_fails(3, "sign_in_required");
    }
    let outbox = place.run_offline(&["outbox"]);
    assert!(
        outbox.lines.iter().all(|line| line["state"] == "queued"),
        "{outbox:?}"
    );
    assert_eq!(outbox.lines.len(), 2);
    run(place.command().args(["--token", "bad", "flush"])).assert_fails(3, "sign_in_required");
    let listed = run(place
        .command()
        .args(["--token", "bad", "conversations", "--refresh"]));
    listed.assert_fails(3, "sign_in_required");
    let direct = run(place
        .command()
        .args(["--token", "bad", "send", &id, "hi", "--mode", "direct"]));
    direct.assert_fails(3, "sign_in_required");
}

#[test]
fn f18_a_token_command_runs_on_start_and_when_the_token_was_refused() {
    let place = Place::with(BackendConfig {
        sign_in_required: true,
        tokens: vec![StaticToken::new("good", "ann")],
        ..BackendConfig::default()
    });
    let counter = place.path("runs");
    let script = format!(
        "echo run >> {0}; if [ $(wc -l < {0}) -gt 1 ]; then echo good; else echo stale; fi",
        counter.display()
    );
    let args = [
        "--token-command",
        &script,
        "create",
        "--persona",
        "nutritionist",
    ];
    run(place.command().args(args)).assert_done();
    let runs = std::fs::read_to_string(&counter).expect("runs");
    assert_eq!(runs.lines().count(), 2, "once on start, once for the 401");
    let args = ["--token-command", "exit 1", "conversations", "--refresh"];
    run(place.command().args(args)).assert_fails(3, "sign_in_required");
}

#[test]
fn what_is_not_there_is_exit_7() {
    let place = Place::new();
    place
        .run_offline(&["history", "nowhere"])
        .assert_fails(7, "not_found");
    place
        .run_offline(&["export", "nowhere"])
        .assert_fails(7, "not_found");
    place
        .run_offline(&["read", "nowhere"])
        .assert_fails(7, "not_found");
    for id in ["no-id", "01a1fd97-9019-7cd0-9bf3-3d21d81d64c3"] {
        for command in ["explain", "cancel"] {
            place
                .run_offline(&[command, id])
                .assert_fails(7, "not_found");
        }
        place.run(&["retry", id]).assert_fails(7, "not_found");
    }
}

#[test]
fn what_the_backend_cannot_do_is_unsupported() {
    let place = Place::new();
    let id = place.create("nutritionist");
    let sent = place.run(&["send", &id, "hello"]);
    let key = sent.lines[0]["id"].as_str().expect("id");
    place.run(&["history", &id, "--refresh"]).assert_done();
    place
        .run(&["delete-message", key])
        .assert_fails(5, "unsupported");
}

#[test]
fn a_store_that_cannot_be_used_is_exit_6() {
    for store in ["/proc/nothing/here", "/"] {
        let args = ["--json", "--store", store, "outbox"];
        let ran = run(crate::support::bare().args(args));
        assert_eq!(ran.code, 6, "{store} {ran:?}");
        assert!(
            ran.error()["code"]
                .as_str()
                .expect("code")
                .starts_with("store.")
        );
    }
}

#[test]
fn a_file_that_is_no_database_is_kept_aside() {
    let place = Place::new();
    let damaged = place.path("damaged");
    std::fs::write(&damaged, b"this is no database").expect("write");
    let args = [
        "--json",
        "--store",
        damaged.to_str().expect("path"),
        "outbox",
    ];
    let ran = run(crate::support::bare().args(args));
    assert_eq!(ran.code, 0, "{ran:?}");
    let home = damaged.parent().expect("a directory");
    let kept = std::fs::read_dir(home).expect("read").any(|file| {
        let file = file.expect("entry").path();
        file.is_file() && std::fs::read(file).is_ok_and(|bytes| bytes == b"this is no database")
    });
    assert!(kept, "its bytes are still there");
}
