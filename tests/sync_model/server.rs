//! The server of the model, and the port to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use tidings::{
    domain::{
        capabilities::Capabilities,
        conversation::ServerConversation,
        cursor::{HistoryRange, SyncCursor},
        event::{CloseReason, SendReceipt, SessionEvent},
        ids::{ConversationId, MessageId},
        message::{Role, ServerMessage},
        ports::{
            ChatService, ConversationPage, CreateOutcome, HistoryPage, ListScope, NewConversation,
            Outgoing, RealtimeSession,
        },
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
    engine::draw::Draw,
    testing::ScriptedService,
};
use tokio::sync::Notify;

/// How the server tells its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// By place, without numbers.
    Offset,
    /// By place, each row numbered.
    Numbered,
    /// What changed since, each row numbered; edits and deletions come so.
    Feed,
}

pub(crate) fn room() -> ConversationId {
    ConversationId::parse("c1").unwrap()
}

pub(crate) fn below(draw: &mut Draw, n: u64) -> u64 {
    (draw.next_u64() >> 11) % n.max(1)
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) text: String,
    pub(crate) revision: u64,
    pub(crate) deleted: bool,
    change: u64,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) telling: Telling,
    pub(crate) rows: Vec<Row>,
    pub(crate) net: Draw,
    pub(crate) healthy: bool,
    /// Cursors from before this many changes or rows are refused once.
    pub(crate) refuse: bool,
    /// Cursors to read back from name the era they are of; those of another are refused.
    pub(crate) era: u64,
    changes: u64,
    sockets: Vec<Arc<Socket>>,
}

/// The server; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Server(Arc<Mutex<State>>, Capabilities);

#[derive(Debug, Default)]
struct Socket {
    waiting: Mutex<VecDeque<SessionEvent>>,
    rung: Notify,
}

impl Server {
    pub(crate) fn new(telling: Telling, net: Draw) -> Self {
        let capabilities = Capabilities {
            poll_floor: Duration::from_secs(1),
            ..ScriptedService::new().capabilities()
        };
        let state = State {
            telling,
            rows: Vec::new(),
            net,
            healthy: false,
            refuse: false,
            era: 0,
            changes: 0,
            sockets: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)), capabilities)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn weather(&self) -> Result<(), ServiceError> {
        let (wait, fails) = {
            let mut state = self.lock();
            let wait = below(&mut state.net, 400);
            (wait, !state.healthy && below(&mut state.net, 8) == 0)
        };
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if fails {
            return Err(ServiceError::unreachable("bad weather"));
        }
        Ok(())
    }
}

impl State {
    pub(crate) fn writes(&mut self) {
        self.changes += 1;
        let text = format!("row {}", self.rows.len());
        self.rows.push(Row {
            text,
            revision: 0,
            deleted: false,
            change: self.changes,
        });
        self.push(self.rows.len() - 1);
    }

    pub(crate) fn edits(&mut self, place: usize, deletes: bool) {
        self.changes += 1;
        let change = self.changes;
        let row = &mut self.rows[place];
        row.change = change;
        row.revision += 1;
        row.deleted |= deletes;
        row.text = format!("{} again", row.text);
        self.push(place);
    }

    /// To every socket: or not, or twice, or before what came earlier.
    fn push(&mut self, place: usize) {
        let said = self.tell(place);
        for socket in self.sockets.clone() {
            let mut waiting = socket.waiting.lock().unwrap();
            let copies = match below(&mut self.net, 6) {
                // A row without a number that never came leaves no trace: only numbers tell.
                0 if self.telling != Telling::Offset => 0,
                1 => 2,
                _ => 1,
            };
            for _ in 0..copies {
                let length = u64::try_from(waiting.len()).unwrap();
                let at = match self.telling {
                    Telling::Offset => length,
                    _ => length - below(&mut self.net, 3).min(length),
                };
                waiting.insert(at.try_into().unwrap(), SessionEvent::Message(said.clone()));
            }
            socket.rung.notify_one();
        }
    }

    pub(crate) fn cut(&mut self) {
        for socket in self.sockets.drain(..) {
            let mut waiting = socket.waiting.lock().unwrap();
            waiting.clear();
            waiting.push_back(SessionEvent::Closed(CloseReason::Broken));
            socket.rung.notify_one();
        }
    }

    fn tell(&self, place: usize) -> ServerMessage {
        let row = &self.rows[place];
        ServerMessage {
            id: MessageId::parse(&format!("m{place}")).unwrap(),
            client_id: None,
            role: Role::Assistant,
            sender: None,
            own: false,
            text: if row.deleted {
                String::new()
            } else {
                row.text.clone()
            },
            created_at: None,
            sequence: (self.telling != Telling::Offset).then(|| i64::try_from(place).unwrap() + 1),
            revision: row.revision,
            deleted: row.deleted,
        }
    }

