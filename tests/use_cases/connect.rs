//! Connecting: one session for each conversation, from the first handle to the last.

use tidings::{
    Config, NetworkChange,
    domain::{
        connection::{ConnectionState, Light},
        event::{ClientEvent, CloseReason, SessionEvent},
        message::Role,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, delta, server_message},
    },
};

use crate::support::{App, blocked, chat, ms, pass, secs};

#[tokio::test(start_paused = true)]
async fn l18_last_handle_dropped_closes_the_socket() {
    let app = App::new().await;
    let handle = app.live().await;
    let second = handle.clone();
    let third = app.client.open(chat("c1"));
    drop((handle, second));
    pass(secs(1)).await;
    assert_eq!(app.service.sessions("c1").len(), 1, "one handle is left");
    drop(third);
    pass(secs(1)).await;
    assert!(app.service.sessions("c1").is_empty());
    let calls = app.service.calls().len();
    pass(secs(3600)).await;
    assert_eq!(app.service.calls().len(), calls, "and nothing polls");
}

// covers: F-52
#[tokio::test(start_paused = true)]
async fn a_socket_that_opens_after_the_last_handle_went_is_closed() {
    let app = App::new().await;
    app.service.next(Operation::Connect, Reply::after(secs(5)));
    let handle = app.client.open(chat("c1"));
    pass(secs(1)).await;
    drop(handle);
    pass(secs(10)).await;
    assert_eq!(app.service.all_sessions().len(), 1, "the dial went through");
    assert!(app.service.sessions("c1").is_empty(), "and was hung up");
}

// covers: F-52
#[tokio::test(start_paused = true)]
async fn a_late_dial_does_not_take_the_place_of_the_socket_in_use() {
    let app = App::new().await;
    app.service.next(Operation::Connect, Reply::after(secs(5)));
    let handle = app.client.open(chat("c1"));
    pass(secs(1)).await;
    app.client.network_changed(NetworkChange::Up);
    pass(secs(1)).await;
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
    pass(secs(5)).await;
    assert_eq!(app.service.all_sessions().len(), 2);
    assert_eq!(
        app.service.sessions("c1").len(),
        1,
        "the late one was hung up"
    );
    app.service.pushes("c1", "still heard");
    pass(ms(100)).await;
    assert_eq!(app.texts("c1").await, ["still heard"]);
}

#[tokio::test(start_paused = true)]
async fn l94_two_handles_share_one_session() {
    let app = App::new().await;
    let first = app.client.open(chat("c1"));
    let second = app.client.open(chat("c1"));
    pass(secs(60)).await;
    assert_eq!(app.service.count(Operation::Connect), 1);
    assert_eq!(app.service.sessions("c1").len(), 1);
    drop((first, second));
}

#[tokio::test(start_paused = true)]
async fn l90_each_conversation_has_its_own_session() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .build();
    let app = App::over(&service).await;
    let first = app.client.open(chat("c1"));
    pass(secs(1)).await;
    let second = app.client.open(chat("c2"));
    pass(secs(1)).await;
    service.pushes("c2", "for the second");
    service.pushes("c1", "for the first");
    pass(secs(1)).await;
    assert_eq!(app.texts("c1").await, ["for the first"]);
    assert_eq!(app.texts("c2").await, ["for the second"]);
    drop(first);
    pass(secs(1)).await;
    assert!(service.sessions("c1").is_empty());
    assert_eq!(service.sessions("c2").len(), 1);
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn only_so_many_sockets_are_open_and_the_rest_polls() {
    let mut builder = ScriptedService::builder();
    for n in 0..5 {
        builder = builder.conversation(&format!("c{n}"));
    }
    let service = builder.build();
    let mut config = Config::default();
    config.set("max_live", "2").unwrap();
    let app = App::with(&service, config).await;
    let mut handles: Vec<_> = (0..5)
        .map(|n| app.client.open(chat(&format!("c{n}"))))
        .collect();
    pass(secs(20)).await;
    let live = |app: &App| {
        (0..5)
            .filter(|n| !app.service.sessions(&format!("c{n}")).is_empty())
            .count()
    };
    assert_eq!(live(&app), 2);
    service.writes("c4", Role::Assistant, "found by polling");
    pass(secs(6)).await;
    assert_eq!(app.texts("c4").await, ["found by polling"]);
    drop(handles.remove(0));
    pass(secs(2)).await;
    assert_eq!(live(&app), 2, "the free place was given on");
    assert!(service.sessions("c0").is_empty());
    drop(handles);
    pass(secs(1)).await;
    assert_eq!(live(&app), 0);
}

// covers: F-30
#[tokio::test(start_paused = true)]
async fn l67_message_between_history_and_socket_is_kept() {
    let app = App::new().await;
    app.service.writes("c1", Role::Assistant, "old");
    app.service.next(Operation::History, Reply::after(secs(2)));
    let handle = app.client.open(chat("c1"));
    pass(secs(1)).await;
    app.service.pushes("c1", "while the history is read");
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await, ["old", "while the history is read"]);
    drop(handle);
}

