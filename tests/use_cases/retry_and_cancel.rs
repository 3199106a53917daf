//! Retry and cancel: what the user decides about an unsent message.

use tidings::{
    NetworkChange,
    domain::delivery::DeliveryState,
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, lost, pass, secs, unreachable};

#[tokio::test(start_paused = true)]
async fn a_queued_message_is_taken_back_and_never_leaves() {
    let mut app = App::new().await;
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("never mind").await;
    let next = app.send("the next").await;
    pass(secs(10)).await;
    let taken = app.client.cancel(id).await.unwrap();
    assert_eq!(taken.state, DeliveryState::Cancelled);
    app.service.always(Operation::Send, Reply::Normal);
    app.client.network_changed(NetworkChange::Up);
    pass(secs(5)).await;
    assert_eq!(app.service.texts("c1"), ["the next"]);
    assert_eq!(app.state(next).await, DeliveryState::Sent);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_message_on_the_wire_cannot_be_taken_back() {
    let app = App::new().await;
    app.service.next(Operation::Send, Reply::after(secs(5)));
    let id = app.send("gone").await;
    pass(secs(1)).await;
    let refused = app.client.cancel(id).await.unwrap_err();
    assert_eq!(refused.code(), "message.not_cancellable");
    pass(secs(10)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_message_taken_back_is_not_resent_and_still_binds() {
    let mut app = App::new().await;
    app.service
        .next(Operation::Send, Reply::HangAndApply(secs(60)));
    let id = app.send("too late to stop").await;
    pass(secs(35)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    app.client.cancel(id).await.unwrap();
    pass(secs(30)).await;
    let handle = app.live().await;
    pass(secs(5)).await;
    assert_eq!(
        app.service.texts("c1"),
        ["too late to stop"],
        "once: it was not resent"
    );
    let rows = app.rows("c1").await;
    assert_eq!(rows.len(), 1, "and it is the same row");
    assert_eq!((rows[0].id, rows[0].state), (id, DeliveryState::Sent));
    app.assert_sound();
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn a_parked_message_taken_back_stays_away() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.auto_resend = false)
        .build();
    let mut app = App::over(&service).await;
    service.next(Operation::Send, Reply::Fail(lost()));
    let id = app.send("moves a lift").await;
    pass(secs(30)).await;
    app.client.cancel(id).await.unwrap();
    pass(secs(600)).await;
    assert_eq!(app.state(id).await, DeliveryState::Cancelled);
    assert_eq!(service.count(Operation::Send), 1);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn only_a_failed_message_can_be_retried() {
    let app = App::new().await;
    let id = app.send("fine").await;
    pass(secs(1)).await;
    let refused = app.client.retry(id).await.unwrap_err();
    assert_eq!(refused.code(), "message.not_failed");
    let unknown = app.client.mint_message_id();
    assert_eq!(
        app.client.retry(unknown).await.unwrap_err().code(),
        "not_found"
    );
    assert_eq!(
        app.client.cancel(unknown).await.unwrap_err().code(),
        "not_found"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_taken_back_while_it_waits_for_the_socket_never_leaves() {
    let mut app = App::new().await;
    app.service.always(Operation::Connect, Reply::Hang);
    let handle = app.client.open(crate::support::chat("c1"));
    let id = handle.send("on second thought").await.unwrap().id;
    pass(secs(1)).await;
    app.client.cancel(id).await.unwrap();
    pass(secs(60)).await;
    assert!(app.service.texts("c1").is_empty());
    assert_eq!(app.state(id).await, DeliveryState::Cancelled);
    app.assert_sound();
}
