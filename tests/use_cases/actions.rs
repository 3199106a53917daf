//! Everything the user does works offline: shown at once, queued, done when the server hears.

use tidings::{
    Config,
    domain::{
        delivery::DeliveryState,
        ids::{ClientMessageId, ConversationId},
        message::Role,
        outbox::{ActionKind, SendMode},
        ports::{NewConversation, chat_repository::ConversationFilter},
        retry::{FailureKind, Outcome, RetryClass},
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, delta},
    },
    usecases::{search_messages::SearchMessages, wait_for_delivery::Delivery},
};

use crate::support::{App, chat, failure, lost, pass, rejected, secs, unreachable};

/// A backend that can do everything.
fn able() -> ScriptedService {
    ScriptedService::builder()
        .conversation("c1")
        .conversation("c2")
        .capable(|able| {
            able.edit = true;
            able.archive = true;
            able.one_turn_at_a_time = false;
        })
        .build()
}

/// One message of ours is on the server; then the network goes.
async fn sent_then_offline() -> (App, ClientMessageId) {
    let app = App::over(&able()).await;
    let id = app.send("first words").await;
    pass(secs(1)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.always_all(&Reply::Fail(unreachable()));
    (app, id)
}

/// The next send goes like this, and no history can be read to learn what became of it.
async fn undecided(send: &Reply) -> App {
    let app = App::over(&able()).await;
    app.service.writes("c1", Role::Assistant, "hello");
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.next(Operation::Send, send.clone());
    app.service
        .always(Operation::History, Reply::Fail(unreachable()));
    app
}

/// The network is back.
async fn online(app: &App) {
    app.service.clear_script();
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(5)).await;
}

async fn kinds(app: &App) -> Vec<ActionKind> {
    app.outbox()
        .await
        .iter()
        .map(|entry| entry.kind())
        .collect()
}

async fn stored(app: &App) -> tidings::domain::conversation::Conversation {
    app.client.conversation(&chat("c1")).await.unwrap().unwrap()
}

// covers: G3, G4
#[tokio::test(start_paused = true)]
async fn every_kind_queues_offline_and_is_done_online() {
    let (mut app, id) = sent_then_offline().await;
    let other = app.send("to be deleted").await;
    app.service.clear_script();
    pass(secs(5)).await;
    app.service.writes("c1", Role::Assistant, "to be read");
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.always_all(&Reply::Fail(unreachable()));

    app.client.edit_message(id, "better words").await.unwrap();
    app.client.delete_message(other).await.unwrap();
    app.client.mark_read(chat("c1")).await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    app.client.stop_answer(chat("c2")).await.unwrap();
    app.client
        .save_draft(chat("c1"), Some("half a sentence".into()))
        .await
        .unwrap();
    let last = app.send("last words").await;
    app.client.complete(chat("c1")).await.unwrap();
    app.client
        .begin_conversation(NewConversation::default())
        .await
        .unwrap();
    pass(secs(60)).await;
    let mut waiting = kinds(&app).await;
    waiting.sort_unstable();
    assert_eq!(waiting, ActionKind::ALL);
    let row = stored(&app).await;
    assert!(row.is_archived() && !row.is_writable() && row.unread == 0);
    assert_eq!(row.status(), Some("completed"));
    assert_eq!(
        app.texts("c1").await,
        ["better words", "", "to be read", "last words"]
    );

    online(&app).await;
    assert_eq!(kinds(&app).await, []);
    assert_eq!(
        app.service.texts("c1"),
        ["better words", "to be read", "last words"]
    );
    assert!(app.service.read_to("c1").is_some());
    assert_eq!(app.service.conversations().len(), 3);
    assert_eq!(app.state(last).await, DeliveryState::Sent);
    let row = stored(&app).await;
    assert_eq!(row.draft.as_deref(), Some("half a sentence"));
    assert!(!row.completing && !row.is_writable());
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_a_backend_cannot_do_is_refused_at_once() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| {
            able.edit = false;
            able.delete = false;
            able.complete = false;
            able.stop = false;
            able.read_marker = false;
            able.archive = false;
        })
        .build();
    let app = App::over(&service).await;
    let id = app.send("sent").await;
    pass(secs(5)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    let c1 = || chat("c1");
    let refused = [
        app.client
            .edit_message(id, "x")
            .await
            .map(drop)
            .unwrap_err(),
        app.client.delete_message(id).await.map(drop).unwrap_err(),
        app.client.complete(c1()).await.map(drop).unwrap_err(),
        app.client.stop_answer(c1()).await.map(drop).unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.code(), "unsupported");
    }
    app.client.mark_read(c1()).await.unwrap();
    app.client.archive(c1(), true).await.unwrap();
    assert_eq!(kinds(&app).await, [], "local ones wait for nobody");
    assert!(stored(&app).await.is_archived());
}