// covers: F-30
#[tokio::test(start_paused = true)]
async fn what_is_written_just_before_the_socket_opens_is_read() {
    let app = App::new().await;
    app.service.next(Operation::Connect, Reply::after(secs(1)));
    let handle = app.client.open(chat("c1"));
    pass(ms(990)).await;
    app.service.writes("c1", Role::Assistant, "nobody was told");
    pass(secs(1)).await;
    assert_eq!(app.texts("c1").await, ["nobody was told"]);
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn l66_answer_finished_while_offline_appears_after_reconnect() {
    let app = App::new().await;
    let handle = app.live().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    app.service.session("c1").push(delta("Half of "));
    pass(ms(100)).await;
    app.service.always_all(&Reply::Fail(blocked()));
    app.service.session("c1").end(CloseReason::Broken);
    app.service
        .writes("c1", Role::Assistant, "Half of it was lost");
    pass(secs(60)).await;
    app.service.always_all(&Reply::Normal);
    app.client.network_changed(NetworkChange::Up);
    pass(secs(2)).await;
    assert_eq!(app.texts("c1").await, ["a question", "Half of it was lost"]);
    handle.send("another").await.unwrap();
    pass(ms(100)).await;
    app.service.streams("c1", &["Fresh ", "text"]);
    pass(secs(2)).await;
    let texts = app.texts("c1").await;
    assert_eq!(
        texts[2..],
        ["another", "Fresh text"],
        "no remains of the last one"
    );
}

// covers: F-29
#[tokio::test(start_paused = true)]
async fn repeated_and_replayed_frames_are_one_row() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.pushes("c1", "once");
    let row = app.service.rows("c1").remove(0);
    for _ in 0..5 {
        app.service
            .session("c1")
            .push(SessionEvent::Message(row.clone()));
    }
    pass(secs(1)).await;
    app.service.session("c1").end(CloseReason::Broken);
    pass(secs(10)).await;
    app.service.session("c1").push(SessionEvent::Message(row));
    pass(secs(1)).await;
    assert_eq!(app.texts("c1").await, ["once"]);
    drop(handle);
}

// covers: F-35
#[tokio::test(start_paused = true)]
async fn an_unreadable_frame_is_made_up_for_within_two_seconds() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service
        .writes("c1", Role::Assistant, "it was in that frame");
    app.service.session("c1").push(SessionEvent::Undecodable);
    pass(secs(2)).await;
    assert_eq!(app.texts("c1").await, ["it was in that frame"]);
    drop(handle);
}

// covers: F-06
#[tokio::test(start_paused = true)]
async fn a_deaf_socket_is_replaced_within_fifteen_seconds_and_nothing_is_lost() {
    let mut app = App::new().await;
    let handle = app.live().await;
    app.told();
    app.service.session("c1").go_deaf();
    app.service.writes("c1", Role::Assistant, "unheard");
    pass(secs(15)).await;
    assert_eq!(app.texts("c1").await, ["unheard"]);
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
    assert_eq!(app.service.sessions("c1").len(), 1, "the old one is closed");
    let stale = app.told().into_iter().any(|event| {
        matches!(event, ClientEvent::Connection { status, .. } if status.state == ConnectionState::Stale)
    });
    assert!(stale);
}

#[tokio::test(start_paused = true)]
async fn the_light_is_green_yellow_and_red() {
    let app = App::new().await;
    let handle = app.live().await;
    assert_eq!(handle.connection().await.unwrap().light(), Light::Green);
    app.service
        .always(Operation::Connect, Reply::Fail(blocked()));
    app.service.session("c1").end(CloseReason::Code(1001));
    pass(secs(1)).await;
    let status = handle.connection().await.unwrap();
    assert_eq!(status.light(), Light::Yellow);
    app.service
        .always(Operation::History, Reply::Fail(blocked()));
    pass(secs(10)).await;
    assert_eq!(handle.connection().await.unwrap().light(), Light::Red);
}

// covers: F-29
#[tokio::test(start_paused = true)]
async fn a_push_of_a_stranger_kind_harms_nobody() {
    let mut app = App::new().await;
    let handle = app.live().await;
    let session = app.service.session("c1");
    session.push(SessionEvent::Unknown {
        name: "meal_log.completed".into(),
    });
    session.push(SessionEvent::Message(server_message(
        "x1",
        Role::Other("oracle".into()),
        "hm",
    )));
    pass(secs(1)).await;
    assert_eq!(app.rows("c1").await[0].role, Role::Other("oracle".into()));
    assert!(
        app.told()
            .iter()
            .any(|event| matches!(event, ClientEvent::Unknown { .. }))
    );
    assert_eq!(
        handle.connection().await.unwrap().state,
        ConnectionState::Live
    );
}
