//! The store: where it is, how it is opened, and the identity kept in it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use directories::ProjectDirs;
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::{
        ChatRepository, Durability, Platform, Rows,
        chat_repository::{ConversationFilter, RowResult},
    },
};

use crate::{
    args::Global,
    failure::{Exit, Failure},
    setup::{Access, key},
};

/// Where the store is.
pub(crate) fn store_path(global: &Global) -> Result<PathBuf, Failure> {
    if let Some(path) = &global.store {
        return Ok(path.clone());
    }
    let unknown = || {
        let text = "this system names no data directory: give a file with --store";
        Failure::new(Exit::Store, "store.unavailable", text)
    };
    let directories = ProjectDirs::from("dev", "", "tidings").ok_or_else(unknown)?;
    Ok(directories.data_dir().join("tidings.sqlite3"))
}

/// Opens the store, shared with other processes.
///
/// With [`Access::Store`] it never becomes the one that sends: whoever only looks must not start
/// to deliver.
pub(crate) async fn open(
    global: &Global,
    platform: &Arc<dyn Platform>,
    access: Access,
) -> Result<Arc<dyn ChatRepository>, Failure> {
    let repository: Arc<dyn ChatRepository> = open_file(global, access).await?;
    // Made at the first opening, whichever backend will ask for it.
    identity(&repository, global, platform).await?;
    Ok(repository)
}

/// The file itself, for what is done to it as a whole.
pub(crate) async fn sqlite(global: &Global) -> Result<Arc<SqliteRepository>, Failure> {
    open_file(global, Access::Store).await
}

/// Closes it, so that nothing of it is left to a thread.
pub(crate) async fn close(store: &Arc<SqliteRepository>) {
    ChatRepository::close(store.as_ref()).await;
}

async fn open_file(global: &Global, access: Access) -> Result<Arc<SqliteRepository>, Failure> {
    let path = store_path(global)?;
    if global.store.is_none() {
        create_directory(&path)?;
    }
    let mut options = SqliteOptions::new(path);
    options.shared = true;
    options.passive = access == Access::Store;
    options.keys = key::provider(global)?;
    let opened = tokio::task::spawn_blocking(move || SqliteRepository::open(options)).await;
    Ok(opened.map_err(|_| Failure::internal())??)
}

/// Looks into the store and closes it again; says what is in it.
pub(crate) async fn look(global: &Global, platform: &Arc<dyn Platform>) -> Result<String, Failure> {
    let repository = open(global, platform, Access::Store).await?;
    let me = identity(&repository, global, platform).await?;
    let everything = ConversationFilter {
        include_archived: true,
        limit: 0,
    };
    let counted = repository
        .view(move |rows| {
            Ok((
                rows.conversations(everything)?.len(),
                rows.outbox(None)?.len(),
            ))
        })
        .await;
    repository.close().await;
    let (known, unsent) = counted?;
    let (user, device) = (me.user, me.device);
    // It would not have opened otherwise.
    let kept = match global.key_file {
        Some(_) => "encrypted",
        None => "not encrypted",
    };
    Ok(format!(
        "{known} conversations, {unsent} unsent messages; user {user}, device {device}; {kept}"
    ))
}

fn create_directory(file: &Path) -> Result<(), Failure> {
    let Some(directory) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(directory).map_err(|error| {
        let text = format!(
            "the data directory cannot be made ({}): give a file with --store",
            error.kind()
        );
        Failure::new(Exit::Store, "store.unavailable", text)
    })
}

/// Who we are and on which device: as told, else generated once and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    user: String,
    device: String,
}

/// Reads the identity, making up what is missing.
async fn identity(
    repository: &Arc<dyn ChatRepository>,
    global: &Global,
    platform: &Arc<dyn Platform>,
) -> Result<Identity, Failure> {
    let kept = repository
        .view(|rows| {
            Ok((
                rows.setting("identity.user")?,
                rows.setting("identity.device")?,
            ))
        })
        .await?;
    let told = |given: &Option<String>, kept| given.clone().or(kept);
    let both = (told(&global.user, kept.0), told(&global.device, kept.1));
    if let (Some(user), Some(device)) = both {
        return Ok(Identity { user, device });
    }
    let fresh = (platform.mint().to_string(), platform.mint().to_string());
    let made = repository
        .transact(Durability::Normal, move |rows| {
            let user = keep(rows, "identity.user", both.0, fresh.0)?;
            let device = keep(rows, "identity.device", both.1, fresh.1)?;
            Ok(Identity { user, device })
        })
        .await?;
    Ok(made)
}

/// Another process may have been first: then its word stands.
fn keep(rows: &mut dyn Rows, name: &str, told: Option<String>, fresh: String) -> RowResult<String> {
    if let Some(known) = told.or(rows.setting(name)?) {
        return Ok(known);
    }
    rows.put_setting(name, &fresh)?;
    Ok(fresh)
}