#[tokio::test(start_paused = true)]
async fn changes_of_what_has_not_left_fold_in() {
    let app = App::over(&able()).await;
    app.service.always_all(&Reply::Fail(unreachable()));
    let edited = app.send("raw").await;
    let deleted = app.send("regretted").await;
    pass(secs(1)).await;
    let shown = app.client.edit_message(edited, "well done").await.unwrap();
    assert_eq!(
        (shown.shown.text.as_str(), shown.action),
        ("well done", None)
    );
    let gone = app.client.delete_message(deleted).await.unwrap();
    assert_eq!(gone.shown.state, DeliveryState::Cancelled);
    assert_eq!(kinds(&app).await, [ActionKind::Send]);
    online(&app).await;
    assert_eq!(app.service.texts("c1"), ["well done"]);
    assert_eq!(app.service.count(Operation::EditMessage), 0);
    assert_eq!(app.service.count(Operation::DeleteMessage), 0);
}

#[tokio::test(start_paused = true)]
async fn repeated_changes_are_one_request_with_the_last_word() {
    let (app, id) = sent_then_offline().await;
    let first = app.client.edit_message(id, "second").await.unwrap().action;
    pass(secs(1)).await;
    let again = app.client.edit_message(id, "third").await.unwrap().action;
    assert_eq!(first, again, "one entry");
    for archived in [true, false, true] {
        app.client.archive(chat("c1"), archived).await.unwrap();
        pass(secs(1)).await;
    }
    app.service.clear_script();
    pass(secs(0)).await;
    online(&app).await;
    assert_eq!(app.service.texts("c1"), ["third"]);
    let row = stored(&app).await;
    assert!(row.is_archived());
    app.client.edit_message(id, "fourth").await.unwrap();
    app.client.delete_message(id).await.unwrap();
    online(&app).await;
    assert_eq!(app.service.texts("c1"), [""; 0]);
    assert!(app.message(id).await.unwrap().deleted);
}

#[tokio::test(start_paused = true)]
async fn what_undoes_itself_before_it_left_asks_nothing() {
    let (app, id) = sent_then_offline().await;
    app.service.always_all(&Reply::Hang);
    pass(secs(0)).await;
    // Held back: nothing has been attempted while the server asked for quiet.
    app.client.background(secs(0)).await.unwrap();
    app.client.edit_message(id, "other words").await.unwrap();
    app.client.edit_message(id, "first words").await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    app.client.archive(chat("c1"), false).await.unwrap();
    assert_eq!(kinds(&app).await, []);
    let row = app.message(id).await.unwrap();
    assert_eq!((row.text.as_str(), row.overlay), ("first words", None));
}

