//! Deleting a message: a tombstone that stays.

use tidings::{
    domain::delivery::DeliveryState,
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
    usecases::search_messages::SearchMessages,
};

use crate::support::{App, chat, pass, secs, unreachable};

// covers: INV-16
#[tokio::test(start_paused = true)]
async fn a_deleted_message_leaves_a_tombstone_and_does_not_return() {
    let app = App::new().await;
    let handle = app.live().await;
    app.service.pushes("c1", "regretted");
    pass(secs(1)).await;
    let id = app.rows("c1").await[0].id;
    let kept = app.service.rows("c1");
    let tomb = app.client.delete_message(id).await.unwrap().shown;
    assert!(tomb.deleted && tomb.text.is_empty());
    pass(secs(1)).await;
    assert!(app.service.rows("c1").is_empty());
    app.service.edit("c1", |rows| *rows = kept);
    app.client.synchronise(chat("c1")).await.unwrap();
    let shown = app
        .client
        .history(chat("c1"), None, 10, false)
        .await
        .unwrap();
    assert!(shown.messages.is_empty(), "a late copy brings nothing back");
    let search = SearchMessages::new("regretted");
    assert!(app.client.search(search).await.unwrap().hits.is_empty());
    assert_eq!(
        app.client
            .history(chat("c1"), None, 10, true)
            .await
            .unwrap()
            .messages
            .len(),
        1
    );
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn an_unsent_message_is_taken_back_without_asking_the_server() {
    let app = App::new().await;
    app.service
        .always(Operation::Send, Reply::Fail(unreachable()));
    let id = app.send("unsent").await;
    pass(secs(1)).await;
    let gone = app.client.delete_message(id).await.unwrap().shown;
    assert_eq!(gone.state, DeliveryState::Cancelled);
    assert_eq!(app.service.count(Operation::DeleteMessage), 0);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_cannot_delete_says_so() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.delete = false)
        .build();
    let app = App::over(&service).await;
    let id = app.send("sent").await;
    pass(secs(1)).await;
    let refused = app.client.delete_message(id).await.unwrap_err();
    assert_eq!(refused.code(), "unsupported");
    assert_eq!(app.texts("c1").await, ["sent"]);
}
