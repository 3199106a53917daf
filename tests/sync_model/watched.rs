//! The memory store, looked at after every commit.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use tidings::{
    adapters::memory::MemoryRepository,
    domain::{
        cursor::SyncCursor,
        message::Message,
        ports::{
            ChatRepository, Durability, Revision, Rows,
            chat_repository::{Job, RowResult},
        },
    },
};

use crate::server::{Server, Telling, offset, room};

/// See the module.
#[derive(Debug)]
pub(crate) struct Watched {
    store: Arc<MemoryRepository>,
    server: Server,
    pub(crate) broken: Mutex<Option<String>>,
    /// How often a row stood before a marked gap.
    pub(crate) marked: AtomicU64,
}

/// A placed row: its place on the server, and whether a gap is marked behind it.
type Seen = (usize, bool);

impl Watched {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            store: Arc::new(MemoryRepository::new()),
            server,
            broken: Mutex::new(None),
            marked: AtomicU64::new(0),
        }
    }

    fn judge(&self, rows: &[Message], newest: Option<usize>, oldest: usize) {
        let seen: Vec<Seen> = rows.iter().filter_map(seen).collect();
        let marks = seen.iter().filter(|(_, gap)| *gap).count();
        self.marked
            .fetch_add(marks.try_into().unwrap(), Ordering::Relaxed);
        let complaint = order(&seen)
            .or_else(|| self.holes(&seen, newest))
            .or_else(|| self.behind(&seen, newest, oldest));
        if let Some(complaint) = complaint {
            self.broken.lock().unwrap().get_or_insert(complaint);
        }
    }

    /// "INV-09": neighbours without a mark have nothing between them.
    fn holes(&self, seen: &[Seen], newest: Option<usize>) -> Option<String> {
        let numbered = self.server.lock().telling != Telling::Offset;
        let pair = seen.windows(2).find(|pair| {
            let ((here, gap), (next, _)) = (pair[0], pair[1]);
            let sure = numbered || newest.is_some_and(|newest| next < newest);
            !gap && next > here + 1 && sure
        })?;
        let ((here, _), (next, _)) = (pair[0], pair[1]);
        Some(format!(
            "INV-09: nothing marks what is missing between {here} and {next}"
        ))
    }

    /// "INV-10": below the cursor, what is not stored lies in a marked gap.
    fn behind(&self, seen: &[Seen], newest: Option<usize>, oldest: usize) -> Option<String> {
        if self.server.lock().telling == Telling::Feed {
            return None;
        }
        let last = seen.last().map_or(
            oldest,
            |(place, gap)| {
                if *gap { usize::MAX } else { place + 1 }
            },
        );
        let first = seen.first().map_or(oldest, |(place, _)| *place);
        let newest = newest?;
        (first.min(newest) > oldest || last < newest)
            .then(|| format!("INV-10: {oldest} to {newest} is called stored, {first} to {last} is"))
    }
}

/// Where the stored history is said to begin; nothing is said while the way back is looked for.
fn began(oldest: &SyncCursor) -> usize {
    if oldest.is_end() {
        usize::MAX
    } else {
        offset(oldest)
    }
}

fn seen(row: &Message) -> Option<Seen> {
    let place = row.server_id.as_ref()?.as_str().strip_prefix('m')?;
    let place = place.parse().ok()?;
    row.key.is_server().then_some((place, row.gap.is_some()))
}

fn order(seen: &[Seen]) -> Option<String> {
    let swapped = seen.windows(2).find(|pair| pair[0].0 >= pair[1].0)?;
    Some(format!(
        "INV-07: {} stands before {}",
        swapped[0].0, swapped[1].0
    ))
}

pub(crate) fn everything(rows: &mut dyn Rows) -> RowResult<Vec<Message>> {
    rows.page(&room(), None, 100_000, true)
}

#[async_trait]
impl ChatRepository for Watched {
    async fn write(&self, durability: Durability, job: Job) -> RowResult<()> {
        self.store.write(durability, job).await?;
        let store: Arc<dyn ChatRepository> = self.store.clone();
        let look = store.view(|rows| {
            let sync = rows.conversation(&room())?.map(|row| row.sync);
            Ok((everything(rows)?, sync.unwrap_or_default()))
        });
        if let Ok((rows, sync)) = look.await {
            let oldest = sync.oldest.as_ref().map_or(0, began);
            self.judge(&rows, sync.newest.as_ref().map(offset), oldest);
        }
        Ok(())
    }

    async fn read(&self, job: Job) -> RowResult<()> {
        self.store.read(job).await
    }

    fn revision(&self) -> Revision {
        self.store.revision()
    }

    async fn changed(&self, seen: Revision) -> Revision {
        self.store.changed(seen).await
    }

    async fn close(&self) {}
}
