//! What an attempt's end means.

use super::*;

// covers: INV-06
#[test]
fn a_conversation_sends_in_accept_order_one_at_a_time() {
    let mut post = Post::new(policy());
    for n in 1..=3 {
        post.accept(n, "a", SendMode::Durable);
    }
    assert_eq!(post.order(), [1]);
    for n in 1..=3 {
        post.applied(n);
    }
    assert_eq!(post.order(), [1, 2, 3]);
    assert_eq!(post.entries, []);
}

#[test]
fn conversations_do_not_wait_for_each_other() {
    let mut post = Post::new(policy());
    post.accept(1, "a", SendMode::Durable);
    post.accept(2, "b", SendMode::Durable);
    assert_eq!(post.order(), [1, 2]);
    post.lose(1);
    post.applied(2);
    post.accept(3, "b", SendMode::Durable);
    assert_eq!(post.order(), [1, 2, 3]);
}

// covers: F-01
#[test]
fn an_unreachable_server_leaves_the_message_queued_with_growing_delays() {
    let mut post = Post::sending(policy());
    for (attempt, ceiling) in [2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let failed = post.now;
        post.unreachable(1);
        assert_eq!(post.state(1), Some(DeliveryState::Queued));
        let sent = post.until_sent();
        assert!(sent - failed <= secs(ceiling), "attempt {attempt}");
    }
}

// covers: F-01
#[test]
fn encouragement_sends_at_once_what_waits() {
    let mut post = Post::sending(policy());
    for _ in 0..6 {
        post.unreachable(1);
        post.until_sent();
    }
    post.unreachable(1);
    let sent = post.sent.len();
    post.tell(Input::Encouraged);
    assert_eq!(post.sent.len(), sent + 1);
}

// covers: F-24, F-25
#[test]
fn a_refused_message_fails_and_the_next_one_goes() {
    for kind in [
        FailureKind::Invalid,
        FailureKind::NotAllowed,
        FailureKind::NotFound,
    ] {
        let mut post = Post::sending(policy());
        post.accept(2, "a", SendMode::Durable);
        post.fail(1, kind, RetryClass::Never, Outcome::NotApplied);
        assert_eq!(post.state(1), Some(DeliveryState::Failed));
        assert_eq!(post.order(), [1, 2]);
        post.wait(WEEK);
        assert_eq!(
            post.order().iter().filter(|n| **n == 1).count(),
            1,
            "never by itself again"
        );
    }
}

// covers: F-23
#[test]
fn a_duplicate_is_applied() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::Conflict { existing: None },
        RetryClass::Never,
        Outcome::Applied,
    );
    assert!(matches!(post.last(), Settlement::Applied(_)));
}

// covers: F-26
#[test]
fn a_server_error_after_the_body_left_is_never_a_failure() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::Unavailable,
        RetryClass::Never,
        Outcome::Unknown,
    );
    assert_eq!(post.state(1), Some(DeliveryState::Uncertain));
}

#[test]
fn an_attempt_without_an_end_is_lost_at_its_deadline() {
    let mut post = Post::sending(policy());
    post.wait(ms(29_999));
    assert_eq!(post.state(1), Some(DeliveryState::Sending));
    post.wait(ms(1));
    assert_eq!(post.state(1), Some(DeliveryState::Uncertain));
    assert_eq!(code(&post.settled[0].2), "network.timeout");
}

#[test]
fn an_end_that_comes_after_the_deadline_is_not_counted_twice() {
    let mut post = Post::sending(policy());
    post.wait(secs(30));
    let settled = post.settled.len();
    post.applied(1);
    assert!(matches!(post.last(), Settlement::Applied(_)));
    assert_eq!(post.settled.len(), settled + 1);
    post.wait(secs(3600));
    assert_eq!(post.sent.len(), 1);
}

// covers: F-28
#[test]
fn an_end_told_after_the_deadline_changes_nothing_but_by_proof() {
    let mut post = Post::sending(policy());
    post.wait(secs(30));
    let settled = post.settled.len();
    post.lose(1);
    assert_eq!(post.settled.len(), settled, "that is known already");
    post.fail(
        1,
        FailureKind::Invalid,
        RetryClass::Never,
        Outcome::NotApplied,
    );
    assert_eq!(
        post.state(1),
        Some(DeliveryState::Queued),
        "a late refusal is proof"
    );
    let settled = post.settled.len();
    post.lose(1);
    post.unreachable(1);
    assert_eq!(post.settled.len(), settled, "nothing of it is on the wire");
}

#[test]
fn attempts_can_be_limited() {
    let mut post = Post::new(OutboxPolicy {
        max_attempts: 3,
        ..policy()
    });
    post.accept(1, "a", SendMode::Durable);
    for _ in 0..3 {
        assert_eq!(post.state(1), Some(DeliveryState::Sending));
        post.unreachable(1);
        post.wait(secs(8));
    }
    assert_eq!(post.state(1), Some(DeliveryState::Failed));
    assert_eq!(post.sent.len(), 3);
}

#[test]
fn a_message_too_old_fails_instead_of_leaving() {
    let mut post = Post::new(policy());
    post.tell(Input::SignedOut(true));
    post.accept(1, "a", SendMode::Durable);
    post.wait(WEEK - secs(1));
    assert_eq!(post.state(1), Some(DeliveryState::Queued));
    post.wait(secs(2));
    post.tell(Input::SignedOut(false));
    assert_eq!(post.state(1), Some(DeliveryState::Failed));
    assert_eq!(code(post.last()), "send.expired");
    assert_eq!(post.sent, []);
}

#[test]
fn a_retry_by_the_user_goes_back_to_its_old_place() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::Invalid,
        RetryClass::Never,
        Outcome::NotApplied,
    );
    for n in 2..=3 {
        post.accept(n, "a", SendMode::Durable);
    }
    assert_eq!(post.order(), [1, 2]);
    post.entry_mut(key(1)).state = DeliveryState::Queued;
    post.applied(2);
    assert_eq!(post.order(), [1, 2, 1], "accepted before the third");
}

#[test]
fn what_the_store_refused_to_record_is_forgotten_and_asked_for_again() {
    let mut post = Post::sending(policy());
    post.entry_mut(key(1)).state = DeliveryState::Queued;
    post.tell(Input::NotAttempted(key(1)));
    assert!(!post.outbox.is_transmitting());
    post.load();
    assert_eq!(post.order(), [1, 1]);
}

#[test]
fn a_cancelled_head_makes_way() {
    let mut post = Post::sending(policy());
    post.accept(2, "a", SendMode::Durable);
    post.unreachable(1);
    post.entries.remove(0);
    post.load();
    assert_eq!(post.order(), [1, 2]);
    post.wait(secs(300));
    assert_eq!(post.order(), [1, 2]);
}

#[test]
fn an_end_that_could_not_be_stored_becomes_uncertain_not_lost() {
    let mut post = Post::sending(policy());
    // The settlement failed in the store: the next look shows it as it was.
    post.outbox.handle(
        Tick::from_start(post.now),
        post.wall(),
        Input::Applied(key(1), Box::default()),
    );
    while post.outbox.poll_output().is_some() {}
    post.load();
    assert_eq!(post.state(1), Some(DeliveryState::Uncertain));
    assert_eq!(post.reads.len(), 1);
}
