//! Refusals, backoff, sign-out, and networks that come and go.

use super::*;

/// How long a connection of this many failures waits for its redial.
fn delay_after(line: &mut Line) -> Duration {
    let due = line
        .connection
        .status()
        .retry_at
        .expect("a redial is planned");
    due.since_start().saturating_sub(line.now)
}

// covers: F-14, F-16
#[test]
fn closed_sockets_are_redialled_by_growing_delays_with_jitter() {
    let mut delays = Vec::new();
    let mut line = Line::live();
    line.closed(CloseReason::Code(1001));
    for ceiling in [2, 4, 8, 16, 32, 60, 60, 60] {
        let delay = delay_after(&mut line);
        assert!(delay <= secs(ceiling), "{delay:?} of {ceiling} s");
        delays.push(delay.as_secs_f64() / secs(ceiling).as_secs_f64());
        line.wait(delay);
        line.refuse(blocked());
    }
    delays.dedup();
    assert!(delays.len() > 4, "jitter draws each time anew");
}

// covers: F-14, F-15, F-16
#[test]
fn a_server_that_says_later_or_wrong_is_redialled_later_than_one_that_restarts() {
    let mean = |reason: &CloseReason| {
        let delays = (0..200).map(|seed| {
            let mut line = Line::new(policy());
            line.connection = Connection::new(policy(), seed);
            line.tell(Input::Open { socket: true });
            line.go_live();
            line.closed(reason.clone());
            delay_after(&mut line)
        });
        delays.sum::<Duration>() / 200
    };
    let restart = mean(&CloseReason::Code(1012));
    assert!(restart < ms(1_300), "{restart:?}");
    for later in [
        CloseReason::Code(1013),
        CloseReason::Code(1009),
        CloseReason::Code(4001),
        CloseReason::Violation,
    ] {
        assert!(mean(&later) > restart * 2, "{later:?}");
    }
}

// covers: F-11
#[test]
fn l64_delay_resets_only_after_a_stable_session() {
    let mut line = Line::open();
    for _ in 0..6 {
        line.refuse(blocked());
        let delay = delay_after(&mut line);
        line.wait(delay);
    }
    line.go_live();
    line.wait(secs(6));
    line.closed(CloseReason::Broken);
    let failures = line.connection.failures;
    assert_eq!(failures, 7, "a short life resets nothing");
    let delay = delay_after(&mut line);
    line.wait(delay);
    line.go_live();
    for _ in 0..6 {
        line.wait(secs(5));
        line.heard();
    }
    line.closed(CloseReason::Broken);
    assert_eq!(line.connection.failures, 1);
    assert!(delay_after(&mut line) <= secs(2));
}

// covers: F-03
#[test]
fn a_refusal_that_a_request_does_not_confirm_polls_and_redials_after_a_minute() {
    for kind in [
        FailureKind::NotFound,
        FailureKind::NotAllowed,
        FailureKind::Invalid,
    ] {
        let mut line = Line::open();
        let said = line.refuse(refused(kind));
        assert!(said.contains(&Output::Verify));
        line.tell(Input::Verified(Ok(true)));
        let said = line.wait(ms(59_999));
        assert_eq!(count(&said, is_dial), 0);
        assert!(count(&line.said, is_poll) > 10);
        assert_eq!(line.after(ms(1), is_dial), Some(ms(1)));
    }
}

// covers: F-03
#[test]
fn a_refusal_that_a_request_confirms_closes_the_conversation() {
    let verdicts = [
        Ok(false),
        Err(refused(FailureKind::NotFound)),
        Err(refused(FailureKind::NotAllowed)),
    ];
    for verdict in verdicts {
        let mut line = Line::open();
        line.refuse(refused(FailureKind::NotAllowed));
        line.tell(Input::Verified(verdict));
        assert_eq!(line.state(), ConnectionState::Closed);
        assert_eq!(line.wait(secs(3600)), []);
    }
}

#[test]
fn a_question_that_got_no_answer_leads_to_a_plain_redial() {
    let mut line = Line::open();
    line.refuse(refused(FailureKind::NotFound));
    line.tell(Input::Verified(Err(unreachable())));
    assert!(line.after(secs(2), is_dial).is_some());
}

