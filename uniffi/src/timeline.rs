//! The newest messages of a conversation and their changes, pulled at the reader's pace.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tidings::{domain::timeline::TimelineDiff, runtime::observers::TimelineObserver};
use tokio::sync::{Mutex, Notify};

use crate::{
    cancel::Flag,
    client::Lifetime,
    error::ChatError,
    records::{index, message::Message},
    runtime::read,
};

/// One change of a list, to be applied in order.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TimelineChange {
    /// Forget everything shown; this is the list.
    Reset {
        /// All items, in order.
        items: Vec<Message>,
    },
    /// A new item; what was there and behind moves up.
    Insert {
        /// Place in the list.
        index: i32,
        /// The item.
        item: Message,
    },
    /// The item there is replaced by a newer version of itself.
    Update {
        /// Place in the list.
        index: i32,
        /// The item.
        item: Message,
    },
    /// The item there goes.
    Remove {
        /// Place in the list.
        index: i32,
        /// Its local key.
        id: String,
    },
}

impl From<TimelineDiff> for TimelineChange {
    fn from(diff: TimelineDiff) -> Self {
        match diff {
            TimelineDiff::Reset { items } => Self::Reset {
                items: items.into_iter().map(Message::from).collect(),
            },
            TimelineDiff::Insert { index: at, item } => Self::Insert {
                index: index(at),
                item: item.into(),
            },
            TimelineDiff::Update { index: at, item } => Self::Update {
                index: index(at),
                item: item.into(),
            },
            TimelineDiff::Remove { index: at, item } => Self::Remove {
                index: index(at),
                id: item.id.to_string(),
            },
        }
    }
}

/// What ends a reader's wait from outside.
#[derive(Debug)]
pub(crate) struct Reader {
    stopped: Flag,
    lifetime: Arc<Lifetime>,
}

impl Reader {
    pub(crate) fn new(lifetime: Arc<Lifetime>) -> Self {
        Self {
            stopped: Flag::default(),
            lifetime,
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.raise();
    }

    /// The next thing; `None` once the reader was stopped or the client closed.
    pub(crate) async fn until_end<T>(
        &self,
        next: impl Future<Output = Result<Option<T>, ChatError>>,
    ) -> Result<Option<T>, ChatError> {
        tokio::select! {
            biased;
            () = self.stopped.up() => Ok(None),
            () = self.lifetime.ended() => Ok(None),
            next = next => match next {
                Err(error) if error == ChatError::closed() => Ok(None),
                other => other,
            },
        }
    }
}

#[derive(Debug)]
struct Inner {
    observer: Mutex<TimelineObserver>,
    widen_by: AtomicUsize,
    widened: Notify,
    reader: Reader,
}

impl Inner {
    async fn changes(&self) -> Result<Option<Vec<TimelineChange>>, ChatError> {
        let mut observer = self.observer.lock().await;
        loop {
            let by = self.widen_by.swap(0, Ordering::SeqCst);
            if by > 0 {
                observer.widen(by);
            }
            let changes = tokio::select! {
                biased;
                () = self.widened.notified() => continue,
                changes = observer.next() => changes?,
            };
            return Ok(Some(
                changes.into_iter().map(TimelineChange::from).collect(),
            ));
        }
    }
}

/// A window onto the newest messages of a conversation; it grows as messages come.
///
/// Nothing is queued: who reads slowly skips what was overtaken, and the list is whole all the
/// same. One reader at a time; a second one waits for the first.
#[derive(Debug, uniffi::Object)]
pub struct Timeline(Arc<Inner>);

impl Timeline {
    pub(crate) fn new(observer: TimelineObserver, lifetime: Arc<Lifetime>) -> Self {
        Self(Arc::new(Inner {
            observer: Mutex::new(observer),
            widen_by: AtomicUsize::new(0),
            widened: Notify::new(),
            reader: Reader::new(lifetime),
        }))
    }
}

#[uniffi::export]
impl Timeline {
    /// The next changes, never empty: first a reset with the whole window. `None` at the end.
    ///
    /// May be dropped and called again; nothing is lost.
    pub async fn next(&self) -> Result<Option<Vec<TimelineChange>>, ChatError> {
        let inner = Arc::clone(&self.0);
        read(None, async move {
            inner.reader.until_end(inner.changes()).await
        })
        .await
    }

    /// Shows that many more of the older messages; a waiting [`Self::next`] answers with them.
    pub fn widen(&self, by: i32) {
        let by = usize::try_from(by).unwrap_or(0);
        self.0.widen_by.fetch_add(by, Ordering::SeqCst);
        self.0.widened.notify_one();
    }

    /// Ends the reading, now and for good.
    pub fn stop(&self) {
        self.0.reader.stop();
    }
}
