//! Falling back: requests carry what the socket cannot.

use tidings::{
    NetworkChange,
    domain::{
        connection::{ConnectionState, Transport},
        event::CloseReason,
        message::Role,
    },
    testing::scripted::{Operation, Reply},
};

use crate::support::{App, blocked, chat, ms, pass, secs, slow_down};

// covers: F-04
#[tokio::test(start_paused = true)]
async fn a_refused_socket_is_polled_beside_within_a_quarter_of_a_second() {
    let app = App::new().await;
    app.service.writes("c1", Role::Assistant, "there before");
    app.service
        .always(Operation::Connect, Reply::Fail(blocked()));
    let handle = app.client.open(chat("c1"));
    pass(ms(250)).await;
    assert_eq!(app.texts("c1").await, ["there before"]);
    assert_eq!(
        handle.connection().await.unwrap().transport,
        Transport::Polling
    );
}

// covers: F-04
#[tokio::test(start_paused = true)]
async fn a_socket_that_says_nothing_costs_five_seconds_at_most() {
    let app = App::new().await;
    app.service.writes("c1", Role::Assistant, "there before");
    app.service.always(Operation::Connect, Reply::Hang);
    let handle = app.client.open(chat("c1"));
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await, ["there before"]);
    pass(secs(60)).await;
    assert!(
        app.service.count(Operation::Connect) >= 3,
        "a dial has a deadline too"
    );
    drop(handle);
}

// covers: F-04
#[tokio::test(start_paused = true)]
async fn a_reply_shows_within_six_seconds_of_being_stored() {
    let app = App::new().await;
    let handle = app.polling().await;
    for n in 0..10 {
        pass(secs(7)).await;
        handle.send(format!("question {n}")).await.unwrap();
        pass(secs(1)).await;
        app.service
            .writes("c1", Role::Assistant, &format!("answer {n}"));
        pass(secs(6)).await;
        assert_eq!(app.texts("c1").await.last(), Some(&format!("answer {n}")));
    }
}

#[tokio::test(start_paused = true)]
async fn the_socket_takes_over_again_and_the_polling_ends() {
    let app = App::new().await;
    let handle = app.polling().await;
    app.service.always(Operation::Connect, Reply::Normal);
    pass(secs(70)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
    let reads = app.service.count(Operation::History);
    pass(secs(600)).await;
    assert_eq!(app.service.count(Operation::History), reads);
}

#[tokio::test(start_paused = true)]
async fn order_is_the_same_over_either_transport() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.pushes("c1", "one, pushed");
    pass(ms(100)).await;
    app.service
        .always(Operation::Connect, Reply::Fail(blocked()));
    app.service.session("c1").end(CloseReason::Broken);
    app.service.writes("c1", Role::Assistant, "two, polled");
    pass(secs(5)).await;
    app.service.always(Operation::Connect, Reply::Normal);
    app.client.network_changed(NetworkChange::Up);
    pass(secs(1)).await;
    app.service.pushes("c1", "three, pushed");
    pass(secs(1)).await;
    let expected = ["one, pushed", "two, polled", "three, pushed"];
    assert_eq!(app.texts("c1").await, expected);
    drop(handle);
}

// covers: F-21
#[tokio::test(start_paused = true)]
async fn polls_obey_the_servers_wish_for_quiet() {
    let app = App::new().await;
    let handle = app.polling().await;
    app.service
        .next(Operation::History, Reply::Fail(slow_down(secs(60))));
    pass(secs(5)).await;
    let reads = app.service.count(Operation::History);
    pass(secs(50)).await;
    assert_eq!(app.service.count(Operation::History), reads);
    pass(secs(15)).await;
    assert!(app.service.count(Operation::History) > reads);
    drop(handle);
}

// covers: G5, F-21
#[tokio::test(start_paused = true)]
async fn g5_what_one_conversation_is_asked_to_wait_all_wait() {
    let app = App::new().await;
    let first = app.polling().await;
    let second = app.client.open(chat("c2"));
    pass(secs(5)).await;
    app.service
        .next(Operation::History, Reply::Fail(slow_down(secs(60))));
    let before = app.service.count(Operation::History);
    while app.service.count(Operation::History) == before {
        pass(ms(100)).await;
    }
    pass(secs(58)).await;
    assert_eq!(app.service.count(Operation::History), before + 1);
    pass(secs(5)).await;
    assert!(app.service.count(Operation::History) >= before + 3);
    drop((first, second));
}

// covers: F-01
#[tokio::test(start_paused = true)]
async fn a_device_without_a_network_rests_and_wakes_with_it() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.always_all(&Reply::Fail(blocked()));
    app.client.network_changed(NetworkChange::Down);
    pass(secs(1)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Offline
    );
    let reads = app.service.count(Operation::History);
    pass(secs(600)).await;
    assert_eq!(app.service.count(Operation::History), reads);
    app.service.always_all(&Reply::Normal);
    app.client.network_changed(NetworkChange::Up);
    pass(ms(250)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
}

// covers: F-14
#[tokio::test(start_paused = true)]
async fn a_restarting_server_is_found_again_and_the_turn_recovers() {
    let app = App::new().await;
    let handle = app.live().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    app.service.session("c1").end(CloseReason::Code(1012));
    app.service.writes("c1", Role::Assistant, "the answer");
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await, ["a question", "the answer"]);
    assert_eq!(app.service.sessions("c1").len(), 1);
}

// covers: F-03
#[tokio::test(start_paused = true)]
async fn a_conversation_deleted_elsewhere_closes_and_keeps_its_rows() {
    let app = App::new().await;
    app.service.writes("c1", Role::Assistant, "kept");
    let handle = app.live().await;
    app.service.loses("c1");
    app.service.session("c1").end(CloseReason::Code(1008));
    pass(secs(30)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Closed
    );
    assert_eq!(app.texts("c1").await, ["kept"]);
    let calls = app.service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls);
}
