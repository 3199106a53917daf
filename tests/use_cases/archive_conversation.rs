//! Archiving: a local overlay where the server has none.

use tidings::domain::ports::chat_repository::ConversationFilter;

use crate::support::{App, chat};

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
