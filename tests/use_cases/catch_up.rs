//! Catching up everywhere in the short life of a push wake-up.

use tidings::{
    NetworkChange,
    domain::{event::CloseReason, message::Role},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, pass, secs};

const MANY: usize = 500;

fn crowd() -> ScriptedService {
    let builder = (0..MANY).fold(ScriptedService::builder(), |builder, n| {
        builder.conversation(&format!("c{n}"))
    });
    let service = builder.build();
    for n in 0..MANY {
        service.writes(&format!("c{n}"), Role::Assistant, "hello");
    }
    service
}

// covers: G5, G18
#[tokio::test(start_paused = true)]
async fn g5_of_many_conversations_only_those_that_changed_are_asked_for() {
    let app = App::over(&crowd()).await;
    let caught = app.client.catch_up_within(secs(600)).await.unwrap();
    assert_eq!(
        (caught.new_messages, caught.conversations_changed),
        (MANY, MANY)
    );
    for n in 0..10 {
        for row in 0..20 {
            let text = format!("row {row}");
            app.service
                .writes(&format!("c{}", n * 7), Role::Assistant, &text);
        }
    }
    let before = app.service.calls().len();
    let caught = app.client.catch_up_within(secs(600)).await.unwrap();
    assert_eq!(
        (caught.new_messages, caught.conversations_changed),
        (200, 10)
    );
    assert!(caught.finished);
    let asked = app.service.calls().len() - before;
    assert!(asked <= 20, "{asked} requests for ten conversations");
    let caught = app.client.catch_up_within(secs(600)).await.unwrap();
    assert_eq!((caught.new_messages, caught.finished), (0, true));
    assert_eq!(
        app.service.calls().len(),
        before + asked + 1,
        "only the list"
    );
}

// covers: G5
#[tokio::test(start_paused = true)]
async fn g5_a_reconnect_asks_little_in_its_first_second_and_the_rest_when_asked() {
    let app = App::over(&crowd()).await;
    app.client.catch_up_within(secs(600)).await.unwrap();
    let open = app.live().await;
    app.service
        .always_all(&Reply::Fail(crate::support::blocked()));
    app.client.network_changed(NetworkChange::Down);
    app.service.session("c1").end(CloseReason::Broken);
    pass(secs(60)).await;
    app.service.always_all(&Reply::Normal);
    for n in 0..10 {
        app.service
            .writes(&format!("c{n}"), Role::Assistant, "news");
    }
    let before = app.service.calls().len();
    app.client.network_changed(NetworkChange::Up);
    pass(secs(1)).await;
    let first = app.service.calls().len() - before;
    assert!(
        (1..=5).contains(&first),
        "{first} requests in the first second"
    );
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await, ["hello", "news"], "the open one");
    let caught = app.client.catch_up_within(secs(600)).await.unwrap();
    assert_eq!((caught.new_messages, caught.finished), (9, true));
    let asked = app.service.calls().len() - before;
    assert!(asked <= 20, "{asked} requests for ten conversations");
    drop(open);
}

// covers: G18
#[tokio::test(start_paused = true)]
async fn g18_what_waits_is_delivered_and_counted() {
    let app = App::new().await;
    app.service
        .always(Operation::Send, Reply::Fail(crate::support::unreachable()));
    app.send("waiting").await;
    pass(secs(1)).await;
    app.service.clear_script();
    let caught = app.client.catch_up_within(secs(60)).await.unwrap();
    assert_eq!((caught.delivered, caught.finished), (1, true));
}

// covers: G9, G18
#[tokio::test(start_paused = true)]
async fn a_long_absence_shows_the_newest_and_leaves_a_gap_that_a_later_read_fills() {
    let app = App::new().await;
    app.service.writes("c1", Role::Assistant, "first");
    app.client.catch_up(chat("c1")).await.unwrap();
    for n in 0..300 {
        app.service
            .writes("c1", Role::Assistant, &format!("row {n}"));
    }
    let caught = app.client.catch_up_within(secs(60)).await.unwrap();
    assert!(!caught.finished);
    let rows = app.rows("c1").await;
    assert_eq!(rows.last().unwrap().text, "row 299");
    assert_eq!(rows.iter().filter(|row| row.gap.is_some()).count(), 1);
    app.client.catch_up(chat("c1")).await.unwrap();
    let rows = app.rows("c1").await;
    assert_eq!(rows.len(), 301);
    assert!(rows.iter().all(|row| row.gap.is_none()));
}
