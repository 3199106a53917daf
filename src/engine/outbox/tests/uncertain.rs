//! Nobody knows whether it arrived: proof first, then a decision.

use super::*;

// covers: F-27, F-28
#[test]
fn an_uncertain_message_is_resent_only_after_two_reads_a_grace_apart() {
    let mut post = Post::sending(policy());
    post.lose(1);
    assert_eq!(post.reads, [secs(0)]);
    post.wait(secs(5));
    post.read("a", true);
    post.tell(Input::Encouraged);
    post.wait(ms(9_999));
    assert_eq!(
        post.reads.len(),
        1,
        "the grace is proof, not delay: a hurry does not shorten it"
    );
    post.wait(ms(1));
    assert_eq!(post.reads, [secs(0), secs(15)]);
    assert_eq!(post.sent.len(), 1);
    post.read("a", true);
    assert_eq!(post.sent, [(secs(0), 1), (secs(15), 1)]);
}

// covers: INV-02
#[test]
fn a_read_that_did_not_reach_the_end_proves_nothing() {
    let mut post = Post::sending(policy());
    post.lose(1);
    for _ in 0..10 {
        let reads = post.reads.len();
        post.read("a", false);
        post.wait(secs(4));
        assert_eq!(post.reads.len(), reads + 1);
    }
    assert_eq!(post.sent.len(), 1);
    assert_eq!(post.state(1), Some(DeliveryState::Uncertain));
}

#[test]
fn another_conversations_read_proves_nothing() {
    let mut post = Post::sending(policy());
    post.lose(1);
    post.read("b", true);
    post.read("b", true);
    post.wait(secs(60));
    assert_eq!(post.sent.len(), 1);
}

#[test]
fn a_message_found_meanwhile_is_not_resent() {
    let mut post = Post::sending(policy());
    post.lose(1);
    post.accept(2, "a", SendMode::Durable);
    post.entries.remove(0);
    post.tell(Input::Confirmed(vec![key(1)]));
    post.load();
    post.read("a", true);
    post.wait(secs(60));
    assert_eq!(post.order(), [1, 2]);
}

// covers: INV-06
#[test]
fn later_messages_wait_behind_an_uncertain_one() {
    let mut post = Post::sending(policy());
    post.lose(1);
    post.accept(2, "a", SendMode::Durable);
    post.read("a", true);
    post.wait(secs(30));
    assert_eq!(post.order(), [1]);
    post.read("a", true);
    assert_eq!(post.order(), [1, 1], "first the uncertain one, again");
    post.applied(1);
    assert_eq!(post.order(), [1, 1, 2]);
}

// covers: F-27
#[test]
fn where_the_server_knows_keys_the_same_key_is_sent_again() {
    let mut post = Post::sending(OutboxPolicy {
        idempotent: true,
        ..policy()
    });
    post.lose(1);
    post.wait(secs(2));
    assert_eq!(post.sent.len(), 2);
    assert_eq!(post.reads, [], "no read is needed");
    post.applied(1);
    assert_eq!(post.entries, []);
}

#[test]
fn repeated_losses_of_one_key_back_off() {
    let mut post = Post::sending(OutboxPolicy {
        idempotent: true,
        ..policy()
    });
    let mut waits = Vec::new();
    for _ in 0..10 {
        let lost = post.now;
        post.lose(1);
        waits.push(post.until_sent() - lost);
    }
    assert!(waits[4..].iter().any(|wait| *wait > secs(8)), "{waits:?}");
}

#[test]
fn what_may_not_be_resent_is_parked_and_blocks_nobody() {
    let mut post = Post::sending(OutboxPolicy {
        auto_resend: false,
        ..policy()
    });
    post.accept(2, "a", SendMode::Durable);
    post.lose(1);
    post.read("a", true);
    post.wait(secs(10));
    post.read("a", true);
    assert!(matches!(post.last(), Settlement::Parked(_)));
    assert_eq!(post.order(), [1, 2]);
    assert_eq!(
        post.state(1),
        Some(DeliveryState::Uncertain),
        "never failed without proof"
    );
    post.applied(2);
    post.wait(WEEK);
    assert_eq!(post.order(), [1, 2]);
}

#[test]
fn an_uncertain_message_too_old_is_parked_and_never_failed() {
    let mut post = Post::sending(policy());
    post.lose(1);
    post.entry_mut(key(1)).expires_at = EPOCH;
    post.read("a", false);
    post.load();
    post.wait(secs(4));
    assert_eq!(code(post.last()), "send.outcome_unknown");
    assert!(matches!(post.last(), Settlement::Parked(_)));
    assert_eq!(post.state(1), Some(DeliveryState::Uncertain));
}

