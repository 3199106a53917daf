//! Conversations out of one store and into another: nothing is lost, nothing doubled, nothing sent,
//! and a document that is none changes nothing.

mod hostile;
mod placed;
mod random;

use std::sync::Arc;

use proptest::prelude::*;
use tidings::{
    adapters::{
        memory::MemoryRepository,
        sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    },
    domain::{
        delivery::DeliveryState,
        ids::ConversationId,
        message::{Completeness, Message},
        outbox::OutboxEntry,
        ports::{ChatRepository, Durability, Rows, chat_repository::RowResult},
        rules::{restore::restore, transcript},
        time::WallTime,
        transcript::{Imported, Line},
    },
    testing::repository_contract::samples,
    usecases::document,
};

use random::{Stored, stored};

type Store = Arc<dyn ChatRepository>;

const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);

fn chat() -> ConversationId {
    samples::conversation_id(random::NAME)
}

fn sqlite(home: &tempfile::TempDir) -> Store {
    let options = SqliteOptions {
        executor: Executor::Inline,
        synchronous: Synchronous::Off,
        ..SqliteOptions::new(home.path().join("chat.db"))
    };
    SqliteRepository::open(options).expect("a store")
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

async fn filled(stored: &Stored) -> Store {
    let store: Store = Arc::new(MemoryRepository::new());
    let stored = stored.clone();
    let put = store.transact(Durability::Normal, move |rows| stored.put(rows));
    put.await.expect("filled");
    store
}

async fn export(store: &Store) -> String {
    let taken = store.view(|rows| transcript::take(rows, &chat())).await;
    let taken = taken.expect("a view").expect("the conversation");
    for Line { message: row, .. } in &taken.lines {
        let moves = row.state.is_pending() && row.state != DeliveryState::Uncertain;
        assert!(
            !moves && row.completeness != Completeness::Streaming,
            "{row:?}"
        );
    }
    document::write(taken).expect("a document")
}

async fn import(store: &Store, text: &str) -> RowResult<Option<Imported>> {
    let read = document::read(text).expect("a document");
    let job = move |rows: &mut dyn Rows| restore(rows, read, NOW);
    store.transact(Durability::Normal, job).await
}

/// Everything of the conversation, to compare.
#[derive(Debug, PartialEq)]
struct Seen {
    rows: Vec<Message>,
    outbox: Vec<OutboxEntry>,
    conversation: String,
    journal: i64,
}

async fn seen(store: &Store) -> Seen {
    let look = |rows: &mut dyn Rows| {
        let row = rows.conversation(&chat())?;
        Ok(Seen {
            rows: rows.page(&chat(), None, 10_000, true)?,
            outbox: rows.outbox(None)?,
            conversation: format!("{row:?} {:?}", row.as_ref().map(|row| &row.draft)),
            journal: rows.journal_head()?,
        })
    };
    store.view(look).await.expect("a view")
}

/// Counts and preview say what the rows say.
async fn assert_true_to_its_rows(store: &Store) {
    let rows = seen(store).await.rows;
    let row = store.view(|rows| rows.conversation(&chat())).await;
    let row = row.expect("a view").expect("the conversation");
    let unread = rows.iter().filter(|row| row.unread).count();
    assert_eq!(
        (row.stored, row.unread as usize),
        (rows.len() as u64, unread)
    );
    let newest = rows.iter().rev().find(|row| !row.deleted);
    assert_eq!(
        row.last_message.map(|last| last.id),
        newest.map(|row| row.id)
    );
}

/// Nothing leaves by itself: what the outbox holds has failed, or is parked.
async fn assert_nothing_leaves(store: &Store) {
    let heads = store.view(|rows| rows.outbox_heads()).await;
    assert_eq!(heads.expect("a view"), []);
    for entry in seen(store).await.outbox {
        assert!(!entry.blocks(), "{entry:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_was_exported_is_the_same_after_an_import(stored in stored()) {
        run(async {
            let first = export(&filled(&stored).await).await;
            let home = tempfile::tempdir().expect("a directory");
            let other = sqlite(&home);
            let done = import(&other, &first).await.expect("stored").expect("not deleted here");
            prop_assert!(done.restored);
            prop_assert_eq!((done.added, done.known, done.left), (stored.rows.len(), 0, 0));
            prop_assert_eq!(&first, &export(&other).await);
            assert_true_to_its_rows(&other).await;
            assert_nothing_leaves(&other).await;
            let there = seen(&other).await.rows;
            for (was, is) in stored.rows.iter().zip(&there) {
                stored.assert_same(was, is);
            }
            other.close().await;
            Ok(())
        })?;
    }

    #[test]
    fn an_import_again_or_into_its_own_store_changes_nothing(stored in stored()) {
        run(async {
            let store = filled(&stored).await;
            let before = seen(&store).await;
            let text = export(&store).await;
            let done = import(&store, &text).await.expect("stored").expect("not deleted here");
            prop_assert_eq!((done.added, done.left), (0, 0));
            prop_assert_eq!(before, seen(&store).await);
            let other: Store = Arc::new(MemoryRepository::new());
            import(&other, &text).await.expect("stored");
            let once = seen(&other).await;
            let done = import(&other, &text).await.expect("stored").expect("not deleted here");
            prop_assert_eq!((done.added, done.left), (0, 0));
            prop_assert_eq!(once, seen(&other).await);
            Ok(())
        })?;
    }

    #[test]
    fn beside_what_is_here_nothing_is_doubled_changed_or_sent(
        whole in stored(),
        kept in prop::collection::vec(any::<bool>(), random::MOST),
        gone in prop::collection::vec(any::<bool>(), random::MOST),
    ) {
        run(async {
            let text = export(&filled(&whole).await).await;
            let part = whole.part(&kept, &gone);
            let store = filled(&part).await;
            let before = seen(&store).await;
            import(&store, &text).await.expect("stored").expect("not deleted here");
            let after = seen(&store).await;
            for row in &before.rows {
                let now = after.rows.iter().find(|now| now.id == row.id).expect("still here");
                // Only the mark of a hole above the newest may come, and room be made.
                let same = Message { gap: row.gap.clone(), version: row.version, key: row.key, ..now.clone() };
                prop_assert_eq!(&same, row);
                prop_assert!(row.gap.is_none() || now.gap == row.gap, "a mark was taken away");
            }
            for entry in &before.outbox {
                prop_assert!(after.outbox.contains(entry), "an entry changed: {:?}", entry);
            }
            random::assert_no_doubles(&after.rows);
            whole.assert_in_order(&after.rows);
            let waiting = |seen: &Seen| seen.outbox.iter().filter(|entry| entry.blocks()).count();
            prop_assert_eq!(waiting(&before), waiting(&after));
            assert_true_to_its_rows(&store).await;
            import(&store, &text).await.expect("stored");
            prop_assert_eq!(after, seen(&store).await);
            Ok(())
        })?;
    }
}
