//! The key of one opening: all connections take it from here, so that the app is asked once.

use std::{fmt, sync::Arc};

use super::engine;
use crate::{
    adapters::sqlite::options::SqliteOptions,
    domain::ports::{KeyError, KeyProvider, StoreKey, chat_repository::RowResult},
};

/// Stands in for the app until the store is closed or suspended; then the key is wiped.
struct Held {
    key: StoreKey,
    app: Option<Arc<dyn KeyProvider>>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

impl KeyProvider for Held {
    fn key(&self) -> Result<StoreKey, KeyError> {
        Ok(self.key.clone())
    }

    fn previous(&self) -> Result<Option<StoreKey>, KeyError> {
        self.app.as_ref().map_or(Ok(None), |app| app.previous())
    }
}

/// The options with the key that the app gives now.
///
/// # Errors
/// `NoCipher`, in a build without it; else the provider's.
pub(in super::super) fn hold(options: &SqliteOptions) -> RowResult<SqliteOptions> {
    let Some(app) = &options.keys else {
        return Ok(options.clone());
    };
    engine::must_be_there()?;
    let held = Held {
        key: app.key()?,
        app: Some(Arc::clone(app)),
    };
    Ok(with(options, Some(Arc::new(held))))
}

/// The same file under another key, or under none.
pub(super) fn under(options: &SqliteOptions, key: Option<StoreKey>) -> SqliteOptions {
    let keys = key.map(|key| Arc::new(Held { key, app: None }) as Arc<dyn KeyProvider>);
    with(options, keys)
}

fn with(options: &SqliteOptions, keys: Option<Arc<dyn KeyProvider>>) -> SqliteOptions {
    SqliteOptions {
        keys,
        ..options.clone()
    }
}
