//! What the storage tests have in common.

use std::{
    collections::BTreeMap,
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::{
        ChatRepository, Durability, RepositoryError, Rows, chat_repository::RowResult,
    },
    testing::repository_contract::samples,
};

pub(crate) type Store = Arc<dyn ChatRepository>;

/// A directory of its own, and the path of a store in it.
pub(crate) fn home() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("chat.db");
    (home, path)
}

pub(crate) fn open(path: &Path) -> Store {
    open_with(SqliteOptions::new(path)).expect("a store")
}

pub(crate) fn open_with(options: SqliteOptions) -> Result<Store, RepositoryError> {
    SqliteRepository::open(options).map(|store| store as Store)
}

/// Waits for what must come, with a bound that only a hang can reach.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    let bound = Duration::from_secs(60);
    tokio::time::timeout(bound, event)
        .await
        .expect("it never came")
}

/// Accepts message `n`: one row in each of three tables. It reads before it writes, as accepting
/// does; a transaction that takes the write lock only then fails beside another writer.
pub(crate) fn accept(rows: &mut dyn Rows, n: u32) -> RowResult<()> {
    if rows.conversation(&samples::conversation_id("c"))?.is_none() {
        rows.put_conversation(&samples::bare_conversation("c"))?;
    }
    let order = rows.next_order()?;
    rows.insert_message(&samples::message("c", n))?;
    let mut entry = samples::entry("c", n);
    entry.order = order;
    rows.put_outbox(&entry)?;
    rows.append_journal(&samples::journal_entry("c", n))
}

pub(crate) async fn accept_into(store: &Store, n: u32) -> RowResult<()> {
    store
        .transact(Durability::Normal, move |rows| accept(rows, n))
        .await
}

/// The accepted messages, in order; fails where a transaction is stored by half.
pub(crate) async fn accepted(store: &Store) -> Vec<u32> {
    let [messages, entries, journal] = store
        .view(|rows| {
            let page = rows.page(&samples::conversation_id("c"), None, usize::MAX, true)?;
            let entries = rows.outbox(None)?;
            let journal = rows.journal_after(0, usize::MAX)?;
            Ok([
                page.iter()
                    .map(|row| number(&row.text))
                    .collect::<Vec<u32>>(),
                entries.iter().map(|entry| number(entry.text())).collect(),
                journal
                    .iter()
                    .map(|entry| key_number(entry.message))
                    .collect(),
            ])
        })
        .await
        .expect("a view");
    assert_eq!(messages, sorted(entries), "messages and entries");
    assert_eq!(messages, sorted(journal), "messages and journal");
    messages
}

fn sorted(mut numbers: Vec<u32>) -> Vec<u32> {
    numbers.sort_unstable();
    numbers
}

fn number(text: &str) -> u32 {
    text.trim_start_matches("text ").parse().expect("a number")
}

fn key_number(key: tidings::domain::ids::ClientMessageId) -> u32 {
    let bytes = key.as_bytes();
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&bytes[..6]);
    let offset = u64::from_be_bytes(millis) - 1_700_000_000_000;
    u32::try_from(offset).expect("a sample's key")
}

/// Every file of a directory with its bytes.
pub(crate) fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(directory).expect("a directory");
    files
        .map(|file| file.expect("an entry").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("its bytes")))
        .collect()
}

/// A closed store with some rows.
pub(crate) async fn filled(path: &Path) {
    let store = open(path);
    for n in 1..=50 {
        accept_into(&store, n).await.expect("accepted");
    }
    store.close().await;
}
