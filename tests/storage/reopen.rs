//! What was stored is there again; what was given is not given again.

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions},
    domain::{
        message::Message,
        ports::{Durability, RepositoryError},
    },
    testing::repository_contract::samples,
};

use crate::support::{accept_into, accepted, contents, filled, home, open, open_with};

#[tokio::test]
async fn rows_and_settings_survive_a_reopening() {
    let (_home, path) = home();
    let store = open(&path);
    store
        .transact(Durability::Normal, |rows| {
            rows.put_conversation(&samples::full_conversation("full"))?;
            rows.insert_message(&unsent_message())?;
            rows.put_outbox(&samples::full_entry("full", 7))?;
            rows.append_journal(&samples::full_journal_entry("full", 7))?;
            rows.put_setting("name", "value")
        })
        .await
        .expect("stored");
    store.close().await;
    let store = open(&path);
    store
        .view(|rows| {
            let id = samples::conversation_id("full");
            assert!(rows.conversation(&id)? == Some(samples::full_conversation("full")));
            assert!(rows.message(samples::key(7))? == Some(unsent_message()));
            assert!(rows.outbox_entry(samples::key(7))? == Some(samples::full_entry("full", 7)));
            assert_eq!(rows.journal_of(samples::key(7))?.len(), 1);
            assert_eq!(rows.setting("name")?.as_deref(), Some("value"));
            Ok(())
        })
        .await
        .expect("read");
    store.close().await;
}

/// A message that says what its entry says, as an unsent one does.
fn unsent_message() -> Message {
    let entry = samples::full_entry("full", 7);
    Message {
        text: entry.text().to_owned(),
        state: entry.state,
        ..samples::full_message("full", 7)
    }
}

#[tokio::test]
async fn numbers_are_not_given_again_after_a_reopening() {
    let (_home, path) = home();
    let store = open(&path);
    let orders = |rows: &mut dyn tidings::domain::ports::Rows| rows.next_order();
    let first = store
        .transact(Durability::Normal, orders)
        .await
        .expect("an order");
    accept_into(&store, 1).await.expect("accepted");
    let forget = store.transact(Durability::Normal, |rows| {
        rows.remove_conversation(&samples::conversation_id("c"))
    });
    forget.await.expect("removed");
    store.close().await;

    let store = open(&path);
    let next = store
        .transact(Durability::Normal, orders)
        .await
        .expect("an order");
    assert_eq!(next, first + 2, "one was given to the accepted message");
    let head = store
        .view(|rows| rows.journal_head())
        .await
        .expect("a head");
    assert_eq!(head, 1);
    accept_into(&store, 2).await.expect("accepted");
    let journal = store
        .view(|rows| rows.journal_after(0, 9))
        .await
        .expect("a journal");
    assert_eq!(journal[0].sequence, 2);
    store.close().await;
}

#[tokio::test]
async fn a_closed_store_has_no_log_and_reading_it_changes_nothing() {
    let (home, path) = home();
    filled(&path).await;
    let before = contents(home.path());
    let names: Vec<_> = before.keys().filter_map(|path| path.file_name()).collect();
    assert_eq!(names, ["chat.db", "chat.db.spare", "chat.db.users"]);
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
    assert!(contents(home.path()) == before);
}

#[tokio::test]
async fn a_dropped_store_finishes_what_was_handed_over() {
    let (_home, path) = home();
    for executor in [Executor::Thread, Executor::Inline] {
        let options = SqliteOptions {
            executor,
            ..SqliteOptions::new(&path)
        };
        let store = open_with(options).expect("a store");
        let n = accepted(&store).await.len() as u32 + 1;
        accept_into(&store, n).await.expect("accepted");
    }
    let store = open(&path);
    assert_eq!(accepted(&store).await, [1, 2]);
    store.close().await;
}

#[tokio::test]
async fn close_waits_for_what_was_handed_over() {
    let (_home, path) = home();
    let store = open(&path);
    let writes = (1..=40).map(|n| accept_into(&store, n));
    let all = futures_util::future::join_all(writes);
    // The writes are polled first, and so handed over before the close.
    let (outcomes, ()) = futures_util::future::join(all, store.close()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(accept_into(&store, 99).await, Err(RepositoryError::Closed));
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 40);
    store.close().await;
}

/// F-48: a suspended app must hold no file and no lock.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn f48_no_descriptor_stays_open_after_the_close() {
    for executor in [Executor::Thread, Executor::Inline] {
        let (home, path) = home();
        let options = SqliteOptions {
            executor,
            shared: true,
            ..SqliteOptions::new(&path)
        };
        let store = open_with(options).expect("a store");
        accept_into(&store, 1).await.expect("accepted");
        assert_eq!(accepted(&store).await, [1]);
        assert!(
            descriptors(home.path()) > 2,
            "the count must see what is open"
        );
        store.close().await;
        assert_eq!(descriptors(home.path()), 0, "{executor:?}");
    }
}

/// Descriptors of this process that name something in the directory.
#[cfg(target_os = "linux")]
fn descriptors(directory: &std::path::Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").expect("descriptors");
    let targets = open.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    targets
        .filter(|target| target.starts_with(directory))
        .count()
}
