//! Deleting: an explicit call, never a means of recovery.

use tidings::{
    domain::{
        conversation::ServerConversation,
        event::CloseReason,
        message::Role,
        ports::chat_repository::ConversationFilter,
        retry::{FailureKind, Outcome, RetryClass},
        time::WallTime,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, failure, pass, secs, unreachable};

fn listed() -> ScriptedService {
    let said = ServerConversation {
        created_at: Some(WallTime::from_millis(1)),
        ..ServerConversation::bare(chat("c1"))
    };
    ScriptedService::builder().stored(said).build()
}

async fn shown(app: &App) -> usize {
    let all = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    app.client.conversations(all).await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn a_deleted_conversation_is_gone_here_and_there() {
    let app = App::over(&listed()).await;
    app.client.refresh_conversations().await.unwrap();
    app.service.writes("c1", Role::Assistant, "a row");
    app.client.synchronise(chat("c1")).await.unwrap();
    app.client.delete_conversation(chat("c1")).await.unwrap();
    assert!(app.service.conversations().is_empty());
    assert_eq!(shown(&app).await, 0);
    assert_eq!(app.rows("c1").await, []);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_failed_keeps_the_rows() {
    let app = App::over(&listed()).await;
    app.client.refresh_conversations().await.unwrap();
    app.service
        .next(Operation::DeleteConversation, Reply::Fail(unreachable()));
    assert!(app.client.delete_conversation(chat("c1")).await.is_err());
    assert_eq!(shown(&app).await, 1);
}

#[tokio::test(start_paused = true)]
async fn l44_deleted_conversation_does_not_return_with_a_stale_list() {
    let app = App::over(&listed()).await;
    app.client.refresh_conversations().await.unwrap();
    app.service.next(Operation::List, Reply::after(secs(5)));
    let refresh = app.client.refresh_conversations();
    let delete = async {
        pass(secs(1)).await;
        app.client.delete_conversation(chat("c1")).await.unwrap();
    };
    let (stale, ()) = tokio::join!(refresh, delete);
    stale.unwrap();
    assert_eq!(shown(&app).await, 0, "an older list does not bring it back");
    app.client.refresh_conversations().await.unwrap();
    assert_eq!(shown(&app).await, 0);
}

// covers: L44
#[tokio::test(start_paused = true)]
async fn a_page_that_was_on_its_way_brings_no_deleted_conversation_back() {
    let app = App::over(&listed()).await;
    app.service.writes("c1", Role::Assistant, "a row");
    app.client.refresh_conversations().await.unwrap();
    app.service.next(Operation::History, Reply::after(secs(5)));
    let client = app.client.clone();
    let read = client.catch_up(chat("c1"));
    let delete = async {
        pass(secs(1)).await;
        app.client.delete_conversation(chat("c1")).await.unwrap();
    };
    let (_, ()) = tokio::join!(read, delete);
    pass(secs(10)).await;
    assert_eq!(shown(&app).await, 0);
}

#[tokio::test(start_paused = true)]
async fn l86_recovery_sends_no_delete() {
    let refusals = [
        FailureKind::NotFound,
        FailureKind::NotAllowed,
        FailureKind::Invalid,
    ];
    for kind in refusals {
        let app = App::over(&listed()).await;
        app.client.refresh_conversations().await.unwrap();
        let refused = failure(kind, RetryClass::Never, Outcome::NotApplied);
        let handle = app.live().await;
        app.service.always_all(&Reply::Fail(refused));
        app.service.session("c1").end(CloseReason::Broken);
        let id = handle.send("orphaned?").await.unwrap().id;
        let _ = app.client.refresh_conversations().await;
        pass(secs(600)).await;
        let _ = app.client.retry(id).await;
        pass(secs(60)).await;
        assert_eq!(app.service.count(Operation::DeleteConversation), 0);
        assert_eq!(app.service.count(Operation::DeleteMessage), 0);
        assert_eq!(
            app.service.count(Operation::Create),
            0,
            "nor is it created anew"
        );
        assert_eq!(app.texts("c1").await, ["orphaned?"]);
    }
}
