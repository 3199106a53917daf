//! Archiving: a local overlay where the server has none.

use tidings::{
    domain::ports::chat_repository::ConversationFilter,
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, pass, rejected, secs, unreachable};

/// A server that archives, and cannot be reached.
async fn offline() -> App {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.archive = true)
        .build();
    let app = App::over(&service).await;
    app.client.refresh_conversations().await.unwrap();
    service.always_all(&Reply::Fail(unreachable()));
    app
}

async fn archive(app: &App, archived: bool) {
    app.client.archive(chat("c1"), archived).await.unwrap();
    pass(secs(5)).await;
}

async fn is_archived(app: &App) -> bool {
    let row = app.client.conversation(&chat("c1")).await.unwrap();
    row.unwrap().is_archived()
}

#[tokio::test(start_paused = true)]
async fn l45_archive_is_a_local_overlay() {
    let app = App::new().await;
    app.client.refresh_conversations().await.unwrap();
    let asked = app.service.calls().len();
    let archived = app.client.archive(chat("c1"), true).await.unwrap();
    assert!(archived.is_archived());
    assert_eq!(
        app.service.calls().len(),
        asked,
        "the server has no such thing"
    );
    assert!(!app.client.capabilities().archive, "and that is said");
    let shown = async |include_archived| {
        let filter = ConversationFilter {
            include_archived,
            limit: 0,
        };
        app.client.conversations(filter).await.unwrap().len()
    };
    assert_eq!((shown(false).await, shown(true).await), (0, 1));
    app.client.refresh_conversations().await.unwrap();
    app.service.pushes("c1", "a message");
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(shown(false).await, 0, "it survives what the server says");
    app.client.archive(chat("c1"), false).await.unwrap();
    assert_eq!(shown(false).await, 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_conversation_cannot_be_archived() {
    let app = App::new().await;
    let refused = app.client.archive(chat("nowhere"), true).await.unwrap_err();
    assert_eq!(refused.code(), "not_found");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_taken_back_leaves_the_mark_as_it_was() {
    let app = offline().await;
    archive(&app, false).await;
    let waiting = app.outbox().await.remove(0).id;
    app.client.cancel_action(waiting).await.unwrap();
    assert!(!is_archived(&app).await, "it was not archived before");

    archive(&app, true).await;
    archive(&app, false).await;
    archive(&app, true).await;
    app.service.clear_script();
    app.service
        .always(Operation::Archive, Reply::Fail(rejected()));
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(5)).await;
    assert_eq!(app.outbox().await, []);
    assert!(!is_archived(&app).await, "nor does the server know of it");
}
