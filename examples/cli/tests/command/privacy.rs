//! Logs have ids only.

use tidings_backend::{BackendConfig, Secret, StaticToken};

use crate::support::{Place, run};

fn guarded() -> Place {
    Place::with(BackendConfig {
        sign_in_required: true,
        tokens: vec![StaticToken::new("t0ken-s3cret", "ann")],
        api_key: Some(Secret::new("k3y-s3cret")),
        ..BackendConfig::default()
    })
}

const KEYS: [&str; 4] = ["--token", "t0ken-s3cret", "--api-key", "k3y-s3cret"];

#[test]
fn l99_inv20_the_most_talkative_log_has_neither_token_nor_key_nor_body() {
    let place = guarded();
    let created = run(place
        .command()
        .args(KEYS)
        .args(["-vv", "create", "--persona", "triage"]));
    let id = created.lines[0]["id"].as_str().expect("id").to_owned();
    for more in [
        &["--wait", "reply"][..],
        &["--mode", "direct"],
        &["--ws-auth", "query", "--wait", "reply"],
    ] {
        let mut command = place.command();
        command
            .args(KEYS)
            .args(["-vv", "send", &id, "b0dy-s3cret"])
            .args(more);
        let ran = run(&mut command);
        ran.assert_done();
        assert!(!ran.stderr.is_empty(), "-vv says something");
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
    assert!(!created.stderr.contains("s3cret"));
}

#[test]
fn info_events_have_their_stable_names() {
    let place = guarded();
    let created = run(place
        .command()
        .args(KEYS)
        .args(["create", "--persona", "triage"]));
    let id = created.lines[0]["id"].as_str().expect("id").to_owned();
    let ran = run(place
        .command()
        .args(KEYS)
        .args(["-v", "send", &id, "short hi", "--wait", "reply"]));
    for name in ["ws.connecting", "ws.connected", "message.received"] {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("polling.started"), "{}", ran.stderr);
    let mut polling = place.command();
    polling.args(KEYS).args([
        "-v",
        "--no-websocket",
        "send",
        &id,
        "short ho",
        "--wait",
        "reply",
    ]);
    let ran = run(&mut polling);
    ran.assert_done();
    for name in ["polling.started", "polling.received", "message.received"] {
        assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("ws.connecting"), "{}", ran.stderr);
}

#[test]
fn without_v_nothing_is_logged() {
    let place = guarded();
    let ran = run(place
        .command()
        .args(KEYS)
        .args(["create", "--persona", "triage"]));
    assert_eq!(ran.stderr, "");
}
