//! Synchronising: the stored history becomes the server's.

use tidings::{
    Config,
    domain::{
        event::{ClientEvent, SyncPhase},
        message::Role,
    },
    testing::{
        ScriptedService,
        scripted::{Operation, Reply, server_message},
    },
};

use crate::support::{App, chat, lost, pass, secs};

fn long(count: usize) -> ScriptedService {
    let service = ScriptedService::new();
    for n in 0..count {
        service.writes("c1", Role::Assistant, &format!("row {n}"));
    }
    service
}

fn rows(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("row {n}")).collect()
}

#[tokio::test(start_paused = true)]
async fn l49_empty_history_is_synced_at_once() {
    let mut app = App::new().await;
    assert_eq!(app.client.synchronise(chat("c1")).await.unwrap(), 0);
    let synced = app.told().into_iter().any(|event| {
        matches!(
            event,
            ClientEvent::Sync {
                phase: SyncPhase::Synced,
                fetched: 0,
                ..
            }
        )
    });
    assert!(synced);
    assert_eq!(app.service.count(Operation::History), 1);
}

#[tokio::test(start_paused = true)]
async fn the_whole_history_is_read_in_pages_to_both_ends() {
    let app = App::over(&long(350)).await;
    assert_eq!(app.client.synchronise(chat("c1")).await.unwrap(), 350);
    assert_eq!(app.texts("c1").await, rows(350));
    assert_eq!(app.service.count(Operation::History), 4);
    assert_eq!(
        app.client.synchronise(chat("c1")).await.unwrap(),
        0,
        "nothing new"
    );
}

// covers: F-33
#[tokio::test(start_paused = true)]
async fn a_history_that_shifts_while_it_is_read_loses_and_doubles_nothing() {
    let app = App::over(&long(250)).await;
    app.service
        .always(Operation::History, Reply::after(secs(1)));
    let client = app.client.clone();
    let synchronise = client.synchronise(chat("c1"));
    let writes = async {
        for n in 250..260 {
            pass(crate::support::ms(330)).await;
            app.service
                .writes("c1", Role::Assistant, &format!("row {n}"));
        }
    };
    let (done, ()) = tokio::join!(synchronise, writes);
    done.unwrap();
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(260));
}

// covers: F-31
#[tokio::test(start_paused = true)]
async fn a_cursor_the_server_forgot_leads_to_a_fresh_look_and_no_wipe() {
    let mut app = App::over(&long(30)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    app.service.edit("c1", |rows| drop(rows.drain(..20)));
    app.told();
    app.client.catch_up(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(30), "what was here stays");
    let said = app.told().into_iter().any(|event| {
        matches!(
            event,
            ClientEvent::Sync {
                phase: SyncPhase::Discontinuity,
                ..
            }
        )
    });
    assert!(said);
}

#[tokio::test(start_paused = true)]
async fn l51_same_server_message_twice_is_one_row() {
    let app = App::over(&long(10)).await;
    for _ in 0..3 {
        app.client.synchronise(chat("c1")).await.unwrap();
        app.client.catch_up(chat("c1")).await.unwrap();
    }
    app.service.edit("c1", |rows| {
        let again = rows.clone();
        rows.extend(again);
    });
    app.client.catch_up(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(10));
}

#[tokio::test(start_paused = true)]
async fn l98_equal_dates_keep_the_server_order() {
    let app = App::over(&long(50)).await;
    app.service.edit("c1", |rows| {
        for (n, row) in rows.iter_mut().enumerate() {
            // Some alike, some running backwards.
            let second = 1_800_000_000 - i64::try_from(n / 7).unwrap();
            row.created_at = Some(tidings::domain::time::WallTime::from_millis(second * 1_000));
        }
    });
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(50));
    app.service.writes("c1", Role::Assistant, "row 50");
    app.client.catch_up(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(51));
}

#[tokio::test(start_paused = true)]
async fn l96_overlapping_merges_count_each_message_once() {
    let app = App::over(&long(120)).await;
    let handle = app.client.open(chat("c1"));
    let (first, second, third) = tokio::join!(
        app.client.synchronise(chat("c1")),
        app.client.catch_up(chat("c1")),
        app.client.load_older(chat("c1")),
    );
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    app.service.pushes("c1", "row 120");
    pass(secs(5)).await;
    let stored = app.client.conversation(&chat("c1")).await.unwrap().unwrap();
    assert_eq!((stored.stored, stored.unread), (121, 121));
    assert_eq!(app.texts("c1").await, rows(121));
    drop(handle);
}

#[tokio::test(start_paused = true)]
async fn l62_newer_content_of_a_known_message_replaces_it() {
    let app = App::over(&long(3)).await;
    app.client.synchronise(chat("c1")).await.unwrap();
    let id = app.rows("c1").await[2].id;
    app.service
        .edit("c1", |rows| rows[2].text = "row 2, all of it".into());
    app.client.catch_up(chat("c1")).await.unwrap();
    let rows = app.rows("c1").await;
    assert_eq!((rows.len(), rows[2].id), (3, id));
    assert_eq!(rows[2].text, "row 2, all of it");
}

#[tokio::test(start_paused = true)]
async fn repeated_calls_share_the_reads_under_way() {
    let app = App::over(&long(10)).await;
    app.service
        .always(Operation::History, Reply::after(secs(1)));
    let calls = (0..10).map(|_| app.client.synchronise(chat("c1")));
    let all = futures_util::future::join_all(calls).await;
    assert!(all.into_iter().all(|one| one.is_ok()));
    assert!(app.service.count(Operation::History) <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_read_is_told_and_what_was_read_stays() {
    let app = App::over(&long(250)).await;
    app.service.next(Operation::History, Reply::Normal);
    app.service.next(Operation::History, Reply::Fail(lost()));
    assert!(app.client.synchronise(chat("c1")).await.is_err());
    assert_eq!(app.texts("c1").await, rows(250)[150..]);
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(250));
}

#[tokio::test(start_paused = true)]
async fn older_pages_come_one_at_a_time_until_the_beginning() {
    let mut config = Config::default();
    config.set("history.page", "10").unwrap();
    let app = App::with(&long(25), config).await;
    app.client.catch_up(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, rows(25)[15..]);
    assert!(app.client.load_older(chat("c1")).await.unwrap());
    assert_eq!(app.texts("c1").await, rows(25)[5..]);
    assert!(!app.client.load_older(chat("c1")).await.unwrap());
    assert_eq!(app.texts("c1").await, rows(25));
    assert!(!app.client.load_older(chat("c1")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn blank_rows_of_others_are_no_messages() {
    let app = App::new().await;
    app.service.edit("c1", |rows| {
        rows.push(server_message("x1", Role::Assistant, " \n"));
        rows.push(server_message("x2", Role::Assistant, "words"));
    });
    app.client.synchronise(chat("c1")).await.unwrap();
    assert_eq!(app.texts("c1").await, ["words"]);
}
