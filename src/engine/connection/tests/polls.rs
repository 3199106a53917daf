//! Polling beside a socket that is not live.

use super::*;

// covers: F-04
#[test]
fn refused_dial_is_polled_within_a_quarter_of_a_second() {
    for error in [unreachable(), blocked()] {
        let mut line = Line::open();
        line.refuse(error);
        line.wait(ms(250));
        assert_eq!(count(&line.said, is_poll), 1);
        assert_eq!(line.state(), ConnectionState::Polling);
        assert_eq!(line.light(), Light::Yellow);
        assert!(
            line.connection.status().retry_at.is_some(),
            "the redial has a time"
        );
    }
}

// covers: F-04
#[test]
fn silent_dial_is_polled_beside_within_five_seconds() {
    let mut line = Line::open();
    let first = line.after(secs(5), is_poll);
    assert_eq!(first, Some(secs(3)));
    assert_eq!(line.state(), ConnectionState::Polling);
}

#[test]
fn l13_polling_stops_when_the_socket_is_live() {
    let mut line = Line::open();
    line.refuse(blocked());
    line.wait(secs(20));
    assert_eq!(
        count(&line.said, |o| *o == Output::Polling(true)),
        1,
        "started once"
    );
    line.tell(Input::NetworkUp);
    line.dialled(true);
    let generation = line.generation;
    assert!(
        line.tell(Input::Ready { generation })
            .contains(&Output::Polling(false))
    );
    let mut polled = 0;
    for _ in 0..60 {
        polled += count(&line.wait(secs(5)), is_poll);
        line.heard();
    }
    assert_eq!(polled, 0);
}

#[test]
fn l93_live_conversation_at_rest_makes_no_request() {
    let mut line = Line::live();
    let before = line.said.len();
    for _ in 0..600 {
        line.wait(secs(6));
        line.heard();
    }
    assert_eq!(line.said.len(), before);
}

#[test]
fn l92_dropped_socket_starts_the_polling() {
    let mut line = Line::live();
    line.closed(CloseReason::Broken);
    line.wait(ms(250));
    assert_eq!(count(&line.said, is_poll), 1);
    assert_eq!(line.state(), ConnectionState::Polling);
    assert_eq!(line.connection.status().transport, Transport::Polling);
    assert!(
        line.after(secs(2), is_dial).is_some(),
        "and the socket is dialled again beside it"
    );
}

#[test]
fn l25_poll_error_never_ends_the_polling() {
    let mut line = Line::open();
    line.reads = Some(Err(unreachable()));
    line.refuse(unreachable());
    line.wait(secs(600));
    assert!(
        count(&line.said, is_poll) >= 50,
        "{} polls",
        count(&line.said, is_poll)
    );
    assert_eq!(line.light(), Light::Red);
    line.reads = Some(Ok(()));
    assert!(line.after(secs(12), is_poll).is_some());
    assert_eq!(line.light(), Light::Yellow);
}

#[test]
fn the_cadence_follows_activity() {
    let mut line = Line::new(ConnectionPolicy {
        websocket: false,
        ..policy()
    });
    line.tell(Input::Open { socket: true });
    assert!((14..=16).contains(&count(&line.wait(secs(30)), is_poll)));
    line.wait(secs(10));
    assert_eq!(count(&line.wait(secs(100)), is_poll), 20);
    line.wait(secs(300));
    assert_eq!(count(&line.wait(secs(100)), is_poll), 10);
    line.tell(Input::Activity);
    assert!(
        line.after(secs(2), is_poll).is_some(),
        "activity hastens the next poll"
    );
}

#[test]
fn a_fixed_cadence_stays_and_the_floor_holds() {
    let mut fixed = policy();
    fixed.websocket = false;
    fixed.poll.adaptive = false;
    let mut line = Line::new(fixed);
    line.tell(Input::Open { socket: true });
    line.wait(secs(1));
    assert_eq!(count(&line.wait(secs(300)), is_poll), 100);
    fixed.poll.floor = secs(20);
    let mut line = Line::new(fixed);
    line.tell(Input::Open { socket: true });
    line.wait(secs(1));
    assert_eq!(count(&line.wait(secs(300)), is_poll), 15);
}

#[test]
fn activity_never_brings_two_polls_closer_than_the_floor() {
    let mut line = Line::new(ConnectionPolicy {
        websocket: false,
        ..policy()
    });
    line.tell(Input::Open { socket: true });
    for _ in 0..100 {
        line.wait(ms(100));
        line.tell(Input::Activity);
    }
    assert!(
        count(&line.said, is_poll) <= 11,
        "{}",
        count(&line.said, is_poll)
    );
}

#[test]
fn one_poll_is_under_way_at_a_time() {
    let mut line = Line::open();
    line.reads = None;
    line.refuse(blocked());
    line.wait(secs(60));
    assert_eq!(count(&line.said, is_poll), 1);
    line.tell(Input::CaughtUp(Ok(())));
    assert_eq!(line.after(secs(10), is_poll), Some(secs(5)));
}

// covers: F-21
#[test]
fn a_poll_told_to_wait_waits() {
    let mut line = Line::open();
    line.reads = Some(Err(slow_down(secs(40))));
    line.refuse(blocked());
    line.wait(ms(1));
    assert_eq!(line.after(secs(60), is_poll), Some(ms(39_999)));
}

