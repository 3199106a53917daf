//! The list of conversations: the server's word, field by field, over what is local.

use tidings::{
    domain::{
        conversation::{Context, ServerConversation, Status},
        message::Role,
        ports::{Durability, chat_repository::ConversationFilter},
        rules::conversations,
        time::WallTime,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, ms, pass, secs, unreachable};

fn said(name: &str) -> ServerConversation {
    ServerConversation {
        persona: Some("coach".into()),
        status: Some(Status::new("active")),
        created_at: Some(WallTime::from_millis(1)),
        ..ServerConversation::bare(chat(name))
    }
}

async fn listed(app: &App) -> Vec<String> {
    let all = app
        .client
        .conversations(ConversationFilter::default())
        .await
        .unwrap();
    all.into_iter().map(|one| one.id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn l40_conversation_unknown_to_the_store_is_inserted() {
    let service = ScriptedService::builder()
        .stored(said("c1"))
        .stored(said("c2"))
        .build();
    let app = App::over(&service).await;
    let found = app.client.refresh_conversations().await.unwrap();
    assert_eq!((found.listed, found.removed), (2, 0));
    assert_eq!(listed(&app).await, ["c1", "c2"]);
    // One that no list named: its messages bring it along, and nothing is deleted.
    service.writes("c3", Role::Assistant, "unheard of");
    app.client.synchronise(chat("c3")).await.unwrap();
    assert_eq!(app.texts("c3").await, ["unheard of"]);
    assert_eq!(service.count(Operation::DeleteConversation), 0);
    assert_eq!(service.count(Operation::Create), 0);
}

#[tokio::test(start_paused = true)]
async fn l84_absent_field_erases_nothing_local() {
    let context = Context {
        kind: "goal".into(),
        id: Some("g1".into()),
    };
    let service = ScriptedService::builder()
        .stored(ServerConversation {
            context: Some(context.clone()),
            ..said("c1")
        })
        .build();
    let app = App::over(&service).await;
    app.client.refresh_conversations().await.unwrap();
    let id = chat("c1");
    let titled = app.repository.transact(Durability::Normal, move |rows| {
        conversations::overlay(rows, &id, |row| row.title = Some("my title".into()))
    });
    titled.await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    service.loses("c1");
    service.writes(
        "c1",
        Role::Assistant,
        "the server now says nothing but the id",
    );
    app.client.refresh_conversations().await.unwrap();
    let kept = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!(kept.title.as_deref(), Some("my title"));
    assert!(kept.archived);
    assert_eq!(kept.server.context, Some(context));
    assert_eq!(kept.server.persona.as_deref(), Some("coach"));
}

#[tokio::test(start_paused = true)]
async fn l46_counts_follow_the_stored_messages() {
    let service = ScriptedService::builder()
        .stored(said("c1"))
        .holding(
            "c1",
            &[
                (Role::User, "q"),
                (Role::Assistant, "a"),
                (Role::System, "note"),
            ],
        )
        .answering("ok")
        .build();
    let app = App::over(&service).await;
    let counts = async || {
        let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
        (
            row.stored,
            row.unread,
            row.last_message.map(|last| last.text),
        )
    };
    app.client.refresh_conversations().await.unwrap();
    assert_eq!(
        counts().await,
        (0, 0, None),
        "nothing is stored, whatever the server counts"
    );
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(counts().await, (3, 1, Some("note".into())));
    let handle = app.live().await;
    handle.send("more").await.unwrap();
    pass(secs(5)).await;
    assert_eq!(counts().await, (5, 2, Some("ok".into())));
    handle.mark_read().await.unwrap();
    assert_eq!(counts().await, (5, 0, Some("ok".into())));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_no_longer_lists_goes_unless_something_is_unsent() {
    let service = ScriptedService::builder()
        .stored(said("c1"))
        .stored(said("c2"))
        .build();
    let app = App::over(&service).await;
    app.client.refresh_conversations().await.unwrap();
    service.always(Operation::Send, Reply::Fail(unreachable()));
    app.send("unsent").await;
    pass(ms(100)).await;
    service.loses("c1");
    service.loses("c2");
    let found = app.client.refresh_conversations().await.unwrap();
    assert_eq!(found.removed, 1);
    assert_eq!(listed(&app).await, ["c1"]);
    assert_eq!(app.texts("c1").await, ["unsent"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_changes_nothing() {
    let service = ScriptedService::builder().stored(said("c1")).build();
    let app = App::over(&service).await;
    app.client.refresh_conversations().await.unwrap();
    service.next(Operation::List, Reply::Fail(unreachable()));
    assert!(app.client.refresh_conversations().await.is_err());
    assert_eq!(listed(&app).await, ["c1"]);
}
