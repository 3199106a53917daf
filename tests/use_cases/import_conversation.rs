//! Export and import: what was kept is here again, and nothing of it leaves unless the user asks.

use std::sync::Arc;

use tidings::{
    Config,
    adapters::memory::MemoryRepository,
    domain::{
        cursor::Gap,
        delivery::DeliveryState,
        ids::ClientMessageId,
        message::Role,
        outbox::SendMode,
        ports::{ChatRepository, Durability, NewConversation},
        transcript::Imported,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply},
    },
};

use crate::support::{App, chat, lost, pass, rejected, secs, unreachable};

/// Longer than any delay of a resend.
const LONG: u64 = 2 * 3600;

/// A device that has seen nothing yet, and whose keys are its own.
async fn another(service: &ScriptedService) -> App {
    let repository: Arc<dyn ChatRepository> = Arc::new(MemoryRepository::new());
    let starts = repository.transact(Durability::Normal, |rows| rows.put_setting("starts", "70"));
    starts.await.unwrap();
    App::on(service, Config::default(), repository).await
}

async fn exported(app: &App) -> String {
    app.client.export_document(chat("c1")).await.unwrap()
}

async fn imported(app: &App, document: &str) -> Imported {
    app.client.import_document(document).await.unwrap()
}

fn talkative(messages: usize) -> ScriptedService {
    let service = ScriptedService::builder().conversation("c1").build();
    speak(&service, 1..=messages);
    service
}

fn speak(service: &ScriptedService, numbers: std::ops::RangeInclusive<usize>) {
    for n in numbers {
        service.writes("c1", Role::Assistant, &format!("said {n}"));
    }
}

/// A device on which a message waits, and its document.
async fn waiting(reply: Reply) -> (ClientMessageId, String) {
    let service = ScriptedService::new();
    let app = App::over(&service).await;
    service.always(Operation::Send, reply.clone());
    service.always(Operation::SocketSend, reply);
    service.always(Operation::History, Reply::Fail(unreachable()));
    let id = app.send("kept").await;
    pass(secs(40)).await;
    let document = exported(&app).await;
    app.client.shutdown().await;
    (id, document)
}