// covers: F-21
#[test]
fn a_dial_told_to_wait_waits() {
    let mut line = Line::open();
    line.refuse(ServiceError::new(
        FailureKind::RateLimited,
        RetryClass::After(secs(90)),
        Outcome::NotApplied,
        "slow down",
    ));
    assert_eq!(line.after(secs(91), is_dial), Some(secs(90)));
}

// covers: F-18, F-19
#[test]
fn a_refused_token_stops_everything_until_the_app_signs_in() {
    let error = refused(FailureKind::SignInRequired);
    let stops: [fn(&mut Line, ServiceError); 3] = [
        |line, error| drop(line.refuse(error)),
        |line, error| drop(line.tell(Input::CaughtUp(Err(error)))),
        |line, _| drop(line.tell(Input::SignInRequired)),
    ];
    for stop in stops {
        let mut line = Line::open();
        stop(&mut line, error.clone());
        assert_eq!(line.state(), ConnectionState::SignInRequired);
        assert_eq!(line.wait(secs(3600)), []);
        assert!(line.tell(Input::NetworkUp).iter().all(|o| !is_dial(o)));
        assert!(line.tell(Input::Foreground).iter().any(is_dial));
        line.go_live();
    }
}

// covers: F-01
#[test]
fn a_network_that_returns_is_dialled_at_once_with_fresh_delays() {
    let mut line = Line::open();
    line.reads = Some(Err(unreachable()));
    for _ in 0..5 {
        line.refuse(unreachable());
        let delay = delay_after(&mut line);
        line.wait(delay);
    }
    assert_eq!(line.state(), ConnectionState::Offline);
    line.refuse(unreachable());
    assert!(line.tell(Input::NetworkUp).iter().any(is_dial));
    line.refuse(blocked());
    assert!(delay_after(&mut line) <= secs(2));
}

// covers: F-01
#[test]
fn a_network_reported_as_down_is_not_polled_and_does_not_spin() {
    let mut line = Line::live();
    let said = line.tell(Input::NetworkDown);
    assert!(said.iter().any(is_hangup));
    assert_eq!(line.state(), ConnectionState::Offline);
    let said = line.wait(secs(120));
    assert_eq!(count(&said, is_poll), 0);
    assert!(said.len() < 60, "{} things said while offline", said.len());
    let said = line.tell(Input::NetworkUp);
    assert!(said.iter().any(is_dial));
    line.go_live();
}

#[test]
fn a_dial_that_succeeds_against_the_report_is_believed() {
    let mut line = Line::live();
    line.tell(Input::NetworkDown);
    line.after(secs(2), is_dial)
        .expect("the report may be wrong");
    line.go_live();
    line.closed(CloseReason::Broken);
    assert!(line.said.last().is_some() && count(&line.said, is_poll) >= 1);
}

#[test]
fn a_replacement_that_fails_is_no_longer_called_stale() {
    let mut line = Line::live();
    line.reads = Some(Err(unreachable()));
    line.wait(secs(11));
    assert_eq!(line.state(), ConnectionState::Stale);
    line.refuse(unreachable());
    assert_eq!(line.state(), ConnectionState::Offline);
}

// covers: INV-23
#[test]
fn every_state_that_is_not_final_names_what_wakes_it() {
    type Step = fn(&mut Line);
    let steps: [Step; 9] = [
        |line| drop(line.dialled(true)),
        |line| drop(line.refuse(blocked())),
        |line| drop(line.refuse(unreachable())),
        |line| drop(line.closed(CloseReason::Broken)),
        |line| drop(line.tell(Input::Overdue)),
        |line| drop(line.tell(Input::NetworkChanged)),
        |line| drop(line.tell(Input::Undecodable)),
        |line| drop(line.tell(Input::Foreground)),
        |line| drop(line.wait(secs(13))),
    ];
    for first in 0..steps.len() * steps.len() {
        let mut line = Line::open();
        steps[first / steps.len()](&mut line);
        steps[first % steps.len()](&mut line);
        let woken = line.connection.poll_timeout().is_some();
        assert!(
            woken || line.connection.is_dialling(),
            "{:?}",
            line.connection
        );
        assert!(line.after(secs(90), |_| true).is_some() || line.connection.is_dialling());
    }
}
