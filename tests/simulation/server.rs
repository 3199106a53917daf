//! The backend's memory: rooms, rows, sockets; and what it knows that no client is told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tidings::domain::{
    capabilities::{Capabilities, ServerOrder, SessionScope},
    conversation::{COMPLETED, Context, ServerConversation, Status},
    cursor::{HistoryRange, SyncCursor},
    event::SessionEvent,
    ids::{ClientMessageId, ConversationId, MessageId},
    message::{Role, ServerMessage},
    ports::HistoryPage,
    time::WallTime,
};
use tokio::{sync::Notify, time::Instant};

use crate::acts::{Abilities, Cell};

/// Which kind of backend this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Keeps keys, sequences, cursors of changes.
    Keyed,
    /// No key, no sequence, no ids in frames: history by offset.
    Nameless,
}

/// One message as the server has it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: MessageId,
    /// The key it was sent under. A nameless server is not told it; the simulation is.
    pub(crate) key: Option<ClientMessageId>,
    pub(crate) text: String,
    pub(crate) revision: u64,
    pub(crate) deleted: bool,
    /// The room's count of changes when this row last changed.
    pub(crate) change: u64,
    /// A copy of a message that was here already.
    pub(crate) copy: bool,
    /// Every text it ever had.
    pub(crate) texts: Vec<String>,
    /// Who changed it since.
    pub(crate) changed: Cell,
}

/// One conversation as the server has it.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) id: ConversationId,
    pub(crate) rows: Vec<Row>,
    pub(crate) changes: u64,
    /// Questions without an answer yet.
    pub(crate) asked: VecDeque<usize>,
    pub(crate) answering: bool,
    /// Somebody stopped the answer under way.
    pub(crate) stop: bool,
    pub(crate) read_to: Option<MessageId>,
    pub(crate) completed: bool,
    pub(crate) archived: bool,
    /// Who archived it, or showed it again.
    pub(crate) shelved: Cell,
    /// What it was created from.
    pub(crate) origin: Origin,
}

/// What a conversation was created from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    /// The device, and the key of its creation. A nameless server is not told; the simulation is.
    pub(crate) creation: Option<(usize, ClientMessageId)>,
    pub(crate) persona: Option<String>,
    pub(crate) context: Option<Context>,
    /// When.
    pub(crate) at: Option<Instant>,
    /// The creation had made another before.
    pub(crate) copy: bool,
}

/// One open socket, at the server's end.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) device: usize,
    pub(crate) life: u64,
    pub(crate) room: ConversationId,
    /// What we send is lost.
    pub(crate) deaf: bool,
    /// What they send is lost.
    pub(crate) mute: bool,
    pub(crate) closed: bool,
    /// Silent without a close: only a probe can tell.
    pub(crate) frozen: bool,
    pub(crate) inbound: VecDeque<(Instant, Frame)>,
    pub(crate) arrival: Arc<Notify>,
    /// When the client last got a frame.
    pub(crate) heard: Instant,
    pub(crate) last_in: Instant,
    pub(crate) last_out: Instant,
}

/// One frame on its way to the client.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) event: SessionEvent,
    /// For a piece of an answer: which one.
    pub(crate) piece: Option<String>,
}

impl From<SessionEvent> for Frame {
    fn from(event: SessionEvent) -> Self {
        Self { event, piece: None }
    }
}

/// The backend.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) profile: Profile,
    pub(crate) rooms: BTreeMap<ConversationId, Room>,
    pub(crate) sockets: BTreeMap<u64, Socket>,
    pub(crate) next_socket: u64,
    next_id: u64,
    pub(crate) answers: u64,
    /// What is beyond messages; `None` in the world of messages alone.
    pub(crate) abilities: Option<Abilities>,
    /// What a conversation is like that the server does not know.
    nowhere: Room,
}

/// Rows read again before a forward cursor, where history goes by offset.
const OVERLAP: usize = 2;

