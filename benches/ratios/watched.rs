//! A store that notes what is asked of it.

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use async_trait::async_trait;
use tidings::domain::ports::{
    ChatRepository, Durability, Revision,
    chat_repository::{Job, RowResult},
};

/// What was noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    commits: usize,
    accepted: Option<Instant>,
}

impl Notes {
    /// Puts the notes before a store.
    pub(crate) fn on(&self, inner: Arc<dyn ChatRepository>) -> Arc<dyn ChatRepository> {
        let notes = self.clone();
        Arc::new(Watched { inner, notes })
    }

    /// When the last accept was committed.
    pub(crate) fn accepted(&self) -> Instant {
        self.0.lock().unwrap().accepted.unwrap()
    }

    /// How many transactions wrote.
    pub(crate) fn commits(&self) -> usize {
        self.0.lock().unwrap().commits
    }
}

#[derive(Debug)]
struct Watched {
    inner: Arc<dyn ChatRepository>,
    notes: Notes,
}

#[async_trait]
impl ChatRepository for Watched {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        let written = self.inner.write(durability, job).await;
        let now = Instant::now();
        let mut noted = self.notes.0.lock().unwrap();
        noted.commits += 1;
        // Only accepts ask to survive a power cut.
        if durability == Durability::Full {
            noted.accepted = Some(now);
        }
        written
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        self.inner.read(job).await
    }

    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.inner.changed(seen).await
    }

    fn is_owner(&self) -> bool {
        self.inner.is_owner()
    }

    async fn became_owner(&self) {
        self.inner.became_owner().await;
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
