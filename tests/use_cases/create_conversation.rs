//! Creating: a call of its own, never a side effect.

use tidings::{
    domain::{
        message::Role,
        ports::{NewConversation, chat_repository::ConversationFilter},
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, pass, secs, unreachable};

fn coach() -> NewConversation {
    NewConversation {
        persona: Some("coach".into()),
        ..NewConversation::default()
    }
}

#[tokio::test(start_paused = true)]
async fn l33_first_message_is_observable_as_soon_as_create_returns() {
    let service = ScriptedService::builder().answering("Welcome").build();
    let app = App::over(&service).await;
    let id = app
        .client
        .create_conversation(coach())
        .await
        .unwrap()
        .conversation
        .id;
    let mut list = app
        .client
        .observe_conversations(ConversationFilter::default());
    assert_eq!(list.next().await.unwrap()[0].id, id);
    let handle = app.client.open(id.clone());
    let mut timeline = handle.observe(10);
    timeline.next().await.unwrap();
    handle.send("quick action").await.unwrap();
    let mut shown = Vec::new();
    while shown.len() < 2 {
        for change in timeline.next().await.unwrap() {
            change.apply(&mut shown).unwrap();
        }
    }
    let texts: Vec<_> = shown
        .iter()
        .map(|row| (row.role.clone(), row.text.as_str()))
        .collect();
    assert_eq!(texts[0], (Role::User, "quick action"));
    assert_eq!(texts[1].0, Role::Assistant);
}

#[tokio::test(start_paused = true)]
async fn l37_forced_create_and_find_are_different_calls() {
    let service = ScriptedService::builder().build();
    let app = App::over(&service).await;
    let first = app.client.create_conversation(coach()).await.unwrap();
    let second = app.client.create_conversation(coach()).await.unwrap();
    assert_ne!(
        first.conversation.id, second.conversation.id,
        "creating creates"
    );
    assert!(!first.existed && !second.existed);
    assert_eq!(service.count(Operation::Create), 2);
    let found = app
        .client
        .conversations(ConversationFilter::default())
        .await
        .unwrap();
    app.client
        .conversation(&first.conversation.id)
        .await
        .unwrap()
        .unwrap();
    app.client.refresh_conversations().await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(service.count(Operation::Create), 2, "finding does not");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_failed_stores_nothing() {
    let app = App::new().await;
    app.service
        .next(Operation::Create, Reply::Fail(unreachable()));
    let failed = app.client.create_conversation(coach()).await.unwrap_err();
    assert_eq!(failed.code(), "network.unreachable");
    let stored = app
        .client
        .conversations(ConversationFilter::default())
        .await
        .unwrap();
    assert_eq!(stored, []);
}

#[tokio::test(start_paused = true)]
async fn l36_opening_never_creates() {
    let app = App::new().await;
    let known = app.client.open(chat("c1"));
    let unknown = app.client.open(chat("gone"));
    pass(secs(600)).await;
    assert_eq!(app.service.count(Operation::Create), 0);
    assert_eq!(app.service.conversations(), [chat("c1")]);
    drop((known, unknown));
}
