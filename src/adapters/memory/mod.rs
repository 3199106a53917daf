//! A store that forgets: for tests, simulations and apps that must leave nothing on disk.
//!
//! It is the second implementation of [`ChatRepository`], the one that proves that the port asks
//! for nothing SQLite-shaped. Both pass one contract suite.

mod rows;
mod state;
mod table;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use self::{rows::MemoryRows, state::State};
use crate::{
    adapters::storage::{guarded, revisions::Revisions},
    domain::ports::{
        ChatRepository, Durability, RepositoryError, Revision,
        chat_repository::{Job, RowResult},
    },
};

/// Everything in maps; a transaction that fails is undone from a log.
pub struct MemoryRepository {
    /// `None` after [`ChatRepository::close`].
    state: Mutex<Option<State>>,
    revisions: Revisions,
}

/// Says nothing of what is in it.
impl fmt::Debug for MemoryRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRepository").finish_non_exhaustive()
    }
}

impl MemoryRepository {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: Mutex::new(Some(State::default())),
            revisions: Revisions::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryRepository {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ChatRepository for MemoryRepository {
    async fn write(&self, _: Durability, job: Job) -> RowResult<()> {
        let mut slot = self.lock();
        let state = slot.as_mut().ok_or(RepositoryError::Closed)?;
        let outcome = guarded::run(job, &mut MemoryRows::writing(state));
        state.finish(outcome.is_ok());
        if outcome.is_ok() {
            self.revisions.advance();
        }
        outcome
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        let mut slot = self.lock();
        let state = slot.as_mut().ok_or(RepositoryError::Closed)?;
        guarded::run(job, &mut MemoryRows::reading(state))
    }

    fn revision(&self) -> Revision {
        self.revisions.now()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.revisions.beyond(seen).await
    }

    async fn close(&self) {
        self.lock().take();
    }
}