// covers: G4
#[tokio::test(start_paused = true)]
async fn a_refusal_takes_back_what_was_shown_and_says_why() {
    let (app, id) = sent_then_offline().await;
    let edit = app.client.edit_message(id, "worse words").await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    app.client.complete(chat("c1")).await.unwrap();
    app.service.always_all(&Reply::Fail(rejected()));
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(5)).await;
    assert_eq!(app.texts("c1").await, ["first words"]);
    let row = stored(&app).await;
    assert!(!row.is_archived() && row.is_writable());
    let key = edit.action.unwrap();
    let ended = app.client.wait_for_delivery(key).await.unwrap();
    assert!(matches!(ended, Delivery::Failed(reason) if reason.code == "rejected"));
    let kept = app.outbox().await;
    assert_eq!(kept.len(), 1, "what was typed is kept");
    assert_eq!(
        (kept[0].text(), kept[0].state),
        ("worse words", DeliveryState::Failed)
    );

    app.service.clear_script();
    app.client.retry_action(key).await.unwrap();
    assert_eq!(app.texts("c1").await, ["worse words"]);
    pass(secs(5)).await;
    assert_eq!(app.service.texts("c1"), ["worse words"]);
    assert_eq!(kinds(&app).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_refused_deletion_brings_the_message_back() {
    let (app, id) = sent_then_offline().await;
    app.client.delete_message(id).await.unwrap();
    let search = SearchMessages::new("first");
    assert!(app.client.search(search).await.unwrap().hits.is_empty());
    assert_eq!(stored(&app).await.last_message, None);
    app.service.clear_script();
    app.service
        .always(Operation::DeleteMessage, Reply::Fail(rejected()));
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(5)).await;
    let row = app.message(id).await.unwrap();
    assert!(!row.deleted && row.text == "first words" && row.overlay.is_none());
    assert_eq!(stored(&app).await.last_message.unwrap().text, "first words");
    assert_eq!(kinds(&app).await, []);
}