#[test]
fn a_conversation_without_a_place_for_a_socket_polls_until_one_is_free() {
    let mut line = Line::new(policy());
    let said = line.tell(Input::Open { socket: false });
    assert!(said.contains(&Output::Poll) && !said.iter().any(is_dial));
    let said = line.wait(secs(600));
    assert_eq!(count(&said, is_dial), 0);
    assert!(count(&said, is_poll) > 60);
    assert!(line.tell(Input::Open { socket: true }).iter().any(is_dial));
    line.go_live();
}

#[test]
fn a_conversation_that_loses_its_place_for_a_socket_polls() {
    let mut line = Line::live();
    assert!(
        line.tell(Input::Open { socket: false })
            .iter()
            .any(is_hangup)
    );
    assert!(line.after(secs(3), is_poll).is_some());
    assert_eq!(line.state(), ConnectionState::Polling);
}

#[test]
fn polling_goes_on_after_the_last_redial() {
    let mut line = Line::new(ConnectionPolicy {
        max_attempts: 3,
        ..policy()
    });
    line.tell(Input::Open { socket: true });
    for _ in 0..3 {
        line.refuse(blocked());
        line.wait(secs(70));
    }
    assert_eq!(count(&line.said, is_dial), 3);
    assert!(count(&line.wait(secs(100)), is_poll) >= 10);
    assert!(
        line.tell(Input::NetworkUp).iter().any(is_dial),
        "a new network is a new chance"
    );
}

#[test]
fn a_failed_catch_up_beside_a_living_socket_is_repeated() {
    let mut line = Line::open();
    line.reads = Some(Err(blocked()));
    line.dialled(true);
    let generation = line.generation;
    line.tell(Input::Ready { generation });
    line.reads = Some(Ok(()));
    assert_eq!(
        line.after(secs(3), |o| *o == Output::CatchUp),
        Some(secs(2))
    );
    assert_eq!(count(&line.wait(secs(5)), |o| *o == Output::CatchUp), 0);
}

// covers: F-35
#[test]
fn unreadable_frames_are_made_up_for_once_within_two_seconds() {
    let mut line = Line::live();
    for _ in 0..20 {
        line.tell(Input::Undecodable);
        line.wait(ms(20));
        line.heard();
    }
    let said = line.wait(secs(2));
    assert_eq!(count(&said, |o| *o == Output::CatchUp), 1);
    assert_eq!(line.state(), ConnectionState::Live);
}

// covers: INV-21
#[test]
fn redials_that_fail_hasten_no_poll() {
    let mut line = Line::open();
    for _ in 0..10 {
        line.refuse(blocked());
        line.wait(ms(700));
        line.tell(Input::Tick);
        if line.connection.status().retry_at.is_none() {
            continue;
        }
        line.after(secs(3), is_dial);
    }
    let polls: Vec<_> = line
        .said
        .iter()
        .filter(|(_, o)| is_poll(o))
        .map(|(at, _)| *at)
        .collect();
    assert!(
        polls.windows(2).all(|pair| pair[1] - pair[0] >= secs(2)),
        "{polls:?}"
    );
}

// covers: F-21, INV-21
#[test]
fn nothing_hastens_a_poll_that_was_told_to_wait() {
    let mut line = Line::open();
    line.reads = Some(Err(slow_down(secs(40))));
    line.refuse(blocked());
    line.wait(ms(1));
    let before = count(&line.said, is_poll);
    for input in [
        Input::Activity,
        Input::NetworkUp,
        Input::Background,
        Input::Foreground,
    ] {
        line.tell(input);
        line.refuse(blocked());
        line.wait(secs(5));
    }
    assert_eq!(count(&line.said, is_poll), before);
    assert!(line.after(secs(20), is_poll).is_some());
}

fn slow_down(wait: Duration) -> ServiceError {
    ServiceError::new(
        FailureKind::RateLimited,
        RetryClass::After(wait),
        Outcome::NotApplied,
        "slow down",
    )
}

// covers: F-21
#[test]
fn a_read_beside_a_live_socket_waits_as_long_as_the_server_asks() {
    let mut line = Line::live();
    line.reads = Some(Err(slow_down(secs(90))));
    line.tell(Input::Undecodable);
    let reads = |said: &[(Duration, Output)]| count(said, |o| *o == Output::CatchUp);
    assert_eq!(reads(&line.wait(secs(1))), 1);
    line.reads = Some(Ok(()));
    // Not even for the next lost frame.
    line.tell(Input::Undecodable);
    assert_eq!(reads(&line.wait(secs(88))), 0);
    assert_eq!(reads(&line.wait(secs(3))), 1, "and then at once");
}

#[test]
fn reads_that_fail_beside_a_live_socket_become_rare_and_never_stop() {
    let (mut resync, mut now) = (Resync::default(), Tick::from_start(secs(1)));
    for wait in [2, 4, 8, 16, 32, 60, 60].map(secs) {
        resync.failed(now);
        now = now + wait;
        assert_eq!(resync.due(now), Some(now));
        assert!(resync.start(now, now));
    }
    resync.succeeded();
    resync.failed(now);
    assert_eq!(resync.due(now), Some(now + secs(2)));
}

// covers: G5, F-21
#[test]
fn the_quiet_that_another_conversation_was_asked_for_holds_polls_too() {
    let mut line = Line::open();
    line.refuse(blocked());
    line.wait(secs(2));
    line.tell(Input::Quiet(secs(60)));
    line.tell(Input::Activity);
    assert_eq!(count(&line.wait(secs(59)), is_poll), 0);
    assert_eq!(count(&line.wait(secs(2)), is_poll), 1);
}
