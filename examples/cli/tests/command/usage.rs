//! Help, usage, settings: what is said before anything is done.

use crate::support::{Place, bare, run};

const COMMANDS: [&str; 26] = [
    "demo",
    "chat",
    "create",
    "conversations",
    "history",
    "send",
    "session",
    "watch",
    "outbox",
    "retry",
    "cancel",
    "flush",
    "explain",
    "search",
    "read",
    "archive",
    "edit-message",
    "delete-message",
    "draft",
    "stop",
    "complete",
    "delete",
    "export",
    "import",
    "config",
    "doctor",
];

#[test]
fn every_command_has_help() {
    for command in COMMANDS {
        let output = bare().args([command, "--help"]).output().expect("run");
        assert!(output.status.success(), "{command}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("--url"), "{command}");
        assert!(text.contains("TIDINGS_URL"), "{command}");
    }
}

#[test]
fn help_never_shows_a_secret_of_the_environment() {
    let output = bare()
        .arg("--help")
        .env("TIDINGS_TOKEN", "s3cret-token")
        .env("TIDINGS_API_KEY", "s3cret-key")
        .output()
        .expect("run");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("s3cret"));
}

#[test]
fn what_cannot_be_meant_is_exit_2_and_an_error_line() {
    for args in [
        &["send"][..],
        &["nonsense"],
        &["send", "c1"],
        &["outbox", "--backend", "pigeon"],
        &["send", "c1", "hi", "--timeout", "soon"],
        &["history", "c1", "--before", "yesterday"],
        &["send", "c1", "hi"],
        &["flush"],
        &["chat"],
        &["doctor"],
    ] {
        let ran = run(bare().arg("--json").args(args));
        assert_eq!(ran.code, 2, "{args:?} {ran:?}");
        assert_eq!(ran.error()["code"], "usage", "{args:?}");
    }
}

#[test]
fn an_undocumented_setting_is_exit_2_with_a_typed_error() {
    for (pair, code) in [
        ("poll.often=1s", "config.unknown_key"),
        ("poll.active=soon", "config.bad_value"),
        ("poll.active=1ms", "config.out_of_bounds"),
        ("dialect=klingon", "config.bad_value"),
        ("poll.active", "config.bad_value"),
    ] {
        let ran = run(bare().args(["--json", "--config", pair, "config"]));
        ran.assert_fails(2, code);
        assert_eq!(ran.error()["field"], "config");
    }
}

#[test]
fn config_lists_every_key_of_the_contract_with_default_and_reason() {
    let ran = run(bare().args(["--json", "config"]));
    ran.assert_done();
    let names: Vec<&str> = ran
        .lines
        .iter()
        .filter_map(|line| line["name"].as_str())
        .collect();
    for key in [
        "poll.adaptive",
        "poll.active",
        "poll.recent",
        "poll.idle",
        "poll.fixed",
        "dial.timeout",
        "ready.timeout",
        "keepalive.interval",
        "probe.after",
        "probe.timeout",
        "reconnect.base",
        "reconnect.max",
        "reconnect.max_attempts",
        "reconnect.stable",
        "send.attempt_timeout",
        "send.base",
        "send.max",
        "send.max_attempts",
        "send.expiry",
        "reconcile.grace",
        "turn.inactivity",
        "http.timeout",
        "history.page",
        "max_live",
        "dialect",
    ] {
        assert!(names.contains(&key), "{key}");
    }
}

#[test]
fn options_come_from_the_environment_too() {
    let ran = run(bare()
        .arg("config")
        .env("TIDINGS_JSON", "1")
        .env("TIDINGS_CONFIG", "poll.active=4s,max_live=3"));
    ran.assert_done();
    let value = |name: &str| {
        let line = ran
            .lines
            .iter()
            .find(|line| line["name"] == name)
            .expect("line");
        line["value"].as_str().expect("value").to_owned()
    };
    assert_eq!(
        (value("poll.active").as_str(), value("max_live").as_str()),
        ("4s", "3")
    );
}

#[test]
fn l10_an_address_that_is_no_origin_is_refused_by_name() {
    let place = Place::new();
    for url in [
        "http://127.0.0.1:1/api",
        "http://127.0.0.1:1?x=1",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://",
        "http://user:secret@127.0.0.1:1",
        "\u{1f980}",
    ] {
        let ran = run(place.offline().args(["--url", url, "send", "c1", "hi"]));
        ran.assert_fails(2, "config.bad_url");
        assert!(!ran.stderr.contains("secret"));
    }
}

#[test]
fn a_backend_that_is_not_in_this_build_is_unsupported() {
    for backend in ["apigateway", "gateway"] {
        let args = [
            "--json",
            "--backend",
            backend,
            "--url",
            "http://127.0.0.1:1",
            "flush",
        ];
        run(bare().args(args)).assert_fails(5, "unsupported");
    }
}

#[test]
fn without_json_people_read_text_and_errors_go_to_stderr() {
    let place = Place::new();
    let output = bare()
        .arg("--url")
        .arg(place.backend.url())
        .arg("--store")
        .arg(place.path("s"))
        .args(["history", "no-such-conversation"])
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(7));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("error: not found"), "{text}");
}