impl Server {
    pub(crate) fn new(profile: Profile, rooms: usize, abilities: Option<Abilities>) -> Self {
        let rooms = (0..rooms).map(|n| {
            let id = ConversationId::parse(&format!("room{n}")).unwrap();
            (id.clone(), Room::new(id, Origin::default()))
        });
        let nowhere = ConversationId::parse("nowhere").unwrap();
        Self {
            profile,
            rooms: rooms.collect(),
            sockets: BTreeMap::new(),
            next_socket: 0,
            next_id: 0,
            answers: 0,
            abilities,
            nowhere: Room::new(nowhere, Origin::default()),
        }
    }

    /// A room; an empty one where there is none of that name.
    pub(crate) fn room(&self, id: &ConversationId) -> &Room {
        self.rooms.get(id).unwrap_or(&self.nowhere)
    }

    /// Opens a room.
    pub(crate) fn found(&mut self, origin: Origin) -> ConversationId {
        let number = self.rooms.len();
        let id = ConversationId::parse(&format!("room{number}")).unwrap();
        self.rooms.insert(id.clone(), Room::new(id.clone(), origin));
        id
    }

    pub(crate) fn room_mut(&mut self, id: &ConversationId) -> &mut Room {
        self.rooms.get_mut(id).unwrap()
    }

    /// Adds a row; answers its place.
    pub(crate) fn add(
        &mut self,
        id: &ConversationId,
        key: Option<ClientMessageId>,
        text: &str,
    ) -> usize {
        self.next_id += 1;
        let name = MessageId::parse(&format!("m{}", self.next_id)).unwrap();
        let room = self.rooms.get_mut(id).unwrap();
        room.changes += 1;
        let copy = key.is_some() && room.rows.iter().any(|row| row.key == key);
        room.rows.push(Row {
            id: name,
            key,
            text: text.to_owned(),
            revision: 0,
            deleted: false,
            change: room.changes,
            copy,
            texts: vec![text.to_owned()],
            changed: Cell::default(),
        });
        room.rows.len() - 1
    }

    /// The row as a client is told of it.
    pub(crate) fn tell(&self, room: &ConversationId, place: usize) -> ServerMessage {
        let row = &self.rooms[room].rows[place];
        let keyed = self.profile == Profile::Keyed;
        let sequence = keyed.then(|| i64::try_from(place).unwrap() + 1);
        ServerMessage {
            id: row.id.clone(),
            client_id: row.key.filter(|_| keyed),
            role: row.role(),
            sender: None,
            own: row.key.is_some(),
            text: if row.deleted {
                String::new()
            } else {
                row.text.clone()
            },
            // The server's clock ticks in whole seconds: useless for an order.
            created_at: Some(WallTime::from_millis(1_763_000_000_000)),
            sequence,
            revision: row.revision,
            deleted: row.deleted,
        }
    }

    pub(crate) fn history(
        &self,
        id: &ConversationId,
        range: &HistoryRange,
        limit: usize,
    ) -> HistoryPage {
        match self.profile {
            Profile::Keyed => self.by_change(id, range, limit),
            Profile::Nameless => self.by_offset(id, range, limit),
        }
    }

    fn by_offset(&self, id: &ConversationId, range: &HistoryRange, limit: usize) -> HistoryPage {
        let total = self.rooms[id].rows.len();
        let (from, to) = match range {
            HistoryRange::Newest => (total.saturating_sub(limit), total),
            HistoryRange::After(cursor) => {
                let at = offset(cursor).saturating_sub(OVERLAP.min(limit.saturating_sub(1)));
                (at, (at + limit).min(total))
            }
            HistoryRange::Before(cursor) | HistoryRange::Tail(cursor) => {
                let at = offset(cursor);
                (at.saturating_sub(limit), at)
            }
        };
        HistoryPage {
            messages: (from..to).map(|place| self.tell(id, place)).collect(),
            older: (from > 0).then(|| SyncCursor::new(from.to_string())),
            newer: SyncCursor::new(to.to_string()),
            more: to < total,
            tail: (to < total).then(|| SyncCursor::new(total.to_string())),
            changed: Vec::new(),
            skipped: 0,
        }
    }