    fn page(&mut self, range: &HistoryRange, limit: usize) -> Result<HistoryPage, ServiceError> {
        let total = self.rows.len();
        let refused = match range {
            HistoryRange::After(_) => std::mem::take(&mut self.refuse),
            HistoryRange::Before(end) => era(end) != self.era,
            HistoryRange::Newest | HistoryRange::Tail(_) => false,
        };
        if refused {
            let (never, not) = (RetryClass::Never, Outcome::NotApplied);
            let kind = FailureKind::CursorRefused;
            return Err(ServiceError::new(kind, never, not, "too old"));
        }
        if let (HistoryRange::After(cursor), Telling::Feed) = (range, self.telling) {
            return Ok(self.changed_since(offset(cursor), limit));
        }
        let (from, to) = match range {
            HistoryRange::Newest => (total.saturating_sub(limit), total),
            HistoryRange::After(cursor) => {
                let from = offset(cursor).saturating_sub(1);
                (from, total.min(from + limit))
            }
            HistoryRange::Before(end) | HistoryRange::Tail(end) => {
                (offset(end).saturating_sub(limit), offset(end))
            }
        };
        let newer = match self.telling {
            Telling::Feed => self.changes,
            _ => u64::try_from(to).unwrap(),
        };
        let more = to < total;
        Ok(HistoryPage {
            messages: (from..to).map(|place| self.tell(place)).collect(),
            older: (from > 0).then(|| SyncCursor::new(format!("{from}@{}", self.era))),
            newer: SyncCursor::new(newer.to_string()),
            tail: (more && self.telling != Telling::Feed)
                .then(|| SyncCursor::new(total.to_string())),
            more: more && self.telling != Telling::Feed,
            changed: Vec::new(),
            skipped: 0,
        })
    }

    fn changed_since(&self, known: usize, limit: usize) -> HistoryPage {
        let known = u64::try_from(known).unwrap();
        let mut fresh: Vec<usize> = (0..self.rows.len())
            .filter(|place| self.rows[*place].change > known)
            .collect();
        fresh.sort_by_key(|place| self.rows[*place].change);
        let more = fresh.len() > limit;
        fresh.truncate(limit);
        let last = fresh.last().map_or(known, |place| self.rows[*place].change);
        fresh.sort_unstable();
        HistoryPage {
            messages: fresh.iter().map(|place| self.tell(*place)).collect(),
            older: None,
            newer: SyncCursor::new(last.to_string()),
            tail: None,
            more,
            changed: Vec::new(),
            skipped: 0,
        }
    }
}

pub(crate) fn offset(cursor: &SyncCursor) -> usize {
    let place = cursor.as_str().split('@').next();
    place.unwrap().parse().unwrap()
}

fn era(cursor: &SyncCursor) -> u64 {
    let (_, era) = cursor.as_str().split_once('@').unwrap();
    era.parse().unwrap()
}

#[async_trait]
impl ChatService for Server {
    fn capabilities(&self) -> Capabilities {
        self.1.clone()
    }

    async fn create_conversation(
        &self,
        _: &NewConversation,
    ) -> Result<CreateOutcome, ServiceError> {
        Err(ServiceError::unsupported("create"))
    }

    async fn list_conversations(
        &self,
        _: &ListScope,
        _: Option<&SyncCursor>,
    ) -> Result<ConversationPage, ServiceError> {
        Err(ServiceError::unsupported("list"))
    }

    async fn conversation(&self, id: &ConversationId) -> Result<ServerConversation, ServiceError> {
        Ok(ServerConversation::bare(id.clone()))
    }

    async fn history(
        &self,
        _: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> Result<HistoryPage, ServiceError> {
        self.weather().await?;
        let page = self.lock().page(range, limit);
        self.weather().await?;
        page
    }

    async fn send(&self, _: &Outgoing) -> Result<SendReceipt, ServiceError> {
        Err(ServiceError::unsupported("send"))
    }

    async fn connect(&self, _: &ConversationId) -> Result<Arc<dyn RealtimeSession>, ServiceError> {
        self.weather().await?;
        let socket = Arc::new(Socket::default());
        socket
            .waiting
            .lock()
            .unwrap()
            .push_back(SessionEvent::Ready);
        self.lock().sockets.push(socket.clone());
        Ok(socket)
    }
}

#[async_trait]
impl RealtimeSession for Socket {
    async fn next_event(&self) -> SessionEvent {
        loop {
            if let Some(event) = self.waiting.lock().unwrap().pop_front() {
                return event;
            }
            self.rung.notified().await;
        }
    }

    async fn send(&self, _: &Outgoing) -> Result<(), ServiceError> {
        Err(ServiceError::unsupported("send"))
    }

    async fn probe(&self) -> Result<(), ServiceError> {
        self.waiting.lock().unwrap().push_back(SessionEvent::Alive);
        self.rung.notify_one();
        Ok(())
    }

    async fn close(&self) {
        let closed = SessionEvent::Closed(CloseReason::Local);
        self.waiting.lock().unwrap().push_back(closed);
        self.rung.notify_one();
    }
}
