//! Sends whose outcome nobody knows: a read decides, never a guess.

use tidings::{
    Config,
    domain::{delivery::DeliveryState, event::CloseReason, message::Role},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, lost, ms, pass, secs, unreachable};

// covers: F-27
#[tokio::test(start_paused = true)]
async fn l73_lost_ack_is_reconciled_not_resent() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::ApplyThenFail(lost()));
    let id = app.send("did it arrive").await;
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["did it arrive"]);
    assert_eq!(app.texts("c1").await, ["did it arrive"]);
    assert_eq!(app.service.count(Operation::Send), 1);
    app.assert_sound();
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn a_message_that_never_arrived_is_resent_after_two_reads() {
    let mut app = App::new().await;
    app.service.next(Operation::Send, Reply::Fail(lost()));
    let id = app.send("once more").await;
    pass(secs(9)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    assert_eq!(app.service.count(Operation::Send), 1);
    pass(secs(3)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    let calls = app.service.calls();
    let sends: Vec<_> = calls
        .iter()
        .filter(|call| call.operation == Operation::Send)
        .collect();
    let between = calls.iter().filter(|call| {
        call.operation == Operation::History && call.at >= sends[0].at && call.at <= sends[1].at
    });
    assert!(between.count() >= 2);
    assert!(sends[1].at - sends[0].at >= secs(10));
    app.assert_sound();
}

// covers: F-28
#[tokio::test(start_paused = true)]
async fn a_request_applied_after_its_answer_was_given_up_is_found_by_the_second_read() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::HangAndApply(secs(35)));
    let id = app.send("slow server").await;
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["slow server"]);
    assert_eq!(app.texts("c1").await, ["slow server"]);
    app.assert_sound();
}

// covers: F-28
#[tokio::test(start_paused = true)]
async fn an_error_told_after_the_deadline_is_no_error_of_ours() {
    let mut app = App::new().await;
    let late = Reply::Later(secs(31), Box::new(Reply::Fail(lost())));
    app.service.next(Operation::Send, late);
    let id = app.send("twice timed out").await;
    pass(secs(33)).await;
    app.assert_sound();
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    pass(secs(30)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    app.assert_sound();
}

// covers: F-06, F-07
#[tokio::test(start_paused = true)]
async fn a_send_into_a_deaf_socket_is_found_out_and_sent_again() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.service.session("c1").go_deaf();
    let id = handle.send("into the void").await.unwrap().id;
    pass(ms(5_100)).await;
    assert_eq!(
        app.service.all_sessions()[0].probes(),
        1,
        "an overdue confirmation probes at once"
    );
    pass(secs(40)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["into the void"]);
    app.assert_sound();
}

// covers: F-07
#[tokio::test(start_paused = true)]
async fn a_living_socket_that_confirms_nothing_is_not_waited_for_without_end() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.service.session("c1").stop_confirming();
    let id = handle.send("taken but not confirmed").await.unwrap().id;
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["taken but not confirmed"]);
    app.assert_sound();
}

// covers: F-09
#[tokio::test(start_paused = true)]
async fn a_socket_that_breaks_after_the_message_left_leads_to_a_read() {
    let mut app = App::new().await;
    let handle = app.live().await;
    let session = app.service.session("c1");
    session.stop_confirming();
    let id = handle.send("cut off").await.unwrap().id;
    pass(ms(100)).await;
    session.end(CloseReason::Broken);
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["cut off"]);
    app.assert_sound();
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn where_the_server_knows_keys_the_same_key_goes_again() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.idempotent_send = true)
        .build();
    let mut app = App::over(&service).await;
    service.next(Operation::Send, Reply::ApplyThenFail(lost()));
    let id = app.send("keyed").await;
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(service.count(Operation::Send), 2);
    assert_eq!(service.texts("c1"), ["keyed"]);
    app.assert_sound();
}

// covers: F-27
#[tokio::test(start_paused = true)]
async fn equal_texts_bind_one_to_one_when_both_are_uncertain() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::ApplyThenFail(lost()));
    let first = app.send("yes").await;
    pass(secs(1)).await;
    assert_eq!(
        app.state(first).await,
        DeliveryState::Sent,
        "the first read found it"
    );
    app.service.writes("c1", Role::Assistant, "go on");
    pass(secs(40)).await;
    app.service.next(Operation::Send, Reply::Fail(lost()));
    let second = app.send("yes").await;
    pass(secs(5)).await;
    assert_eq!(
        app.state(second).await,
        DeliveryState::Uncertain,
        "the older one is taken"
    );
    pass(secs(20)).await;
    assert_eq!(app.state(second).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["yes", "go on", "yes"]);
    assert_eq!(app.texts("c1").await, ["yes", "go on", "yes"]);
    app.assert_sound();
}

// covers: INV-02, INV-03
#[tokio::test(start_paused = true)]
async fn what_left_before_any_read_is_looked_for_in_all_of_the_history() {
    let service = ScriptedService::builder().conversation("c1").build();
    service.always(Operation::History, Reply::Fail(unreachable()));
    service.next(Operation::Send, Reply::ApplyThenFail(lost()));
    let config = Config {
        history_page: 2,
        ..Config::default()
    };
    let mut app = App::with(&service, config).await;
    let id = app.send("below the newest page").await;
    pass(secs(15)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    for text in ["one", "two", "three", "four"] {
        service.writes("c1", Role::Assistant, text);
    }
    service.clear_script();
    pass(secs(90)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(service.count(Operation::Send), 1);
    assert_eq!(service.texts("c1").len(), 5, "never a second copy");
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_resent_asks_the_user_and_blocks_nobody() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.auto_resend = false)
        .build();
    let mut app = App::over(&service).await;
    service.next(Operation::Send, Reply::Fail(lost()));
    let first = app.send("moves a lift").await;
    pass(secs(30)).await;
    assert_eq!(app.state(first).await, DeliveryState::Uncertain);
    assert!(app.outbox().await[0].parked);
    let second = app.send("something else").await;
    pass(secs(5)).await;
    assert_eq!(app.state(second).await, DeliveryState::Sent);
    assert_eq!(service.texts("c1"), ["something else"]);
    app.assert_sound();
}

// covers: F-09
#[tokio::test(start_paused = true)]
async fn reconciling_goes_on_when_reads_fail_for_a_while() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::ApplyThenFail(lost()));
    app.service
        .always(Operation::History, Reply::Fail(unreachable()));
    let id = app.send("patience").await;
    pass(secs(600)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    app.service.always(Operation::History, Reply::Normal);
    pass(secs(10)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.count(Operation::Send), 1);
    app.assert_sound();
}