fn direct_lost() -> Post {
    let mut post = Post::new(policy());
    post.accept(1, "a", SendMode::Direct);
    post.lose(1);
    post
}

#[test]
fn a_direct_message_proved_absent_in_time_returns_to_its_caller() {
    let mut post = direct_lost();
    post.read("a", true);
    post.wait(secs(10));
    post.read("a", true);
    assert!(matches!(post.last(), Settlement::NotApplied { .. }));
    assert_eq!(post.state(1), None);
    assert_eq!(post.sent.len(), 1, "never resent by itself");
}

/// Reads fail until the caller was told "unknown"; the entry is parked and still looked for.
fn told_unknown() -> Post {
    let mut post = direct_lost();
    while !matches!(post.settled.last(), Some((_, _, Settlement::Parked(_)))) {
        post.read("a", false);
        post.wait(secs(4));
        assert!(post.now < secs(60), "the caller waits no longer");
    }
    assert_eq!(code(post.last()), "send.outcome_unknown");
    assert!(post.now >= secs(40));
    let orphans = post.entries.clone();
    post.tell(Input::Orphans(orphans));
    post
}

#[test]
fn a_direct_message_told_as_unknown_is_withdrawn_when_history_proves_its_absence() {
    let mut post = told_unknown();
    post.read("a", true);
    post.wait(secs(10));
    post.read("a", true);
    assert_eq!(*post.last(), Settlement::Withdrawn);
    assert_eq!(post.sent.len(), 1);
    let reads = post.reads.len();
    post.wait(secs(3600));
    assert_eq!(post.reads.len(), reads, "looked for no more");
}

#[test]
fn a_direct_message_told_as_unknown_and_refused_late_returns_as_a_draft() {
    let mut post = told_unknown();
    post.unreachable(1);
    assert_eq!(*post.last(), Settlement::Withdrawn);
    assert_eq!(post.sent.len(), 1);
}

#[test]
fn a_direct_message_told_as_unknown_and_found_is_looked_for_no_more() {
    let mut post = told_unknown();
    post.entries.clear();
    post.tell(Input::Confirmed(vec![key(1)]));
    let reads = post.reads.len();
    post.wait(secs(3600));
    assert_eq!(post.reads.len(), reads);
}

#[test]
fn a_parked_direct_message_blocks_nobody() {
    let mut post = told_unknown();
    post.accept(2, "a", SendMode::Direct);
    assert_eq!(post.order(), [1, 2]);
}

// covers: INV-02
#[test]
fn a_direct_message_is_not_resent_even_where_the_server_knows_keys() {
    let mut post = Post::new(OutboxPolicy {
        idempotent: true,
        ..policy()
    });
    post.accept(1, "a", SendMode::Direct);
    post.lose(1);
    post.wait(secs(30));
    assert_eq!(post.sent.len(), 1);
    assert!(!post.reads.is_empty(), "it is looked for");
}

// covers: F-45
#[test]
fn what_a_start_finds_uncertain_is_looked_for_first() {
    let mut post = Post::new(policy());
    post.accept(1, "a", SendMode::Durable);
    let mut next = Post::new(policy());
    next.entries = post.entries.clone();
    next.entries[0].state = DeliveryState::Uncertain;
    next.load();
    assert_eq!(next.sent, []);
    assert_eq!(next.reads.len(), 1);
}

// covers: INV-22, INV-23
#[test]
fn a_head_that_may_go_never_stops_moving() {
    type Step = fn(&mut Post);
    let steps: [Step; 8] = [
        |post| post.unreachable(1),
        |post| post.lose(1),
        |post| post.read("a", true),
        |post| post.read("a", false),
        |post| post.wait(secs(11)),
        |post| post.tell(Input::Encouraged),
        |post| post.load(),
        |post| {
            post.fail(
                1,
                FailureKind::RateLimited,
                RetryClass::After(secs(9)),
                Outcome::NotApplied,
            )
        },
    ];
    for path in 0..8_usize.pow(4) {
        let mut post = Post::sending(policy());
        let mut rest = path;
        for _ in 0..4 {
            steps[rest % 8](&mut post);
            rest /= 8;
        }
        let before = post.sent.len();
        for _ in 0..20 {
            post.read("a", true);
            post.wait(secs(10));
        }
        assert!(
            post.sent.len() > before || post.entries.is_empty(),
            "{:?}",
            post.outbox
        );
    }
}
