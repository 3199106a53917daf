//! Conversations begun without a network: here at once, on the server once, under one name.

use std::sync::Arc;

use tempfile::TempDir;
use tidings::{
    Config,
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    domain::{
        conversation::{Context, ServerConversation},
        delivery::DeliveryState,
        event::ClientEvent,
        ids::ConversationId,
        message::Role,
        outbox::SendMode,
        ports::{
            ChatRepository, ChatService as _, NewConversation, chat_repository::ConversationFilter,
        },
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, lost, ms, pass, rejected, secs, unreachable};

fn server(keyed: bool) -> ScriptedService {
    ScriptedService::builder()
        .capable(|able| {
            able.idempotent_create = keyed;
            able.one_turn_at_a_time = false;
        })
        .build()
}

fn about_a_goal() -> NewConversation {
    NewConversation {
        persona: Some("coach".into()),
        context: Some(Context {
            kind: "goal".into(),
            id: Some("G-1".into()),
        }),
        ..NewConversation::default()
    }
}

async fn begin(app: &App) -> ConversationId {
    let begun = app.client.begin_conversation(about_a_goal()).await;
    begun.unwrap().id
}

async fn say(app: &App, id: &ConversationId, text: &str) {
    let sent = app.client.send(id.clone(), text, SendMode::Durable).await;
    sent.unwrap();
}

async fn listed(app: &App) -> Vec<ConversationId> {
    let all = app.client.conversations(ConversationFilter {
        include_archived: true,
        limit: 0,
    });
    all.await.unwrap().into_iter().map(|row| row.id).collect()
}

fn network_up(app: &App) {
    app.service.clear_script();
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
}

// covers: G3
#[tokio::test(start_paused = true)]
async fn it_takes_messages_at_once_and_they_leave_when_it_exists() {
    let mut app = App::over(&server(false)).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let local = begin(&app).await;
    assert!(local.is_local());
    let handle = app.client.open(local.clone());
    let mut timeline = app.client.observe_timeline(local.clone(), 10);
    timeline.next().await.unwrap();
    handle.send("first").await.unwrap();
    handle.send("second").await.unwrap();
    pass(secs(30)).await;
    assert_eq!(app.service.count(Operation::Send), 0);
    assert_eq!(
        app.service.count(Operation::Connect),
        0,
        "there is nothing to dial"
    );
    assert_eq!(app.service.count(Operation::History), 0);
    assert_eq!(listed(&app).await, std::slice::from_ref(&local));

    network_up(&app);
    pass(secs(30)).await;
    assert_eq!(listed(&app).await, [chat("new1")]);
    assert_eq!(app.service.texts("new1"), ["first", "second"]);
    assert_eq!(app.outbox().await, []);
    let row = app.client.conversation(&local).await.unwrap().unwrap();
    assert_eq!((row.id, row.stored), (chat("new1"), 2));
    let told = app.told();
    let bound = ClientEvent::ConversationBound {
        local: local.clone(),
        conversation: chat("new1"),
    };
    assert_eq!(told.iter().filter(|event| **event == bound).count(), 1);

    // Who holds the local name holds the conversation.
    assert_eq!(app.service.sessions("new1").len(), 1);
    app.service.pushes("new1", "an answer");
    pass(secs(1)).await;
    let page = app.client.history(local.clone(), None, 10, false).await;
    assert_eq!(page.unwrap().messages.len(), 3);
    handle.send("third").await.unwrap();
    pass(secs(1)).await;
    assert_eq!(app.service.texts("new1").len(), 4);
    drop(handle);
    pass(secs(3)).await;
    assert_eq!(app.service.sessions("new1").len(), 0);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_a_keyed_creation_is_asked_for_again() {
    let app = App::over(&server(true)).await;
    app.service
        .next(Operation::Create, Reply::ApplyThenFail(lost()));
    let local = begin(&app).await;
    say(&app, &local, "hello").await;
    pass(secs(60)).await;
    assert_eq!(app.service.conversations(), [chat("new1")]);
    assert_eq!(app.service.count(Operation::Create), 2);
    assert_eq!(app.service.texts("new1"), ["hello"]);
    assert_eq!(app.outbox().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_unkeyed_creation_is_found_in_the_listing() {
    let app = App::over(&server(false)).await;
    app.service
        .next(Operation::Create, Reply::ApplyThenFail(lost()));
    let local = begin(&app).await;
    say(&app, &local, "hello").await;
    pass(secs(60)).await;
    assert_eq!(app.service.conversations(), [chat("new1")]);
    assert_eq!(app.service.count(Operation::Create), 1);
    assert_eq!(app.service.texts("new1"), ["hello"]);
    assert_eq!(listed(&app).await, [chat("new1")]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_never_arrived_is_repeated_after_two_listings() {
    let app = App::over(&server(false)).await;
    app.service.next(Operation::Create, Reply::Fail(lost()));
    begin(&app).await;
    pass(secs(5)).await;
    assert_eq!(
        app.service.count(Operation::Create),
        1,
        "not before the grace"
    );
    pass(secs(60)).await;
    assert_eq!(app.service.count(Operation::Create), 2);
    assert_eq!(listed(&app).await, [chat("new1")]);
}

// covers: INV-02
#[tokio::test(start_paused = true)]
async fn a_creation_that_came_after_two_listings_is_found_in_the_third() {
    let app = App::over(&server(false)).await;
    app.service.next(Operation::Create, Reply::Hang);
    let local = begin(&app).await;
    say(&app, &local, "hello").await;
    // Given up after 30 s; the second listing comes at 40 s, and the one before the next attempt
    // fails at first.
    pass(secs(35)).await;
    app.service.next(Operation::List, Reply::Normal);
    app.service
        .next(Operation::List, Reply::Fail(unreachable()));
    pass(ms(5_500)).await;
    let late = NewConversation {
        key: None,
        ..about_a_goal()
    };
    app.service.create_conversation(&late).await.unwrap();
    pass(secs(60)).await;
    assert_eq!(app.service.conversations(), [chat("new1")]);
    assert_eq!(
        app.service.count(Operation::Create),
        2,
        "ours, and the late one"
    );
    assert_eq!(app.service.texts("new1"), ["hello"]);
    assert_eq!(listed(&app).await, [chat("new1")]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_had_before_is_not_taken_for_it() {
    let service = ScriptedService::builder()
        .stored(ServerConversation {
            persona: Some("coach".into()),
            context: about_a_goal().context,
            ..ServerConversation::bare(chat("old"))
        })
        .build();
    let app = App::over(&service).await;
    service.next(Operation::Create, Reply::ApplyThenFail(lost()));
    let local = begin(&app).await;
    pass(secs(60)).await;
    let row = app.client.conversation(&local).await.unwrap().unwrap();
    assert_eq!(row.id, chat("new1"));
    assert_eq!(service.conversations().len(), 2);
    assert_eq!(listed(&app).await.len(), 2);
}

/// Begins two conversations alike without a network; then these become of the first creations.
async fn two_of_a_kind(keyed: bool, creations: [Reply; 2]) -> App {
    let app = App::over(&server(keyed)).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    for text in ["one", "other"] {
        let begun = begin(&app).await;
        say(&app, &begun, text).await;
    }
    network_up(&app);
    for reply in creations {
        app.service.next(Operation::Create, reply);
    }
    app
}

async fn have_become_two(app: &App) {
    pass(secs(120)).await;
    assert_eq!(app.service.conversations().len(), 2);
    let mut texts = ["new1", "new2"].map(|id| app.service.texts(id));
    texts.sort();
    assert_eq!(texts, [["one"], ["other"]]);
    assert_eq!(app.outbox().await, []);
}

#[tokio::test(start_paused = true)]
async fn two_of_a_kind_become_two() {
    for keyed in [false, true] {
        let lost = || Reply::ApplyThenFail(lost());
        have_become_two(&two_of_a_kind(keyed, [lost(), lost()]).await).await;
    }
}

/// The list shows one that the other's key made: likeness would take it.
#[tokio::test(start_paused = true)]
async fn a_keyed_creation_is_not_taken_for_another_of_its_kind() {
    let replies = [
        Reply::ApplyThenFail(lost()),
        Reply::Later(secs(20), Box::new(Reply::Fail(lost()))),
    ];
    let app = two_of_a_kind(true, replies).await;
    pass(ms(20)).await;
    assert_eq!(
        app.service.count(Operation::Create),
        2,
        "both outcomes are open"
    );
    app.client.refresh_conversations().await.unwrap();
    have_become_two(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_creation_fails_what_waits_for_it_and_a_retry_brings_both_back() {
    let app = App::over(&server(false)).await;
    app.service
        .always(Operation::Create, Reply::Fail(rejected()));
    let local = begin(&app).await;
    say(&app, &local, "kept").await;
    app.client.archive(local.clone(), true).await.unwrap();
    pass(secs(30)).await;
    let rows = app.rows(local.as_str()).await;
    assert_eq!(
        (rows[0].text.as_str(), rows[0].state),
        ("kept", DeliveryState::Failed)
    );
    let left = app.outbox().await;
    assert!(
        left.iter()
            .all(|entry| entry.state == DeliveryState::Failed)
    );
    assert_eq!(app.service.count(Operation::Send), 0);

    app.service.clear_script();
    app.client.retry(rows[0].id).await.unwrap();
    pass(secs(30)).await;
    assert_eq!(app.service.texts("new1"), ["kept"]);
    assert_eq!(app.outbox().await, []);
}

#[tokio::test(start_paused = true)]
async fn one_that_only_this_device_knows_is_deleted_without_asking() {
    let app = App::over(&server(false)).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let local = begin(&app).await;
    say(&app, &local, "never mind").await;
    pass(secs(5)).await;
    app.client.delete_conversation(local.clone()).await.unwrap();
    assert!(listed(&app).await.is_empty() && app.outbox().await.is_empty());
    network_up(&app);
    pass(secs(60)).await;
    assert!(app.service.conversations().is_empty());
    assert_eq!(app.service.count(Operation::DeleteConversation), 0);
}

#[tokio::test(start_paused = true)]
async fn one_of_unknown_outcome_is_not_deleted_behind_the_servers_back() {
    let app = App::over(&server(false)).await;
    app.service.always(Operation::Create, Reply::Hang);
    let local = begin(&app).await;
    pass(secs(5)).await;
    let refused = app.client.delete_conversation(local).await.unwrap_err();
    assert_eq!(refused.code(), "send.outcome_unknown");
}

#[tokio::test(start_paused = true)]
async fn what_was_set_here_holds_for_the_one_it_became() {
    let app = App::over(&server(false)).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let local = begin(&app).await;
    app.client
        .save_draft(local.clone(), Some("half".into()))
        .await
        .unwrap();
    app.client.archive(local.clone(), true).await.unwrap();
    network_up(&app);
    pass(secs(30)).await;
    let row = app.client.conversation(&local).await.unwrap().unwrap();
    assert_eq!(row.id, chat("new1"));
    assert!(row.is_archived());
    assert_eq!(row.draft.as_deref(), Some("half"));
    app.service.writes("new1", Role::Assistant, "news");
    app.client.synchronise(local.clone()).await.unwrap();
    let read = app.client.mark_read(local).await.unwrap();
    assert_eq!((read.id, read.unread), (chat("new1"), 0));
}

fn store(home: &TempDir) -> Arc<dyn ChatRepository> {
    let mut options = SqliteOptions::new(home.path().join("chat.db"));
    options.executor = Executor::Inline;
    options.synchronous = Synchronous::Off;
    SqliteRepository::open(options).unwrap()
}

/// Ends as a killed process does: nothing is finished.
async fn kill(app: App) {
    app.repository.close().await;
    drop(app);
    pass(ms(1)).await;
}

/// The reply to the creation, and how long after the beginning the process is killed.
async fn killed_once(keyed: bool, create: Reply, life: u64) {
    let home = TempDir::new().unwrap();
    let service = server(keyed);
    service.next(Operation::Create, create);
    let app = App::on(&service, Config::default(), store(&home)).await;
    let local = begin(&app).await;
    say(&app, &local, "hello").await;
    pass(ms(life)).await;
    kill(app).await;
    let app = App::on(&service, Config::default(), store(&home)).await;
    pass(secs(120)).await;
    assert_eq!(service.conversations(), [chat("new1")]);
    assert_eq!(service.texts("new1"), ["hello"]);
    assert_eq!(listed(&app).await, [chat("new1")]);
    assert_eq!(app.outbox().await, []);
    let row = app.client.conversation(&local).await.unwrap().unwrap();
    assert_eq!(row.id, chat("new1"), "the local name leads there for ever");
}

// covers: F-45
#[tokio::test(start_paused = true)]
async fn killed_at_any_step_it_is_created_and_bound_once() {
    for keyed in [false, true] {
        // Before it left; on the wire, applied or not; after its answer was lost; when bound.
        killed_once(keyed, Reply::Normal, 0).await;
        killed_once(keyed, Reply::Hang, 5_000).await;
        killed_once(keyed, Reply::ApplyThenFail(lost()), 1).await;
        killed_once(keyed, Reply::after(secs(3)), 2_000).await;
        killed_once(keyed, Reply::after(secs(3)), 3_001).await;
        killed_once(keyed, Reply::Normal, 5_000).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_direct_send_does_not_wait_for_a_beginning() {
    let app = App::over(&server(false)).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let local = begin(&app).await;
    let refused = app.client.send(local, "now or never", SendMode::Direct);
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.error.code(), "network.unreachable");
    assert_eq!(refused.draft.as_deref(), Some("now or never"));
}

#[tokio::test(start_paused = true)]
async fn a_beginning_without_measure_is_refused() {
    let app = App::over(&server(false)).await;
    let new = NewConversation {
        persona: Some("x".repeat(100_000)),
        ..NewConversation::default()
    };
    let refused = app.client.begin_conversation(new).await.unwrap_err();
    assert_eq!(refused.code(), "create.too_large");
    assert!(app.outbox().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn new_words_bring_back_a_creation_that_failed() {
    let app = App::over(&server(false)).await;
    app.service
        .always(Operation::Create, Reply::Fail(rejected()));
    let local = begin(&app).await;
    say(&app, &local, "first").await;
    pass(secs(30)).await;

    say(&app, &local, "again").await;
    pass(secs(30)).await;
    let rows = app.rows(local.as_str()).await;
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [DeliveryState::Failed; 2], "nothing waits for ever");

    app.service.clear_script();
    app.client.complete(local).await.unwrap();
    pass(secs(30)).await;
    assert_eq!(app.service.conversations(), [chat("new1")]);
    let left = app.outbox().await;
    let failed = left.iter().filter(|entry| entry.is_send());
    assert_eq!(failed.count(), 2, "what failed stays the user's to decide");
    assert_eq!(left.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_creation_of_unknown_outcome_is_found_out_however_old() {
    let config = Config {
        send_expiry: secs(60),
        ..Config::default()
    };
    let app = App::with(&server(false), config).await;
    app.service.next(Operation::Create, Reply::Fail(lost()));
    let local = begin(&app).await;
    say(&app, &local, "too late").await;
    pass(secs(1)).await;
    app.service
        .always(Operation::List, Reply::Fail(unreachable()));
    pass(secs(120)).await;
    network_up(&app);
    pass(secs(120)).await;
    let left = app.outbox().await;
    let codes: Vec<_> = left
        .iter()
        .map(|entry| entry.reason.as_ref().map(|reason| reason.code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [Some("send.expired"), Some("conversation.not_created")]
    );
    assert!(
        left.iter()
            .all(|entry| entry.state == DeliveryState::Failed)
    );
}
