//! `doctor`: what stands between this machine and the backend.

use tidings_backend::{BackendConfig, Network, StaticToken};

use crate::support::{Place, Ran, run};

fn checks(ran: &Ran) -> Vec<(String, bool, bool)> {
    let lines = ran.of("check").into_iter();
    let flag = |value: &serde_json::Value| value.as_bool().expect("flag");
    lines
        .map(|line| {
            let name = line["name"].as_str().expect("name").to_owned();
            (name, flag(&line["ok"]), flag(&line["skipped"]))
        })
        .collect()
}

const NAMES: [&str; 11] = [
    "url",
    "dns",
    "tcp",
    "tls",
    "auth",
    "rest",
    "websocket",
    "first_frame",
    "keepalive",
    "polling",
    "store",
];

#[test]
fn a_healthy_backend_passes_every_check_and_nothing_is_created() {
    let place = Place::new();
    let before = place.run(&["doctor"]);
    before.assert_done();
    assert!(checks(&before).iter().all(|(_, ok, _)| *ok));
    place.create("nutritionist");
    place.backend.forget_records();
    let ran = place.run(&["doctor"]);
    ran.assert_done();
    let seen = checks(&ran);
    let names: Vec<&str> = seen.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, NAMES);
    for (name, ok, skipped) in &seen {
        assert!(ok, "{name}");
        assert_eq!(*skipped, name == "tls", "{name}");
    }
    let requests = place.backend.requests();
    assert!(
        requests.iter().all(|request| request.method == "GET"),
        "{requests:?}"
    );
}

#[test]
fn a_failed_check_is_exit_4_and_says_what_to_do() {
    let place = Place::new();
    place.create("nutritionist");
    place.network(Network::Refuse);
    let ran = place.run(&["doctor"]);
    ran.assert_fails(4, "doctor.failed");
    let tcp = ran
        .of("check")
        .into_iter()
        .find(|line| line["name"] == "tcp")
        .expect("tcp");
    assert_eq!(
        (&tcp["ok"], &tcp["skipped"]),
        (&false.into(), &false.into())
    );
    assert!(tcp["advice"].is_string());
    assert_eq!(ran.of("check").last().expect("store")["ok"], true);
}

#[test]
fn a_proxy_that_drops_websockets_is_found() {
    let place = Place::new();
    place.create("nutritionist");
    place.network(Network::NoWebsocket);
    let ran = place.run(&["doctor"]);
    assert_eq!(ran.code, 4);
    let failed: Vec<String> = checks(&ran)
        .into_iter()
        .filter(|(_, ok, skipped)| !ok && !skipped)
        .map(|(n, ..)| n)
        .collect();
    assert_eq!(failed, ["websocket"]);
    let polling = ran
        .of("check")
        .into_iter()
        .find(|line| line["name"] == "polling")
        .expect("polling");
    assert_eq!(polling["ok"], true);
}

#[test]
fn a_refused_token_is_found() {
    let place = Place::with(BackendConfig {
        sign_in_required: true,
        tokens: vec![StaticToken::new("good", "ann")],
        ..BackendConfig::default()
    });
    let ran = run(place.command().args(["--token", "bad", "doctor"]));
    assert_eq!(ran.code, 4);
    let auth = ran
        .of("check")
        .into_iter()
        .find(|line| line["name"] == "auth")
        .expect("auth");
    assert_eq!(auth["code"], "sign_in_required");
}
