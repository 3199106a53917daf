//! What happened, for tests to look at: every request and frame, never a token or a body.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::Serialize;
use tokio::sync::watch;

use crate::clock;

/// Old records are forgotten beyond this many; a test run stays far below.
const CAPACITY: usize = 20_000;

/// Where a request carried its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthPlacement {
    /// It had none.
    None,
    /// In the `Authorization` header.
    Header,
    /// In the query.
    Query,
    /// In both.
    Both,
}

/// One request, as it came and as it was answered.
#[derive(Clone, Debug, Serialize)]
pub struct RequestRecord {
    /// Counts up from 1.
    pub id: u64,
    /// When it came: RFC 3339, server time.
    pub at: String,
    /// The connection it came on.
    pub connection: u64,
    /// The HTTP method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without the token.
    pub query: Option<String>,
    /// Whether it asked for a WebSocket.
    pub upgrade: bool,
    /// Where the token was.
    pub auth: AuthPlacement,
    /// The answer's status; `None` while it runs, or when it was never answered.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body.
    pub bytes_out: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// The kinds of the fault actions applied to it.
    pub faults: Vec<String>,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameDirection {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// One WebSocket document.
#[derive(Clone, Debug, Serialize)]
pub struct FrameRecord {
    /// When: RFC 3339, server time.
    pub at: String,
    /// The conversation.
    pub conversation: String,
    /// The socket.
    pub socket: u64,
    /// Which way.
    pub direction: FrameDirection,
    /// The document's `type`; `ping_frame`, `pong_frame` and `close_frame` for control frames.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its size.
    pub bytes: u64,
}

/// All bytes on the wire so far, HTTP heads and WebSocket framing included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// From clients.
    pub received: u64,
    /// To clients.
    pub sent: u64,
}

/// The record keeper.
#[derive(Debug)]
pub(crate) struct Journal {
    requests: Mutex<Requests>,
    frames: Mutex<VecDeque<FrameRecord>>,
    changes: watch::Sender<u64>,
    refreshes: AtomicU64,
}

#[derive(Debug, Default)]
struct Requests {
    records: VecDeque<RequestRecord>,
    last_id: u64,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            requests: Mutex::default(),
            frames: Mutex::default(),
            changes: watch::Sender::new(0),
            refreshes: AtomicU64::new(0),
        }
    }

    /// Tells everyone waiting that something they may look at changed.
    pub(crate) fn bump(&self) {
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Counts a refresh token used.
    pub(crate) fn refreshed(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
        self.bump();
    }

    pub(crate) fn refreshes(&self) -> u64 {
        self.refreshes.load(Ordering::Relaxed)
    }

    /// Records an arrival; the id and time are filled in.
    pub(crate) fn begin(&self, mut record: RequestRecord) -> u64 {
        let mut requests = lock(&self.requests);
        requests.last_id += 1;
        record.id = requests.last_id;
        record.at = clock::precise(clock::now());
        let id = record.id;
        push(&mut requests.records, record);
        drop(requests);
        self.bump();
        id
    }

    /// Changes a record, for example when its answer is known.
    pub(crate) fn amend(&self, id: u64, change: impl FnOnce(&mut RequestRecord)) {
        let mut requests = lock(&self.requests);
        // From the back: the record wanted is nearly always among the newest.
        if let Some(record) = requests
            .records
            .iter_mut()
            .rev()
            .find(|record| record.id == id)
        {
            change(record);
        }
        drop(requests);
        self.bump();
    }

    pub(crate) fn frame(
        &self,
        conversation: &str,
        socket: u64,
        direction: FrameDirection,
        kind: &str,
        bytes: usize,
    ) {
        let record = FrameRecord {
            at: clock::precise(clock::now()),
            conversation: conversation.to_owned(),
            socket,
            direction,
            kind: kind.to_owned(),
            bytes: bytes as u64,
        };
        push(&mut lock(&self.frames), record);
        self.bump();
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        lock(&self.requests).records.iter().cloned().collect()
    }

    pub(crate) fn frames(&self) -> Vec<FrameRecord> {
        lock(&self.frames).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.requests).records.clear();
        lock(&self.frames).clear();
    }
}

fn push<T>(records: &mut VecDeque<T>, record: T) {
    if records.len() == CAPACITY {
        records.pop_front();
    }
    records.push_back(record);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
