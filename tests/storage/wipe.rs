//! Leaving nothing, giving space back, and telling how much there is.

use std::path::Path;

use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        cursor::Gap,
        message::Message,
        outbox::Action,
        ports::{Durability, RepositoryError},
    },
    testing::repository_contract::samples,
};

use crate::support::{Store, accept_into, accepted, contents, home, open};

const SECRET: &str = "the secret of the seven silver spoons";

/// Whether any file of the directory holds the secret.
fn holds_secret(directory: &Path) -> bool {
    let mut files = contents(directory).into_values();
    let found = |bytes: Vec<u8>| {
        bytes
            .windows(SECRET.len())
            .any(|window| window == SECRET.as_bytes())
    };
    files.any(found)
}

async fn with_secrets(path: &Path) -> std::sync::Arc<SqliteRepository> {
    let sqlite = SqliteRepository::open(SqliteOptions::new(path)).expect("a store");
    let store = sqlite.clone() as Store;
    accept_into(&store, 1).await.expect("accepted");
    let job = store.transact(Durability::Full, |rows| {
        let mut conversation = samples::bare_conversation("c");
        conversation.draft = Some(SECRET.to_owned());
        rows.put_conversation(&conversation)?;
        let mut entry = samples::entry("c", 2);
        entry.action = Action::Send {
            text: SECRET.to_owned(),
        };
        rows.put_outbox(&entry)?;
        rows.insert_message(&Message {
            text: SECRET.repeat(500),
            ..samples::message("c", 2)
        })
    });
    job.await.expect("stored");
    sqlite
}

#[tokio::test]
async fn inv19_after_a_wipe_no_byte_is_left() {
    let (home, path) = home();
    let sqlite = with_secrets(&path).await;
    std::fs::write(path.with_extension("db.damaged-1"), SECRET).expect("written");
    assert!(holds_secret(home.path()), "the search works");
    sqlite.wipe().await.expect("wiped");
    assert!(!holds_secret(home.path()));
    let names: Vec<_> = contents(home.path()).into_keys().collect();
    assert_eq!(names, [home.path().join("chat.db.users")]);
    let store = open(&path);
    assert_eq!(accepted(&store).await, [0; 0]);
    store.close().await;
}

#[tokio::test]
async fn f45_a_wipe_that_was_killed_goes_on_at_the_next_opening() {
    let (home, path) = home();
    (with_secrets(&path).await as Store).close().await;
    std::fs::write(path.with_extension("db.wiping"), "").expect("written");
    // Killed when the database was gone and the rest was not.
    std::fs::remove_file(&path).expect("removed");
    let store = open(&path);
    assert!(!holds_secret(home.path()));
    assert_eq!(accepted(&store).await, [0; 0]);
    store.close().await;
}

#[tokio::test]
async fn a_store_in_use_elsewhere_is_not_wiped() {
    let (home, path) = home();
    let sqlite = with_secrets(&path).await;
    let other = open(&path);
    let wiped = sqlite.wipe().await;
    assert!(
        matches!(wiped, Err(RepositoryError::Unavailable(_))),
        "{wiped:?}"
    );
    assert!(holds_secret(home.path()));
    other.close().await;
}

#[tokio::test]
async fn statistics_count_the_journal_and_the_holes_that_are_known() {
    let (_home, path) = home();
    let sqlite = with_secrets(&path).await;
    let store = sqlite.clone() as Store;
    let counted = async || {
        let told = sqlite.statistics().await.expect("statistics");
        (told.journal, told.gaps)
    };
    // The accepted message wrote its own.
    assert_eq!(counted().await, (1, 0));
    let job = store.transact(Durability::Normal, |rows| {
        for n in 3..6 {
            rows.append_journal(&samples::journal_entry("c", n))?;
            rows.insert_message(&Message {
                gap: (n < 5).then(Gap::ahead),
                ..samples::message("c", n)
            })?;
        }
        Ok(())
    });
    job.await.expect("stored");
    assert_eq!(counted().await, (4, 2));
    let job = store.transact(Durability::Normal, |rows| {
        rows.remove_conversation(&samples::conversation_id("c"))
    });
    job.await.expect("removed");
    assert_eq!(counted().await, (0, 0));
    store.close().await;
}

#[tokio::test]
async fn a_vacuum_gives_space_back_and_what_was_deleted_is_gone() {
    let (home, path) = home();
    let sqlite = with_secrets(&path).await;
    let store = sqlite.clone() as Store;
    let full = sqlite.statistics().await.expect("statistics");
    assert_eq!((full.messages, full.unsent, full.drafts), (2, 2, 1));
    let job = store.transact(Durability::Full, |rows| {
        rows.remove_conversation(&samples::conversation_id("c"))
    });
    job.await.expect("removed");
    sqlite.vacuum().await.expect("vacuumed");
    let small = sqlite.statistics().await.expect("statistics");
    assert_eq!((small.messages, small.unsent, small.free_bytes), (0, 0, 0));
    assert!(small.bytes < full.bytes, "{small:?} {full:?}");
    store.close().await;
    assert!(!holds_secret(home.path()));
}