    fn by_change(&self, id: &ConversationId, range: &HistoryRange, limit: usize) -> HistoryPage {
        let room = &self.rooms[id];
        let total = room.rows.len();
        let (places, newer, more): (Vec<usize>, u64, bool) = match range {
            HistoryRange::Newest => {
                let from = total.saturating_sub(limit);
                ((from..total).collect(), room.changes, false)
            }
            HistoryRange::After(cursor) => {
                let known = u64::try_from(offset(cursor)).unwrap();
                let mut fresh: Vec<usize> = (0..total)
                    .filter(|place| room.rows[*place].change > known)
                    .collect();
                fresh.sort_by_key(|place| room.rows[*place].change);
                let more = fresh.len() > limit;
                fresh.truncate(limit);
                let last = fresh.last().map_or(known, |place| room.rows[*place].change);
                fresh.sort_unstable();
                (fresh, if more { last } else { room.changes }, more)
            }
            HistoryRange::Before(cursor) | HistoryRange::Tail(cursor) => {
                let at = offset(cursor);
                ((at.saturating_sub(limit)..at).collect(), 0, false)
            }
        };
        let first = places.first().copied().unwrap_or_default();
        HistoryPage {
            messages: places.iter().map(|place| self.tell(id, *place)).collect(),
            older: (first > 0).then(|| SyncCursor::new(first.to_string())),
            newer: SyncCursor::new(newer.to_string()),
            more,
            // A jump would miss the changes of older rows.
            tail: None,
            changed: Vec::new(),
            skipped: 0,
        }
    }

    /// The sockets that would carry a frame of this room.
    pub(crate) fn listeners(&self, room: &ConversationId) -> Vec<u64> {
        let open = self
            .sockets
            .iter()
            .filter(|(_, socket)| !socket.closed && socket.room == *room);
        open.map(|(number, _)| *number).collect()
    }

    pub(crate) fn capabilities(&self, ready_frame: bool, send_over_socket: bool) -> Capabilities {
        let keyed = self.profile == Profile::Keyed;
        let able = self.abilities.unwrap_or_default();
        Capabilities {
            idempotent_send: keyed,
            idempotent_create: able.keyed_create,
            auto_resend: true,
            send_over_socket,
            ready_frame,
            server_order: if keyed {
                ServerOrder::Sequence
            } else {
                ServerOrder::HistoryPosition
            },
            resume: keyed,
            scope: SessionScope::Conversation,
            streaming: true,
            stop: able.stop,
            one_turn_at_a_time: true,
            receipts: false,
            read_marker: able.marks,
            typing: false,
            presence: false,
            contexts: able.contexts,
            edit: keyed,
            delete: keyed,
            audit: false,
            archive: able.archive,
            complete: able.complete,
            delete_conversation: false,
            history_paging: true,
            max_text: 5000,
            poll_floor: Duration::from_secs(1),
            probe_floor: Duration::ZERO,
        }
    }
}

impl Room {
    const fn new(id: ConversationId, origin: Origin) -> Self {
        Self {
            id,
            rows: Vec::new(),
            changes: 0,
            asked: VecDeque::new(),
            answering: false,
            stop: false,
            read_to: None,
            completed: false,
            archived: false,
            shelved: Cell::new(),
            origin,
        }
    }

    pub(crate) fn said(&self) -> ServerConversation {
        ServerConversation {
            status: self.completed.then(|| Status::new(COMPLETED)),
            persona: self.origin.persona.clone(),
            context: self.origin.context.clone(),
            ..ServerConversation::bare(self.id.clone())
        }
    }

    pub(crate) fn place(&self, id: &MessageId) -> Option<usize> {
        self.rows.iter().position(|row| row.id == *id)
    }

    /// Whether the server has this message, and since when.
    pub(crate) fn holds(&self, key: ClientMessageId) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == Some(key))
    }
}

impl Row {
    pub(crate) fn role(&self) -> Role {
        if self.key.is_some() {
            Role::User
        } else {
            Role::Assistant
        }
    }
}

/// The number inside a cursor of ours.
pub(crate) fn offset(cursor: &SyncCursor) -> usize {
    cursor.as_str().parse().unwrap()
}
