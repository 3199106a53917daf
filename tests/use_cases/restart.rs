//! Ending and starting again on the same file.

use std::sync::Arc;

use tempfile::TempDir;
use tidings::{
    Config,
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::{delivery::DeliveryState, message::Role, ports::ChatRepository},
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, ms, pass, secs, unreachable};

fn store(home: &TempDir) -> Arc<dyn ChatRepository> {
    let mut options = SqliteOptions::new(home.path().join("chat.db"));
    options.executor = Executor::Inline;
    options.synchronous = Synchronous::Off;
    SqliteRepository::open(options).unwrap()
}

async fn start(service: &ScriptedService, home: &TempDir) -> App {
    App::on(service, Config::default(), store(home)).await
}

/// Ends as a killed process does: nothing is finished.
async fn kill(app: App) {
    app.repository.close().await;
    drop(app);
    pass(ms(1)).await;
}

#[tokio::test(start_paused = true)]
async fn l32_message_from_either_transport_survives_a_restart() {
    let home = TempDir::new().unwrap();
    let service = ScriptedService::new();
    let app = start(&service, &home).await;
    let handle = app.live().await;
    service.pushes("c1", "over the socket");
    pass(secs(1)).await;
    drop(handle);
    pass(secs(1)).await;
    let handle = app.polling().await;
    service.writes("c1", Role::Assistant, "by polling");
    pass(secs(3)).await;
    handle.send("by request").await.unwrap();
    pass(secs(1)).await;
    let expected = ["over the socket", "by polling", "by request"];
    assert_eq!(app.texts("c1").await, expected);
    kill(app).await;
    let app = start(&service, &home).await;
    assert_eq!(
        app.texts("c1").await,
        expected,
        "before anything was asked of the server"
    );
}

#[tokio::test(start_paused = true)]
async fn l74_reopened_conversation_shows_each_message_once() {
    let home = TempDir::new().unwrap();
    let service = ScriptedService::builder()
        .conversation("c1")
        .answering("An answer")
        .build();
    let mut ids = Vec::new();
    for start_number in 0..4 {
        service.always(Operation::Connect, Reply::Normal);
        let app = start(&service, &home).await;
        let handle = if start_number % 2 == 0 {
            app.live().await
        } else {
            app.polling().await
        };
        handle.send("same text").await.unwrap();
        pass(secs(8)).await;
        drop(handle);
        let handle = app.client.open(chat("c1"));
        pass(secs(5)).await;
        let rows = app.rows("c1").await;
        assert_eq!(rows.len(), 2 * (start_number + 1));
        let now: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!(now[..ids.len()], ids, "one local key for life");
        ids = now;
        assert!(rows.iter().all(|row| row.server_id.is_some()));
        drop(handle);
        kill(app).await;
    }
}

// covers: F-45, INV-01
#[tokio::test(start_paused = true)]
async fn a_kill_between_accept_and_wire_loses_nothing() {
    let home = TempDir::new().unwrap();
    let service = ScriptedService::new();
    service.always_all(&Reply::Fail(unreachable()));
    let app = start(&service, &home).await;
    let ids = [app.send("one").await, app.send("two").await];
    kill(app).await;
    service.always_all(&Reply::Normal);
    let mut app = start(&service, &home).await;
    pass(secs(5)).await;
    assert_eq!(app.state(ids[0]).await, DeliveryState::Sent);
    service.writes("c1", Role::Assistant, "answer");
    pass(secs(40)).await;
    assert_eq!(app.state(ids[1]).await, DeliveryState::Sent);
    assert_eq!(service.texts("c1"), ["one", "answer", "two"]);
    app.assert_sound();
}

// covers: F-45, INV-02
#[tokio::test(start_paused = true)]
async fn a_kill_on_the_wire_is_uncertain_at_the_start_and_not_doubled() {
    let home = TempDir::new().unwrap();
    let service = ScriptedService::new();
    let app = start(&service, &home).await;
    service.next(Operation::Send, Reply::HangAndApply(ms(100)));
    let id = app.send("on the wire").await;
    pass(ms(50)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sending);
    kill(app).await;
    pass(secs(60)).await;
    let mut app = start(&service, &home).await;
    pass(secs(30)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(service.texts("c1"), ["on the wire"]);
    assert_eq!(app.texts("c1").await, ["on the wire"]);
    app.assert_sound();
}

// covers: F-45, G11
#[tokio::test(start_paused = true)]
async fn a_partial_answer_is_on_disk_within_a_quarter_second() {
    let home = TempDir::new().unwrap();
    let service = ScriptedService::new();
    let app = start(&service, &home).await;
    let handle = app.live().await;
    handle.send("a question").await.unwrap();
    pass(ms(100)).await;
    for piece in ["so ", "far ", "so ", "good "] {
        service
            .session("c1")
            .push(tidings::testing::scripted::delta(piece));
        pass(ms(20)).await;
    }
    pass(ms(250)).await;
    drop(handle);
    kill(app).await;
    let app = start(&service, &home).await;
    assert_eq!(app.texts("c1").await, ["a question", "so far so good "]);
    service.writes("c1", Role::Assistant, "so far so good it went");
    let handle = app.live().await;
    pass(secs(2)).await;
    assert_eq!(
        app.texts("c1").await,
        ["a question", "so far so good it went"]
    );
    drop(handle);
}
