//! Direct sends: one attempt, and the text comes back where it did not arrive.

use tidings::{
    domain::{delivery::DeliveryState, event::ClientEvent},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{
    App, chat, lost, ms, pass, rejected, secs, signed_out, slow_down, unreachable,
};

#[tokio::test(start_paused = true)]
async fn a_direct_send_returns_when_the_server_has_it() {
    let app = App::new().await;
    app.service.next(Operation::Send, Reply::after(secs(3)));
    let sent = app.send_direct("now").await.unwrap();
    assert_eq!(sent.state, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["now"]);
}

#[tokio::test(start_paused = true)]
async fn a_direct_send_that_failed_leaves_no_row_and_returns_its_text() {
    for error in [unreachable(), rejected()] {
        let mut app = App::new().await;
        app.service
            .next(Operation::Send, Reply::Fail(error.clone()));
        let failed = app.send_direct("come back").await.unwrap_err();
        assert_eq!(failed.draft.as_deref(), Some("come back"));
        assert_eq!(failed.error.code(), error.code());
        assert_eq!(app.rows("c1").await, []);
        assert_eq!(app.outbox().await, []);
        pass(secs(3600)).await;
        assert_eq!(app.service.count(Operation::Send), 1);
        app.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_send_during_an_answer_is_refused_with_its_text() {
    let app = App::new().await;
    let handle = app.live().await;
    handle.send("first").await.unwrap();
    pass(ms(100)).await;
    let refused = app.send_direct("second").await.unwrap_err();
    assert_eq!(refused.error.code(), "turn_open");
    assert_eq!(refused.draft.as_deref(), Some("second"));
    assert_eq!(app.texts("c1").await, ["first"]);
}

// covers: F-21
#[tokio::test(start_paused = true)]
async fn a_direct_send_during_a_cooldown_is_refused_with_its_text() {
    let app = App::new().await;
    app.service
        .next(Operation::Send, Reply::Fail(slow_down(secs(60))));
    let first = app.send_direct("first").await.unwrap_err();
    assert_eq!(first.error.code(), "rate_limited");
    let second = app.send_direct("second").await.unwrap_err();
    assert_eq!(second.error.code(), "rate_limited");
    assert_eq!(second.draft.as_deref(), Some("second"));
    assert_eq!(app.service.count(Operation::Send), 1);
}

// covers: F-19
#[tokio::test(start_paused = true)]
async fn a_direct_send_while_signed_out_is_refused_with_its_text() {
    let app = App::new().await;
    app.service.next(Operation::Send, Reply::Fail(signed_out()));
    for text in ["first", "second"] {
        let refused = app.send_direct(text).await.unwrap_err();
        assert_eq!(refused.error.code(), "sign_in_required");
        assert_eq!(refused.draft.as_deref(), Some(text));
    }
    assert_eq!(app.service.count(Operation::Send), 1);
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn a_direct_send_whose_answer_was_lost_waits_for_the_proof() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::ApplyThenFail(lost()));
    let sent = app.send_direct("arrived").await.unwrap();
    assert_eq!(sent.state, DeliveryState::Sent);
    app.service.next(Operation::Send, Reply::Fail(lost()));
    pass(secs(60)).await;
    let failed = app.send_direct("did not").await.unwrap_err();
    assert_eq!(failed.draft.as_deref(), Some("did not"));
    assert_ne!(
        failed.error.code(),
        "send.outcome_unknown",
        "two reads are proof"
    );
    assert_eq!(app.texts("c1").await, ["arrived"]);
    assert_eq!(app.service.count(Operation::Send), 2);
    app.assert_sound();
}

/// The caller was told that nobody knows.
async fn unknown(reply: Reply) -> App {
    let app = App::new().await;
    app.service.next(Operation::Send, reply);
    app.service
        .always(Operation::History, Reply::Fail(unreachable()));
    let failed = app.send_direct("somewhere").await.unwrap_err();
    assert_eq!(failed.error.code(), "send.outcome_unknown");
    assert_eq!(failed.draft.as_deref(), Some("somewhere"));
    assert_eq!(app.rows("c1").await[0].state, DeliveryState::Uncertain);
    app
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn a_direct_send_of_unknown_outcome_is_sent_when_history_shows_it() {
    let mut app = unknown(Reply::ApplyThenFail(lost())).await;
    app.service.always(Operation::History, Reply::Normal);
    pass(secs(10)).await;
    assert_eq!(app.rows("c1").await[0].state, DeliveryState::Sent);
    assert_eq!(app.outbox().await, []);
    assert_eq!(app.service.texts("c1"), ["somewhere"]);
    app.assert_sound();
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn a_direct_send_of_unknown_outcome_becomes_a_draft_when_history_lacks_it() {
    let mut app = unknown(Reply::Fail(lost())).await;
    app.service.always(Operation::History, Reply::Normal);
    pass(secs(30)).await;
    assert_eq!(app.rows("c1").await, []);
    let conversation = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(conversation.draft.as_deref(), Some("somewhere"));
    let restored = app
        .told()
        .into_iter()
        .filter(|event| matches!(event, ClientEvent::DraftRestored { .. }));
    assert_eq!(restored.count(), 1);
    assert_eq!(
        app.service.count(Operation::Send),
        1,
        "never resent by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn a_direct_send_taken_back_while_unknown_restores_no_draft() {
    let mut app = unknown(Reply::Fail(lost())).await;
    let id = app.rows("c1").await[0].id;
    app.client.cancel(id).await.unwrap();
    app.service.always(Operation::History, Reply::Normal);
    pass(secs(60)).await;
    let conversation = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(conversation.draft, None);
    let restored = app
        .told()
        .into_iter()
        .any(|event| matches!(event, ClientEvent::DraftRestored { .. }));
    assert!(!restored);
}

#[tokio::test(start_paused = true)]
async fn a_direct_send_of_unknown_outcome_holds_nothing_up() {
    let app = unknown(Reply::Fail(lost())).await;
    let id = app.send("the next one").await;
    pass(secs(2)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn what_a_refused_direct_send_was_made_meanwhile_becomes_the_draft() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.edit = true)
        .build();
    let app = App::over(&service).await;
    let refusal = Reply::Later(secs(3), Box::new(Reply::Fail(rejected())));
    service.always(Operation::Send, refusal);
    let editing = async {
        pass(secs(1)).await;
        let id = app.rows("c1").await.remove(0).id;
        app.client.edit_message(id, "better").await.unwrap();
    };
    let (refused, ()) = tokio::join!(app.send_direct("first"), editing);
    assert_eq!(refused.unwrap_err().draft.as_deref(), Some("first"));
    assert_eq!(app.outbox().await, [], "its row is gone");
    let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(row.draft.as_deref(), Some("better"));
}
