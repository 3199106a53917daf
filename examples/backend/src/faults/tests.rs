use super::{Action, Event, Faults, On, Rule, rule::path_matches};

#[test]
fn a_path_without_a_star_is_a_prefix() {
    assert!(path_matches("/api/v1", "/api/v1/consultations"));
    assert!(!path_matches("/api/v2", "/api/v1/consultations"));
}

#[test]
fn a_path_with_stars_covers_the_whole_path() {
    assert!(path_matches(
        "*/messages",
        "/api/v1/consultations/1/messages"
    ));
    assert!(!path_matches(
        "*/messages",
        "/api/v1/consultations/1/messages/2"
    ));
    assert!(path_matches(
        "/api/*/messages/*",
        "/api/v1/consultations/1/messages/2"
    ));
    assert!(path_matches("*", ""));
}

#[test]
fn a_rule_spoils_as_many_events_as_it_says_starting_with_the_nth() {
    let faults = Faults::default();
    let id = faults
        .add(Rule::new(On::Connect, Action::Refuse).nth(2).times(2))
        .expect("fits");
    let spoiled: Vec<_> = (0..5)
        .map(|_| faults.decide(&Event::new(On::Connect)).action.is_some())
        .collect();
    assert_eq!(spoiled, [false, true, true, false, false]);
    assert_eq!(faults.applied(&id), 2);
}

#[test]
fn a_rule_without_end_keeps_spoiling() {
    let faults = Faults::default();
    faults
        .add(Rule::new(On::Connect, Action::Refuse).times(0))
        .expect("fits");
    assert!((0..50).all(|_| faults.decide(&Event::new(On::Connect)).action.is_some()));
}

#[test]
fn delays_add_up_and_the_first_other_action_ends_the_search() {
    let faults = Faults::default();
    for action in [Action::Delay { ms: 1 }, Action::Refuse, Action::Drop] {
        faults
            .add(Rule::new(On::Http, action).times(0))
            .expect("fits");
    }
    let decision = faults.decide(&Event::request(On::Http, "GET", "/", None));
    assert_eq!(decision.names(), ["delay", "refuse"]);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let faults = Faults::default();
    for json in [
        r#"{"match":{"on":"connect"},"action":{"kind":"reorder"}}"#,
        r#"{"match":{"on":"ws_out"},"action":{"kind":"replace"}}"#,
        r#"{"match":{"on":"ws_out"},"action":{"kind":"replace","base64":"?"}}"#,
        r#"{"match":{"on":"ws_out","typ":"x"},"action":{"kind":"drop"}}"#,
        r#"[{"match":{"on":"http"},"action":{"kind":"drop"}},{}]"#,
    ] {
        assert!(faults.add_json(json).is_err(), "{json}");
    }
    assert!(
        faults.list().is_empty(),
        "an array is added whole or not at all"
    );
}
