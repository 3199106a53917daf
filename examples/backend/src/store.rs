//! Everything that outlives a connection, in one SQLite file.

mod consultations;
mod messages;
pub(crate) mod tokens;

pub(crate) use consultations::{Consultation, Filter, NewConsultation};
pub(crate) use messages::{Append, Change, Message, NewMessage};
pub(crate) use tokens::{TokenKind, TokenState};

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::Connection;

/// The database, behind one lock: a reference backend serves a handful of people.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    pub(crate) fn open(path: Option<&Path>) -> rusqlite::Result<Self> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        // A restart may overlap with the last write of the server before it.
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.execute_batch(include_str!("store/schema.sql"))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
        })
    }

    /// Runs a transaction off the async threads.
    pub(crate) async fn run<T, F>(&self, work: F) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.run_now(work))
            .await
            .unwrap_or(Err(rusqlite::Error::InvalidQuery))
    }

    /// Runs a transaction on this thread.
    pub(crate) fn run_now<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}

/// A fresh opaque id, a plain lowercase UUID as in production.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
