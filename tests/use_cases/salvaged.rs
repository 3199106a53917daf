//! A store that was damaged while things waited in it: they go on in the fresh one, and end at the
//! server once each.

use std::{path::Path, sync::Arc};

use tempfile::TempDir;
use tidings::{
    Config,
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::{
        event::ClientEvent,
        ids::{ClientMessageId, ConversationId},
        message::Role,
        outbox::SendMode,
        ports::{ChatRepository, NewConversation},
    },
    testing::{ScriptedService, scripted::Reply},
};

use crate::support::{App, chat, pass, secs, unreachable};

fn server() -> ScriptedService {
    ScriptedService::builder()
        .conversation("c1")
        .capable(|able| {
            able.edit = true;
            able.archive = true;
            able.one_turn_at_a_time = false;
        })
        .build()
}

async fn on(service: &ScriptedService, path: &Path) -> App {
    let mut options = SqliteOptions::new(path);
    options.executor = Executor::Inline;
    options.synchronous = Synchronous::Off;
    let store: Arc<dyn ChatRepository> = SqliteRepository::open(options).expect("a store");
    App::on(service, Config::default(), store).await
}

async fn end(app: App) {
    app.client.shutdown().await;
    app.repository.close().await;
}

/// What waits when the damage comes.
struct Waiting {
    edited: ClientMessageId,
    deleted: ClientMessageId,
    begun: ConversationId,
}

/// Two messages that the server has; then, offline, whatever there is to do.
async fn offline(app: &App) -> Waiting {
    let (edited, deleted) = (app.send("to edit").await, app.send("to delete").await);
    pass(secs(5)).await;
    app.service.writes("c1", Role::Assistant, "to be read");
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.always_all(&Reply::Fail(unreachable()));
    app.client.edit_message(edited, "edited").await.unwrap();
    app.client.delete_message(deleted).await.unwrap();
    app.client.mark_read(chat("c1")).await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    let draft = Some("half a sentence".to_owned());
    app.client.save_draft(chat("c1"), draft).await.unwrap();
    app.send("last words").await;
    app.client.complete(chat("c1")).await.unwrap();
    let new = NewConversation::default();
    let begun = app.client.begin_conversation(new).await.unwrap().id;
    let first = app.client.send(begun.clone(), "first", SendMode::Durable);
    first.await.unwrap();
    pass(secs(5)).await;
    Waiting {
        edited,
        deleted,
        begun,
    }
}

fn ruin(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let noise: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
    std::fs::write(path, noise).unwrap();
}

// covers: F-43, G4
#[tokio::test(start_paused = true)]
async fn whatever_waited_is_shown_and_done_once() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("chat.db");
    let service = server();
    let app = on(&service, &path).await;
    let waiting = offline(&app).await;
    let before: Vec<_> = app.outbox().await.iter().map(|entry| entry.id).collect();
    end(app).await;
    ruin(&path);

    let mut app = on(&service, &path).await;
    let after: Vec<_> = app.outbox().await.iter().map(|entry| entry.id).collect();
    assert_eq!((after.len(), &after), (8, &before));
    let edited = app.message(waiting.edited).await.expect("its row");
    assert_eq!(edited.text, "edited");
    assert!(app.message(waiting.deleted).await.expect("its row").deleted);
    let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert!(row.is_archived() && !row.is_writable());
    pass(secs(1)).await;
    let told = app.told();
    let salvages = told.iter().filter_map(|event| match event {
        ClientEvent::StoreSalvaged {
            unsent,
            drafts,
            lost,
            ..
        } => Some((*unsent, *drafts, *lost)),
        _ => None,
    });
    assert_eq!(salvages.collect::<Vec<_>>(), [(8, 1, 0)]);

    service.clear_script();
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(120)).await;
    assert_eq!(app.outbox().await, []);
    app.client.synchronise(chat("c1")).await.unwrap();
    let texts = ["edited", "to be read", "last words"];
    assert_eq!(service.texts("c1"), texts);
    let mut shown = app.texts("c1").await;
    shown.retain(|text| !text.is_empty());
    assert_eq!(shown, texts);
    assert!(service.read_to("c1").is_some());
    assert_eq!(service.texts("new1"), ["first"]);
    assert_eq!(app.texts("new1").await, ["first"]);
    let row = app.client.conversation(&waiting.begun).await.unwrap();
    assert_eq!(row.map(|row| row.id), Some(chat("new1")));
    let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(row.draft.as_deref(), Some("half a sentence"));
    app.assert_sound();
    end(app).await;
}
