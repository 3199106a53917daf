//! Stores, rows and texts that the benchmarks share.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{
        conversation::ServerConversation,
        ids::{ClientMessageId, ConversationId, MessageId},
        message::{Role, ServerMessage},
        ports::{ChatRepository, Durability, RepositoryError},
        rules::{
            conversations,
            editor::Editor,
            merge::{Merge, Placement, merge},
        },
        time::WallTime,
    },
};
use tokio::runtime::{Builder, Runtime};

/// The very schema of the store, for the floors.
pub(crate) const SCHEMA: &str =
    include_str!("../../src/adapters/sqlite/migrations/0001_initial.sql");

/// The one conversation of a benchmark's store.
pub(crate) const CONVERSATION: &str = "c0ffee00-0000-4000-8000-000000000001";

/// When the benchmarks' first message was written.
pub(crate) const FIRST_AT: i64 = 1_790_000_000_000;

pub(crate) fn conversation() -> ConversationId {
    ConversationId::parse(CONVERSATION).unwrap()
}

/// A directory on the disk that the build uses: a temporary one may be memory.
pub(crate) fn directory() -> TempDir {
    let parent = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(&parent).unwrap();
    tempfile::tempdir_in(parent).unwrap()
}

/// A runtime as an app's: it waits on the store's threads.
pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A store with one known conversation.
pub(crate) fn open(
    home: &TempDir,
    executor: Executor,
    runtime: &Runtime,
) -> Arc<dyn ChatRepository> {
    let options = SqliteOptions {
        executor,
        ..SqliteOptions::new(home.path().join("chat.db"))
    };
    let store: Arc<dyn ChatRepository> = SqliteRepository::open(options).unwrap();
    runtime.block_on(know(&store)).unwrap();
    store
}

/// Makes the one conversation known.
pub(crate) async fn know(store: &Arc<dyn ChatRepository>) -> Result<(), RepositoryError> {
    let said = ServerConversation::bare(conversation());
    let created = store.transact(Durability::Normal, move |rows| {
        conversations::upsert(rows, said, WallTime::default()).map(drop)
    });
    created.await
}

/// Three hundred bytes, each text its own.
pub(crate) fn text(number: usize) -> String {
    let words = format!("{number:08} {}", "words of a message ".repeat(16));
    words.chars().take(300).collect()
}

/// A message key in the order of time.
pub(crate) fn key(number: usize) -> ClientMessageId {
    let number = u64::try_from(number).unwrap();
    let mut entropy = [7; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    ClientMessageId::mint(at(usize::try_from(number).unwrap()), entropy)
}

/// A message every 10 ms.
pub(crate) fn at(number: usize) -> WallTime {
    WallTime::from_millis(FIRST_AT + 10 * i64::try_from(number).unwrap())
}

/// The `number`th message of a history: question, answer, question …
pub(crate) fn history_row(number: usize) -> ServerMessage {
    let own = number.is_multiple_of(2);
    ServerMessage {
        id: MessageId::parse(&server_id(number)).unwrap(),
        client_id: None,
        role: if own { Role::User } else { Role::Assistant },
        sender: None,
        own,
        text: text(number),
        created_at: Some(at(number)),
        sequence: None,
        revision: 0,
        deleted: false,
    }
}

pub(crate) fn server_id(number: usize) -> String {
    format!("0199a000-0000-7000-8000-{number:012x}")
}

/// Merges a page of history as the driver does, keys starting at `first`.
pub(crate) async fn merge_page(
    store: &Arc<dyn ChatRepository>,
    page: Vec<ServerMessage>,
    first: usize,
) -> Result<(), RepositoryError> {
    store
        .transact(Durability::Normal, move |rows| {
            let mut next = first;
            let mut mint = || {
                next += 1;
                key(next)
            };
            let mut editor = Editor::open(rows, &conversation())?;
            let request = Merge {
                page: &page,
                placement: Placement::Newer,
                proof: None,
                now: at(first),
            };
            merge(&mut editor, request, &mut mint)?;
            let newest = page.last().map(|row| row.id.as_str().to_owned());
            editor.conversation_mut().sync.newest =
                newest.map(tidings::domain::cursor::SyncCursor::new);
            editor.finish().map(drop)
        })
        .await
}
