//! What becomes of accepted messages.

use super::*;
use crate::domain::rules::user::{self, Wish};

fn cancel(desk: &Desk, id: ClientMessageId) -> Wish {
    desk.write(move |rows| user::cancel(rows, id, NOW))
}

fn retry(desk: &Desk, id: ClientMessageId) -> Wish {
    desk.write(move |rows| user::retry(rows, id, NOW, NOW))
}

#[test]
fn accepting_a_known_key_again_is_the_same_row() {
    let desk = Desk::new();
    desk.accept(1, "once", SendMode::Durable);
    desk.accept(1, "twice", SendMode::Durable);
    assert_eq!(desk.texts(), ["once"]);
    assert_eq!(desk.write(|rows| rows.outbox(None)).len(), 1);
}

// covers: F-45
#[test]
fn a_start_finds_what_was_on_the_wire_uncertain_never_queued() {
    let desk = Desk::new();
    let queued = desk.accept(1, "queued", SendMode::Durable);
    let sending = desk.send(2, "sending");
    let found = desk.write(|rows| attempt::recover(rows, NOW));
    assert_eq!(found, 1);
    assert_eq!(desk.state(queued), DeliveryState::Queued);
    assert_eq!(desk.state(sending), DeliveryState::Uncertain);
}

#[test]
fn the_attempt_of_a_cancelled_message_is_refused() {
    let desk = Desk::new();
    let id = desk.accept(1, "never mind", SendMode::Durable);
    assert!(matches!(cancel(&desk, id), Wish::Granted(_)));
    assert_eq!(
        desk.write(move |rows| attempt::record_attempt(rows, id, None, NOW)),
        None
    );
}

#[test]
fn a_confirmation_may_come_before_or_after_the_echo() {
    for echo_first in [true, false] {
        let mut desk = Desk::new();
        let id = desk.send(1, "hello");
        let receipt = SendReceipt {
            message: Some(mine("m1", "hello")),
            answer: Some(theirs("m2", "hi")),
        };
        if echo_first {
            desk.read(&[mine("m1", "hello"), theirs("m2", "hi")]);
        }
        desk.settle(id, Settlement::Applied(receipt));
        if !echo_first {
            desk.read(&[mine("m1", "hello"), theirs("m2", "hi")]);
        }
        assert_eq!(desk.texts(), ["hello", "hi"]);
        assert_eq!(desk.rows()[0].id, id);
        assert_eq!(desk.write(|rows| rows.outbox(None)), []);
    }
}

#[test]
fn a_confirmation_names_what_was_taken_for_another_devices() {
    let mut desk = Desk::new();
    desk.has_read_to("0");
    let id = desk.send(1, "hello, blast it");
    desk.read(&[
        theirs("m0", "well?"),
        mine("m1", "hello, *** it"),
        theirs("m2", "hi"),
    ]);
    assert_eq!(desk.rows().len(), 4, "the words differ: nothing tells yet");
    let receipt = SendReceipt {
        message: Some(mine("m1", "hello, *** it")),
        answer: None,
    };
    desk.settle(id, Settlement::Applied(receipt));
    assert_eq!(desk.texts(), ["well?", "hello, *** it", "hi"]);
    assert_eq!(desk.rows()[1].id, id);
    assert_eq!(desk.conversation().stored, 3);
}

// covers: INV-03
#[test]
fn nothing_that_comes_late_moves_a_sent_message_back() {
    let mut desk = Desk::new();
    let id = desk.send(1, "hello");
    desk.read(&[mine("m1", "hello")]);
    for settlement in [
        lost(),
        not_applied(),
        Settlement::Rejected(because()),
        Settlement::Withdrawn,
    ] {
        desk.settle(id, settlement);
        assert_eq!(desk.state(id), DeliveryState::Sent);
    }
}

#[test]
fn a_message_taken_back_still_binds_where_the_server_has_it() {
    let mut desk = Desk::new();
    let id = desk.send(1, "too late");
    desk.settle(id, lost());
    cancel(&desk, id);
    assert_eq!(desk.state(id), DeliveryState::Cancelled);
    desk.read(&[mine("m1", "too late")]);
    assert_eq!(desk.state(id), DeliveryState::Sent);
    assert_eq!(desk.rows().len(), 1);
}

#[test]
fn a_failed_message_keeps_its_place_for_the_retry() {
    let mut desk = Desk::new();
    let first = desk.send(1, "first");
    desk.accept(2, "second", SendMode::Durable);
    desk.settle(first, Settlement::Rejected(because()));
    let heads = desk.write(|rows| rows.outbox_heads());
    assert_eq!(heads[0].id, key(2), "it blocks nobody");
    retry(&desk, first);
    let heads = desk.write(|rows| rows.outbox_heads());
    assert_eq!((heads[0].id, heads[0].failures), (first, 0));
    assert_eq!(desk.texts(), ["first", "second"]);
}

#[test]
fn what_cannot_be_retried_or_cancelled_says_in_which_state_it_is() {
    let mut desk = Desk::new();
    let id = desk.send(1, "hello");
    assert_eq!(cancel(&desk, id), Wish::Refused(DeliveryState::Sending));
    assert_eq!(retry(&desk, id), Wish::Refused(DeliveryState::Sending));
    desk.acknowledged(id);
    assert_eq!(cancel(&desk, id), Wish::Refused(DeliveryState::Sent));
    assert_eq!(cancel(&desk, key(9)), Wish::Unknown);
}

#[test]
fn a_direct_message_that_failed_vanishes_and_its_journal_keeps_why() {
    for settlement in [
        not_applied(),
        Settlement::Rejected(because()),
        Settlement::Expired(because()),
    ] {
        let mut desk = Desk::new();
        let id = desk.accept(1, "come back", SendMode::Direct);
        if matches!(settlement, Settlement::NotApplied { .. }) {
            desk.transmit(id);
        }
        let settled = desk.settle(id, settlement);
        assert_eq!(settled.draft.as_deref(), Some("come back"));
        assert_eq!(desk.rows(), []);
        let last = desk.journal(id).pop().expect("its end");
        assert_eq!(
            (last.state, last.reason),
            (DeliveryState::Failed, Some(because()))
        );
        let conversation = desk.conversation();
        assert_eq!((conversation.stored, conversation.last_message), (0, None));
        assert_eq!(conversation.draft, None, "the caller has it");
    }
}

#[test]
fn a_withdrawn_text_goes_before_what_is_being_typed() {
    let mut desk = Desk::new();
    let id = desk.accept(1, "sent before", SendMode::Direct);
    desk.transmit(id);
    desk.settle(id, lost());
    desk.settle(id, Settlement::Parked(because()));
    desk.write(|rows| {
        let change = |row: &mut Conversation| row.draft = Some("typing".into());
        crate::domain::rules::conversations::overlay(rows, &chat(), change).map(drop)
    });
    desk.settle(id, Settlement::Withdrawn);
    assert_eq!(
        desk.conversation().draft.as_deref(),
        Some("sent before\ntyping")
    );
    assert_eq!(desk.rows(), []);
}

#[test]
fn failures_in_a_row_are_counted_and_a_wait_is_none() {
    let mut desk = Desk::new();
    let id = desk.accept(1, "again", SendMode::Durable);
    for n in 1..=3 {
        desk.settle(id, Settlement::Waiting(because()));
        desk.transmit(id);
        assert_eq!(desk.settle(id, not_applied()).failures, n);
    }
    let told = desk.journal(id);
    assert!(
        told.windows(2)
            .all(|pair| pair[0].sequence < pair[1].sequence)
    );
    assert_eq!(told.last().expect("told").attempt, 3);
}
