//! From the first dial to the last close.

use super::*;

#[test]
fn opening_dials_at_once_and_only_once() {
    let mut line = Line::new(policy());
    let said = line.tell(Input::Open { socket: true });
    assert_eq!(said.iter().filter(|o| is_dial(o)).count(), 1);
    assert_eq!(line.state(), ConnectionState::Connecting);
    let again = line.tell(Input::Open { socket: true });
    assert!(!again.iter().any(is_dial));
}

#[test]
fn l12_live_only_after_the_ready_frame() {
    let mut line = Line::open();
    let said = line.dialled(true);
    assert!(
        said.contains(&Output::CatchUp),
        "frames are received, history is read"
    );
    line.wait(secs(4));
    assert_ne!(line.state(), ConnectionState::Live);
    let generation = line.generation;
    line.tell(Input::Ready { generation });
    assert_eq!(line.state(), ConnectionState::Live);
    assert_eq!(line.light(), Light::Green);
}

// covers: F-05
#[test]
fn a_missing_ready_frame_redials_after_five_seconds_and_polls() {
    let mut line = Line::open();
    line.dialled(true);
    let dead = line.generation;
    assert_eq!(line.after(secs(6), is_hangup), Some(secs(5)));
    assert!(
        line.said
            .contains(&(secs(5), Output::Hangup { generation: dead }))
    );
    assert!(line.said.contains(&(secs(5), Output::Poll)));
    assert!(line.after(secs(3), is_dial).is_some() || line.generation > dead);
}

// covers: F-05
#[test]
fn without_a_ready_frame_the_socket_is_live_a_second_after_the_upgrade() {
    let mut line = Line::open();
    line.dialled(false);
    line.wait(ms(999));
    assert_ne!(line.state(), ConnectionState::Live);
    line.wait(ms(1));
    assert_eq!(line.state(), ConnectionState::Live);
}

#[test]
fn l91_late_event_of_an_old_session_is_void() {
    let mut line = Line::live();
    let old = line.generation;
    line.closed(CloseReason::Broken);
    line.tell(Input::NetworkUp);
    line.go_live();
    assert_ne!(line.generation, old);
    line.tell(Input::SocketClosed {
        generation: old,
        reason: CloseReason::Broken,
    });
    line.tell(Input::Ready { generation: old });
    assert_eq!(line.state(), ConnectionState::Live);
    line.wait(secs(7));
    line.tell(Input::Heard { generation: old });
    assert!(
        line.after(secs(5), is_dial).is_some(),
        "an old socket's byte proves nothing"
    );
}

#[test]
fn a_socket_that_opens_after_its_dial_was_given_up_is_hung_up() {
    let mut line = Line::open();
    let late = line.generation;
    line.tell(Input::Close);
    let said = line.tell(Input::Dialled {
        generation: late,
        ready_frame: true,
    });
    assert_eq!(said, [Output::Hangup { generation: late }]);
    assert_eq!(line.state(), ConnectionState::Closed);
}

// covers: F-06, G6
#[test]
fn l95_silence_is_probed_and_a_missing_answer_replaces_the_socket() {
    let mut line = Line::live();
    let old = line.generation;
    let said = line.wait(secs(11));
    assert!(said.contains(&(secs(7), Output::Probe { generation: old })));
    assert_eq!(count(&said, is_probe), 1);
    assert!(said.contains(&(secs(11), Output::Hangup { generation: old })));
    assert_eq!(count(&said, is_dial), 1, "replaced, not waited for");
    assert_eq!(count(&said, is_poll), 1, "and read meanwhile");
    assert_eq!(line.state(), ConnectionState::Stale);
    line.go_live();
}

#[test]
fn any_byte_ends_the_probe() {
    let mut line = Line::live();
    line.wait(secs(10));
    line.heard();
    let said = line.wait(secs(6));
    assert_eq!(count(&said, is_dial), 0);
    assert_eq!(line.state(), ConnectionState::Live);
    assert_eq!(
        line.after(secs(2), is_probe),
        Some(secs(1)),
        "seven seconds after the byte"
    );
}

#[test]
fn l17_idle_socket_is_kept_alive() {
    let mut line = Line::live();
    line.tell(Input::Background);
    for _ in 0..5 {
        assert_eq!(line.after(secs(25), is_probe), Some(secs(25)));
        line.heard();
    }
    assert_eq!(line.state(), ConnectionState::Live);
}

#[test]
fn a_backend_that_cannot_be_probed_sooner_is_not() {
    let mut line = Line::new(ConnectionPolicy {
        probe_floor: secs(30),
        ..policy()
    });
    line.tell(Input::Open { socket: true });
    line.go_live();
    assert_eq!(line.after(secs(31), is_probe), Some(secs(30)));
}

// covers: F-07
#[test]
fn an_overdue_confirmation_probes_at_once_and_once() {
    let mut line = Line::live();
    line.wait(secs(1));
    assert!(line.tell(Input::Overdue).iter().any(is_probe));
    assert!(!line.tell(Input::Overdue).iter().any(is_probe));
    assert_eq!(line.after(secs(5), is_dial), Some(secs(4)));
}

// covers: F-10
#[test]
fn a_changed_path_probes_a_live_socket_and_replaces_a_dial() {
    let mut line = Line::live();
    assert!(line.tell(Input::NetworkChanged).iter().any(is_probe));
    let mut line = Line::open();
    let old = line.generation;
    let said = line.tell(Input::NetworkChanged);
    assert!(said.contains(&Output::Hangup { generation: old }));
    assert!(said.iter().any(is_dial));
}

// covers: F-10
#[test]
fn an_unanswered_probe_after_a_change_of_path_replaces_the_socket_in_its_deadline() {
    let mut line = Line::live();
    line.tell(Input::NetworkChanged);
    assert_eq!(line.after(secs(5), is_dial), Some(secs(4)));
}

// covers: F-48
#[test]
fn suspending_hangs_up_and_resuming_dials_at_once() {
    let mut line = Line::live();
    let old = line.generation;
    line.tell(Input::Background);
    assert!(
        line.tell(Input::Suspend)
            .contains(&Output::Hangup { generation: old })
    );
    assert_eq!(line.state(), ConnectionState::Suspended);
    assert_eq!(line.wait(secs(3600)), [], "asleep");
    assert!(line.tell(Input::Foreground).iter().any(is_dial));
    line.go_live();
}

// covers: F-48
#[test]
fn back_in_the_foreground_an_open_socket_is_replaced_not_trusted() {
    let mut line = Line::live();
    line.tell(Input::Background);
    let said = line.tell(Input::Foreground);
    assert!(said.iter().any(is_hangup) && said.iter().any(is_dial));
    assert_eq!(line.state(), ConnectionState::Stale);
    line.go_live();
    assert!(line.tell(Input::Foreground).is_empty(), "it was not away");
}

#[test]
fn closing_hangs_up_and_ends_all_timers() {
    for mut line in [Line::open(), Line::live()] {
        assert!(line.tell(Input::Close).iter().any(is_hangup));
        assert_eq!(line.state(), ConnectionState::Closed);
        assert_eq!(line.connection.poll_timeout(), None);
        assert_eq!(line.wait(secs(3600)), []);
    }
}

#[test]
fn a_closed_conversation_opens_again() {
    let mut line = Line::live();
    line.tell(Input::Close);
    assert!(line.tell(Input::Open { socket: true }).iter().any(is_dial));
    line.go_live();
}