// covers: INV-17
#[tokio::test(start_paused = true)]
async fn a_page_in_between_does_not_lift_what_waits() {
    let (app, id) = sent_then_offline().await;
    app.client.edit_message(id, "my words").await.unwrap();
    app.service.always(Operation::History, Reply::Normal);
    for _ in 0..3 {
        app.client.synchronise(chat("c1")).await.unwrap();
        assert_eq!(app.texts("c1").await, ["my words"]);
    }
    // Another device was faster: its text is what comes to light when ours is refused.
    app.service.edit("c1", |rows| {
        rows[0].text = "their words".into();
        rows[0].revision += 1;
    });
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, ["my words"]);
    app.service
        .always(Operation::EditMessage, Reply::Fail(rejected()));
    pass(secs(120)).await;
    assert_eq!(app.texts("c1").await, ["their words"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_in_between_does_not_open_what_was_ended() {
    let (app, _) = sent_then_offline().await;
    app.client.complete(chat("c1")).await.unwrap();
    app.service.always(Operation::List, Reply::Normal);
    app.client.refresh_conversations().await.unwrap();
    assert_eq!(stored(&app).await.status(), Some("completed"));
    let refused = app.client.send(chat("c1"), "x", SendMode::Durable).await;
    assert_eq!(refused.unwrap_err().error.code(), "conversation.not_active");
}

#[tokio::test(start_paused = true)]
async fn a_lost_confirmation_of_an_edit_is_found_in_the_history() {
    let (app, id) = sent_then_offline().await;
    app.service.clear_script();
    app.service
        .always(Operation::EditMessage, Reply::ApplyThenFail(lost()));
    let edit = app.client.edit_message(id, "once").await.unwrap();
    pass(secs(0)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(kinds(&app).await, [], "the history shows it");
    let ended = app.client.wait_for_delivery(edit.action.unwrap()).await;
    assert!(matches!(ended, Ok(Delivery::OnServer(_))));
    assert_eq!(app.texts("c1").await, ["once"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_happened_is_done_again_until_it_is_known() {
    let (app, id) = sent_then_offline().await;
    app.service.clear_script();
    for operation in [
        Operation::DeleteMessage,
        Operation::Archive,
        Operation::Complete,
    ] {
        app.service.next(operation, Reply::ApplyThenFail(lost()));
    }
    app.client.delete_message(id).await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    app.client.complete(chat("c1")).await.unwrap();
    pass(secs(30)).await;
    assert_eq!(kinds(&app).await, []);
    assert_eq!(app.service.count(Operation::DeleteMessage), 2);
    assert_eq!(app.service.count(Operation::Archive), 2);
    assert!(app.message(id).await.unwrap().deleted);
    assert!(app.service.rows("c1").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_gone_at_the_server_counts_as_deleted() {
    let (app, id) = sent_then_offline().await;
    app.client.delete_message(id).await.unwrap();
    app.service.clear_script();
    let gone = failure(
        FailureKind::NotFound,
        RetryClass::Never,
        Outcome::NotApplied,
    );
    app.service
        .always(Operation::DeleteMessage, Reply::Fail(gone));
    app.client
        .network_changed(tidings::runtime::command::NetworkChange::Up);
    pass(secs(5)).await;
    assert_eq!(kinds(&app).await, []);
    assert!(app.message(id).await.unwrap().deleted);
}

// covers: G4
#[tokio::test(start_paused = true)]
async fn what_grew_too_old_ends_visibly() {
    let mut config = Config::default();
    config.set("send.expiry", "60s").unwrap();
    let app = App::with(&able(), config).await;
    let id = app.send("first words").await;
    pass(secs(1)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.always_all(&Reply::Fail(unreachable()));
    let mut told = app.client.observe_deliveries().await.unwrap();
    app.client.edit_message(id, "too late").await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    let begun = app.client.begin_conversation(NewConversation::default());
    let begun = begun.await.unwrap();
    let orphan = app.client.send(begun.id.clone(), "kept", SendMode::Durable);
    let orphan = orphan.await.unwrap().id;
    pass(secs(300)).await;
    let mut expired = Vec::new();
    while expired.len() < 4 {
        let entry = told.next().await.unwrap();
        if entry.state == DeliveryState::Failed {
            expired.push((entry.kind, entry.reason.unwrap().code));
        }
    }
    expired.sort();
    let old = || "send.expired".to_owned();
    assert_eq!(
        expired,
        [
            (ActionKind::Send, "conversation.not_created".to_owned()),
            (ActionKind::Create, old()),
            (ActionKind::Edit, old()),
            (ActionKind::Archive, old()),
        ]
    );
    assert_eq!(app.texts("c1").await, ["first words"]);
    assert!(!stored(&app).await.is_archived());
    assert_eq!(app.message(orphan).await.unwrap().text, "kept");
}

// covers: INV-06
#[tokio::test(start_paused = true)]
async fn words_keep_their_order_and_marks_overtake_an_uncertain_one() {
    let app = App::over(&able()).await;
    app.service.writes("c1", Role::Assistant, "hello");
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.always(Operation::Send, Reply::Hang);
    app.send("one").await;
    app.send("two").await;
    app.client.mark_read(chat("c1")).await.unwrap();
    app.client.archive(chat("c1"), true).await.unwrap();
    pass(secs(10)).await;
    assert_eq!(app.service.count(Operation::Send), 1);
    assert_eq!(kinds(&app).await, [ActionKind::Send, ActionKind::Send]);
    assert!(app.service.read_to("c1").is_some());
    app.client.complete(chat("c1")).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(
        app.service.count(Operation::Complete),
        0,
        "behind the words"
    );
    app.service.clear_script();
    pass(secs(120)).await;
    assert_eq!(app.service.texts("c1"), ["hello", "one", "two"]);
    assert_eq!(app.service.count(Operation::Complete), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_waits_for_the_fate_of_its_message() {
    let app = undecided(&Reply::ApplyThenFail(lost())).await;
    let id = app.send("draft words").await;
    pass(secs(1)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    app.client.edit_message(id, "final words").await.unwrap();
    assert_eq!(app.texts("c1").await, ["hello", "final words"]);
    assert_eq!(app.service.count(Operation::EditMessage), 0);
    app.service.clear_script();
    pass(secs(120)).await;
    assert_eq!(app.service.texts("c1"), ["hello", "final words"]);
    let rows = app.rows("c1").await;
    assert_eq!(
        rows.len(),
        2,
        "found by what was sent, not by what is shown"
    );
    assert_eq!(rows[1].text, "final words");
    assert_eq!(kinds(&app).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_what_never_arrived_is_what_is_sent() {
    let app = undecided(&Reply::Fail(lost())).await;
    let edited = app.send("draft words").await;
    pass(secs(1)).await;
    app.client
        .edit_message(edited, "final words")
        .await
        .unwrap();
    app.service.clear_script();
    pass(secs(120)).await;
    assert_eq!(app.service.texts("c1"), ["hello", "final words"]);
    assert_eq!(app.service.count(Operation::EditMessage), 0);
    assert_eq!(kinds(&app).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_message_that_never_arrived_is_not_sent_again() {
    let app = undecided(&Reply::Fail(lost())).await;
    let deleted = app.send("never mind").await;
    pass(secs(1)).await;
    app.client.delete_message(deleted).await.unwrap();
    assert!(app.message(deleted).await.unwrap().deleted);
    app.service.clear_script();
    pass(secs(120)).await;
    assert_eq!(app.state(deleted).await, DeliveryState::Cancelled);
    assert_eq!(app.service.texts("c1"), ["hello"]);
    assert_eq!(kinds(&app).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_stop_reaches_only_the_answer_it_was_meant_for() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.one_turn_at_a_time = false)
        .build();
    let app = App::over(&service).await;
    let handle = app.live().await;
    app.send("question").await;
    pass(secs(1)).await;
    app.service.session("c1").push(delta("An ans"));
    pass(secs(1)).await;
    app.service
        .always(Operation::StopAnswer, Reply::Fail(unreachable()));
    let stop = app.client.stop_answer(chat("c1")).await.unwrap().unwrap();
    pass(secs(1)).await;
    app.send("next question").await;
    pass(secs(1)).await;
    let asked = app.service.count(Operation::StopAnswer);
    app.service.clear_script();
    pass(secs(60)).await;
    assert_eq!(app.service.count(Operation::StopAnswer), asked);
    let ended = app.client.wait_for_delivery(stop).await.unwrap();
    assert!(
        matches!(ended, Delivery::OnServer(_)),
        "nothing left to stop"
    );
    assert_eq!(kinds(&app).await, []);
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_action_takes_back_what_it_showed() {
    let (app, id) = sent_then_offline().await;
    let edit = app.client.edit_message(id, "on second thought").await;
    let edit = edit.unwrap().action.unwrap();
    pass(secs(1)).await;
    app.client.cancel_action(edit).await.unwrap();
    assert_eq!(app.texts("c1").await, ["first words"]);
    assert_eq!(kinds(&app).await, []);
    let again = app.client.cancel_action(edit).await.unwrap_err();
    assert_eq!(again.code(), "not_found");
}

// covers: INV-17
#[tokio::test(start_paused = true)]
async fn a_draft_is_the_devices_own() {
    let (app, _) = sent_then_offline().await;
    let save = |text: Option<&str>| app.client.save_draft(chat("c1"), text.map(str::to_owned));
    save(Some("one")).await.unwrap();
    save(Some("two")).await.unwrap();
    app.service.always(Operation::List, Reply::Normal);
    app.client.refresh_conversations().await.unwrap();
    assert_eq!(stored(&app).await.draft.as_deref(), Some("two"));
    assert_eq!(save(Some(" \n")).await.unwrap().draft, None);
    let nowhere = app.client.save_draft(chat("nowhere"), None).await;
    assert_eq!(nowhere.unwrap_err().code(), "not_found");
    let shown = app.client.conversations(ConversationFilter::default());
    let ids: Vec<ConversationId> = shown.await.unwrap().into_iter().map(|c| c.id).collect();
    assert_eq!(ids, [chat("c1"), chat("c2")]);
}
