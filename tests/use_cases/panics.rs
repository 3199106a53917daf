//! An adapter that panics: the call has failed, the client goes on, the store is whole.

use tidings::{
    domain::{connection::ConnectionState, delivery::DeliveryState, message::Role},
    testing::scripted::{Operation, Reply},
};

use crate::support::{App, chat, pass, secs};

#[tokio::test(start_paused = true)]
async fn f53_panic_while_sending_leaves_the_outcome_unknown_and_history_decides() {
    let app = App::new().await;
    let handle = app.polling().await;
    app.service.next(Operation::Send, Reply::Panic);
    let id = handle.send("hello").await.unwrap().id;
    pass(secs(1)).await;
    let row = app.message(id).await.unwrap();
    assert_eq!(row.state, DeliveryState::Uncertain);
    pass(secs(60)).await;
    let row = app.message(id).await.unwrap();
    assert!(row.state.is_on_server(), "{row:?}");
    assert_eq!(app.service.texts("c1"), ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn f53_panic_while_sending_over_the_socket_is_no_other() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.next(Operation::SocketSend, Reply::Panic);
    let id = handle.send("hello").await.unwrap().id;
    pass(secs(60)).await;
    assert!(app.message(id).await.unwrap().state.is_on_server());
    assert_eq!(app.service.texts("c1"), ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn f53_panic_while_dialling_or_reading_is_tried_again() {
    let app = App::new().await;
    app.service.next(Operation::Connect, Reply::Panic);
    app.service.next(Operation::History, Reply::Panic);
    app.service.writes("c1", Role::Assistant, "waiting for you");
    let handle = app.client.open(chat("c1"));
    pass(secs(30)).await;
    let state = handle.connection().await.unwrap().state;
    assert_eq!(state, ConnectionState::Live);
    assert_eq!(app.texts("c1").await, ["waiting for you"]);
}
