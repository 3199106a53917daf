//! What holds a queued message back, and what becomes of a direct one then.

use super::*;

#[test]
fn nothing_leaves_while_disabled_and_all_of_it_afterwards() {
    let mut post = Post::new(policy());
    post.tell(Input::Enabled(false));
    post.accept(1, "a", SendMode::Durable);
    assert_eq!(post.outbox.poll_timeout(), None, "asleep");
    post.wait(secs(3600));
    assert_eq!(post.sent, []);
    post.tell(Input::Enabled(true));
    assert_eq!(post.order(), [1]);
}

#[test]
fn a_durable_message_waits_for_the_turn_and_says_so_once() {
    let mut post = Post::new(policy());
    post.turn("a", true);
    post.accept(1, "a", SendMode::Durable);
    post.accept(2, "b", SendMode::Durable);
    for _ in 0..5 {
        post.load();
    }
    post.applied(2);
    post.wait(secs(600));
    assert_eq!(post.order(), [2], "another conversation is free");
    let told = post
        .settled
        .iter()
        .map(|(_, _, settlement)| code(settlement));
    assert_eq!(told.filter(|code| *code == "turn_open").count(), 1);
    assert!(post.outbox.waits_for_turn(&chat("a")));
    post.turn("a", false);
    assert_eq!(post.order(), [2, 1]);
}

#[test]
fn a_direct_message_does_not_wait_for_the_turn() {
    let mut post = Post::new(policy());
    post.turn("a", true);
    post.accept(1, "a", SendMode::Direct);
    assert_eq!(code(post.last()), "turn_open");
    assert!(matches!(post.last(), Settlement::Rejected(_)));
    assert_eq!(post.sent, []);
}

// covers: F-21
#[test]
fn a_429_holds_all_sending_until_its_time_and_fails_nothing() {
    let mut post = Post::sending(policy());
    post.accept(2, "b", SendMode::Durable);
    post.fail(
        1,
        FailureKind::RateLimited,
        RetryClass::After(secs(90)),
        Outcome::NotApplied,
    );
    assert_eq!(post.told, [Output::Cooldown(EPOCH + secs(90))]);
    post.applied(2);
    post.accept(3, "c", SendMode::Durable);
    post.tell(Input::Encouraged);
    post.wait(ms(89_999));
    assert_eq!(
        post.order(),
        [1, 2],
        "not even a new conversation, not even a hurried one"
    );
    assert_eq!(post.state(1), Some(DeliveryState::Queued));
    post.wait(secs(1));
    assert_eq!(post.order(), [1, 2, 1, 3], "within a second of the time");
}

// covers: F-22
#[test]
fn a_429_without_a_time_backs_off() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::RateLimited,
        RetryClass::Backoff,
        Outcome::NotApplied,
    );
    assert!(matches!(post.told[..], [Output::Cooldown(_)]));
    assert_eq!(post.sent.len(), 1);
    post.wait(secs(2));
    assert_eq!(post.sent.len(), 2);
}

#[test]
fn a_direct_message_during_a_cooldown_is_refused_as_rate_limited() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::RateLimited,
        RetryClass::After(secs(90)),
        Outcome::NotApplied,
    );
    post.accept(2, "b", SendMode::Direct);
    assert_eq!(code(post.last()), "rate_limited");
    assert_eq!(post.order(), [1]);
}

// covers: F-18, F-19
#[test]
fn a_refused_token_keeps_everything_queued_and_is_told() {
    let mut post = Post::sending(policy());
    post.fail(
        1,
        FailureKind::SignInRequired,
        RetryClass::AfterReauth,
        Outcome::NotApplied,
    );
    assert_eq!(post.told, [Output::SignInRequired]);
    for n in 2..=4 {
        post.accept(n, "b", SendMode::Durable);
    }
    post.tell(Input::Encouraged);
    post.wait(secs(3 * 24 * 3600));
    assert_eq!(post.order(), [1]);
    assert!(
        post.entries
            .iter()
            .all(|entry| entry.state == DeliveryState::Queued)
    );
    post.tell(Input::SignedOut(false));
    assert_eq!(post.order(), [1, 1, 2]);
}

#[test]
fn a_direct_message_while_signed_out_is_refused_as_sign_in_required() {
    let mut post = Post::new(policy());
    post.tell(Input::SignedOut(true));
    post.accept(1, "a", SendMode::Direct);
    assert_eq!(code(post.last()), "sign_in_required");
    assert_eq!(post.sent, []);
}

#[test]
fn a_direct_message_makes_one_attempt() {
    let mut post = Post::new(policy());
    post.accept(1, "a", SendMode::Direct);
    post.unreachable(1);
    assert!(matches!(post.last(), Settlement::NotApplied { .. }));
    assert_eq!(post.state(1), None, "the caller has the text");
    post.wait(WEEK);
    assert_eq!(post.order(), [1]);
}

// covers: F-39
#[test]
fn a_wall_clock_that_jumps_back_delays_no_message_for_long() {
    let mut post = Post::sending(policy());
    post.unreachable(1);
    let entry = post.entry_mut(key(1));
    entry.next_attempt_at = Some(EPOCH + secs(24 * 3600));
    let mut fresh = Post::new(policy());
    fresh.entries = post.entries.clone();
    fresh.load();
    fresh.wait(secs(3600));
    assert_eq!(fresh.sent.len(), 1, "an hour at most");
}