#[tokio::test(start_paused = true)]
async fn what_waited_leaves_only_when_the_user_asks() {
    let (id, document) = waiting(Reply::Fail(unreachable())).await;
    let mut app = another(&ScriptedService::new()).await;
    let done = imported(&app, &document).await;
    assert_eq!((done.added, done.restored), (1, true));
    let handle = app.live().await;
    app.client.flush().await.unwrap();
    app.send("something new").await;
    pass(secs(LONG)).await;
    let row = app.message(id).await.unwrap();
    assert_eq!(
        (row.state, row.text.as_str()),
        (DeliveryState::Failed, "kept")
    );
    let entry = &app.outbox().await[0];
    let reason = entry.reason.as_ref().unwrap();
    assert_eq!((entry.id, reason.code.as_str()), (id, "send.imported"));
    assert_eq!(app.service.texts("c1"), ["something new"]);
    app.client.retry(id).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.service.texts("c1"), ["something new", "kept"]);
    imported(&app, &document).await;
    pass(secs(LONG)).await;
    assert_eq!(app.service.texts("c1"), ["something new", "kept"]);
    assert_eq!(app.texts("c1").await, ["something new", "kept"]);
    drop(handle);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn what_may_have_arrived_stays_uncertain_is_never_resent_and_binds_when_found() {
    let (id, document) = waiting(Reply::Fail(lost())).await;
    let mut app = another(&ScriptedService::new()).await;
    imported(&app, &document).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    let handle = app.live().await;
    pass(secs(LONG)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    assert_eq!(app.service.texts("c1"), [""; 0]);
    app.service.writes_own("c1", "kept");
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.texts("c1").await, ["kept"]);
    assert!(app.outbox().await.is_empty());
    drop(handle);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_restored_history_goes_on_where_it_ended() {
    let service = talkative(250);
    let first = App::over(&service).await;
    first.client.synchronise(chat("c1")).await.unwrap();
    let document = exported(&first).await;
    let keys: Vec<_> = first.rows("c1").await.iter().map(|row| row.id).collect();
    first.client.shutdown().await;
    speak(&service, 251..=260);
    let mut app = another(&service).await;
    imported(&app, &document).await;
    let asked = service.count(Operation::History);
    assert_eq!(app.client.catch_up(chat("c1")).await.unwrap(), 10);
    assert!(service.count(Operation::History) - asked <= 2);
    let rows = app.rows("c1").await;
    assert!(rows.iter().map(|row| row.id).take(250).eq(keys));
    assert_eq!(app.texts("c1").await, service.texts("c1"));
    app.assert_sound();
}

/// The newest page is here, and an older document of all comes: the server tells what is older.
#[tokio::test(start_paused = true)]
async fn what_lies_before_the_part_read_here_is_left_to_the_server() {
    let service = talkative(250);
    let first = App::over(&service).await;
    first.client.synchronise(chat("c1")).await.unwrap();
    let document = exported(&first).await;
    first.client.shutdown().await;
    let mut app = another(&service).await;
    let handle = app.live().await;
    let here = app.rows("c1").await;
    assert!((1..250).contains(&here.len()), "{}", here.len());
    let done = imported(&app, &document).await;
    assert_eq!(
        (done.added, done.known, done.restored),
        (0, here.len(), false)
    );
    assert_eq!(done.left, 250 - here.len());
    assert_eq!(app.rows("c1").await, here);
    while app.client.load_older(chat("c1")).await.unwrap() {}
    assert_eq!(app.texts("c1").await, service.texts("c1"));
    drop(handle);
    app.assert_sound();
}

/// Holes, and rows that another hand took out: what is missing is found from the newest page down.
#[tokio::test(start_paused = true)]
async fn f31_what_is_missing_in_a_document_is_read_from_the_server_anew() {
    let service = talkative(330);
    let first = App::over(&service).await;
    first.client.synchronise(chat("c1")).await.unwrap();
    let whole: serde_json::Value = serde_json::from_str(&exported(&first).await).unwrap();
    first.client.shutdown().await;
    speak(&service, 331..=480);
    for (more_before, holes) in [(false, &[9][..]), (true, &[200, 30]), (true, &[])] {
        let mut document = whole.clone();
        document["conversation"]["more_before"] = more_before.into();
        let rows = document["messages"].as_array_mut().unwrap();
        for hole in holes {
            rows[*hole]["gap"] = true.into();
            rows.drain(hole + 1..hole + 4);
        }
        let mut app = another(&service).await;
        let done = imported(&app, &document.to_string()).await;
        assert_eq!(done.added, 330 - 3 * holes.len());
        app.client.catch_up(chat("c1")).await.unwrap();
        assert_eq!(app.texts("c1").await, service.texts("c1"), "{holes:?}");
        let rows = app.rows("c1").await;
        assert!(rows.iter().all(|row| row.gap.is_none()), "{holes:?}");
        while app.client.load_older(chat("c1")).await.unwrap() {}
        let row = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
        assert_eq!(row.sync.oldest, None);
        assert_eq!(app.rows("c1").await, rows);
        app.assert_sound();
        app.client.shutdown().await;
    }
}

/// Rows of the document that are newer than what is here show at once; the next reading proves that
/// nothing is missing around them.
#[tokio::test(start_paused = true)]
async fn what_is_newer_than_the_part_read_here_shows_and_is_proved_by_the_next_reading() {
    let service = talkative(20);
    let mut app = another(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    speak(&service, 21..=30);
    let first = App::over(&service).await;
    first.client.synchronise(chat("c1")).await.unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&exported(&first).await).unwrap();
    first.client.shutdown().await;
    // Another hand has taken a row out of it.
    document["messages"].as_array_mut().unwrap().remove(24);
    let done = imported(&app, &document.to_string()).await;
    assert_eq!((done.added, done.known, done.left), (9, 20, 0));
    let rows = app.rows("c1").await;
    assert_eq!((rows.len(), &rows[19].gap), (29, &Some(Gap::ahead())));
    app.client.catch_up(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, service.texts("c1"));
    let gaps = app
        .rows("c1")
        .await
        .iter()
        .filter(|row| row.gap.is_some())
        .count();
    assert_eq!(gaps, 0);
    app.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn inv16_what_was_deleted_here_stays_deleted() {
    let service = talkative(3);
    let app = App::over(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    let document = exported(&app).await;
    let id = app.rows("c1").await[1].id;
    app.client.delete_message(id).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(imported(&app, &document).await.added, 0);
    assert!(app.message(id).await.unwrap().deleted);
    // A deletion that has not reached the server yet is one in the document, too.
    service.always_all(&Reply::Fail(unreachable()));
    let id = app.rows("c1").await[0].id;
    app.client.delete_message(id).await.unwrap();
    let other = another(&talkative(3)).await;
    imported(&other, &exported(&app).await).await;
    assert!(other.message(id).await.unwrap().deleted);
    service.always_all(&Reply::Normal);
    app.client.delete_conversation(chat("c1")).await.unwrap();
    let refused = app.client.import_document(document).await.unwrap_err();
    assert_eq!(refused.code(), "import.deleted");
    assert!(
        app.client
            .conversation(&chat("c1"))
            .await
            .unwrap()
            .is_none()
    );
}

/// While a message here looks for its row, a row of the document may be that one.
#[tokio::test(start_paused = true)]
async fn inv02_a_row_of_the_document_never_takes_the_place_of_an_unconfirmed_message() {
    let service = talkative(2);
    let app = another(&service).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    service.always(Operation::Send, Reply::ApplyThenFail(lost()));
    service.always(Operation::SocketSend, Reply::ApplyThenFail(lost()));
    let id = app.send("once").await;
    service.always(Operation::History, Reply::Fail(unreachable()));
    pass(secs(1)).await;
    assert_eq!(app.state(id).await, DeliveryState::Uncertain);
    assert_eq!(service.texts("c1").len(), 3);
    // The other device has read it, under a key of its own.
    service.always(Operation::History, Reply::Normal);
    let first = App::over(&service).await;
    first.client.synchronise(chat("c1")).await.unwrap();
    let document = exported(&first).await;
    first.client.shutdown().await;
    let done = imported(&app, &document).await;
    assert_eq!((done.added, done.left), (0, 1));
    service.clear_script();
    pass(secs(60)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(app.texts("c1").await, service.texts("c1"));
    assert_eq!(service.texts("c1").len(), 3, "not sent again");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_waited_is_kept_beside_the_text_that_the_server_has() {
    let service = ScriptedService::builder()
        .conversation("c1")
        .capable(|able| able.edit = true)
        .build();
    let app = App::over(&service).await;
    let handle = app.live().await;
    let id = app.send("first").await;
    pass(secs(5)).await;
    drop(handle);
    service.always_all(&Reply::Fail(unreachable()));
    app.client.edit_message(id, "second").await.unwrap();
    let document = exported(&app).await;
    app.client.shutdown().await;
    service.always_all(&Reply::Normal);
    let app = another(&service).await;
    imported(&app, &document).await;
    let handle = app.live().await;
    pass(secs(LONG)).await;
    assert_eq!(app.texts("c1").await, ["first"]);
    assert_eq!(service.texts("c1"), ["first"]);
    let edit = app.outbox().await.remove(0);
    assert_eq!((edit.state, edit.text()), (DeliveryState::Failed, "second"));
    app.client.retry_action(edit.id).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(service.texts("c1"), ["second"]);
    assert_eq!(app.texts("c1").await, ["second"]);
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_no_server_has_is_created_only_when_the_user_asks() {
    let service = ScriptedService::builder().build();
    service.always_all(&Reply::Fail(unreachable()));
    let app = App::over(&service).await;
    let new = NewConversation {
        persona: Some("coach".into()),
        ..NewConversation::default()
    };
    let begun = app.client.begin_conversation(new).await.unwrap().id;
    let sent = app.client.send(begun.clone(), "hello", SendMode::Durable);
    let id = sent.await.unwrap().id;
    let document = app.client.export_document(begun.clone()).await.unwrap();
    app.client.shutdown().await;
    service.always_all(&Reply::Normal);
    let mut app = another(&service).await;
    imported(&app, &document).await;
    let again = app.client.export_document(begun.clone()).await.unwrap();
    assert_eq!(again, document);
    pass(secs(LONG)).await;
    assert_eq!(service.count(Operation::Create), 0);
    app.client.retry(id).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(app.state(id).await, DeliveryState::Sent);
    assert_eq!(service.conversations().len(), 1);
    assert_eq!(imported(&app, &document).await.added, 0);
    assert_eq!(app.outbox().await, []);
    app.assert_sound();
}

/// What failed with its conversation is brought back with it where it failed; a document's is not.
#[tokio::test(start_paused = true)]
async fn a_retry_in_an_imported_conversation_sends_what_was_asked_for_and_no_more() {
    let service = ScriptedService::builder().build();
    service.always(Operation::Create, Reply::Fail(rejected()));
    let app = App::over(&service).await;
    let begun = app.client.begin_conversation(NewConversation::default());
    let begun = begun.await.unwrap().id;
    let mut ids = Vec::new();
    for text in ["asked for", "left alone"] {
        let sent = app.client.send(begun.clone(), text, SendMode::Durable);
        ids.push(sent.await.unwrap().id);
    }
    pass(secs(5)).await;
    assert_eq!(app.state(ids[1]).await, DeliveryState::Failed);
    let document = app.client.export_document(begun.clone()).await.unwrap();
    app.client.shutdown().await;
    service.clear_script();
    let app = another(&service).await;
    imported(&app, &document).await;
    app.client.retry(ids[0]).await.unwrap();
    let sent = app.client.send(begun, "new", SendMode::Durable).await;
    pass(secs(LONG)).await;
    assert_eq!(app.state(sent.unwrap().id).await, DeliveryState::Sent);
    assert_eq!(app.state(ids[0]).await, DeliveryState::Sent);
    assert_eq!(app.state(ids[1]).await, DeliveryState::Failed);
    let there = service.conversations().remove(0);
    assert_eq!(service.texts(there.as_str()), ["asked for", "new"]);
}
