//! Who is connected where, and whose turn it is. One room per conversation.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use crate::{
    clock,
    journal::Journal,
    network::Wire,
    turns::Turn,
    ws::{Document, Outgoing},
};

/// An open WebSocket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OpenSocket {
    /// The socket's number; counts up from 1.
    pub id: u64,
    /// The conversation it belongs to.
    pub conversation: String,
    /// Whose it is.
    pub user: String,
    /// The TCP connection under it.
    pub connection: u64,
    /// Since when: RFC 3339, server time.
    pub since: String,
}

/// All rooms.
#[derive(Debug)]
pub(crate) struct Hub {
    rooms: Mutex<Rooms>,
    journal: Arc<Journal>,
}

#[derive(Debug, Default)]
struct Rooms {
    rooms: BTreeMap<String, Room>,
    last_socket: u64,
}

#[derive(Debug, Default)]
struct Room {
    sockets: Vec<Member>,
    queue: Option<mpsc::UnboundedSender<Turn>>,
    /// The stop signals of the turns asked for and not yet over; the first is the running one.
    stops: VecDeque<Arc<Notify>>,
}

#[derive(Debug)]
struct Member {
    socket: OpenSocket,
    out: mpsc::UnboundedSender<Outgoing>,
}

impl Hub {
    pub(crate) fn new(journal: Arc<Journal>) -> Self {
        Self {
            rooms: Mutex::default(),
            journal,
        }
    }

    /// Lets a socket in; from now on it gets what is broadcast.
    pub(crate) fn join(
        &self,
        conversation: &str,
        user: &str,
        wire: &Wire,
    ) -> (u64, mpsc::UnboundedReceiver<Outgoing>) {
        let (out, queue) = mpsc::unbounded_channel();
        let mut rooms = self.lock();
        rooms.last_socket += 1;
        let socket = OpenSocket {
            id: rooms.last_socket,
            conversation: conversation.to_owned(),
            user: user.to_owned(),
            connection: wire.id(),
            since: clock::precise(clock::now()),
        };
        let id = socket.id;
        rooms
            .room(conversation)
            .sockets
            .push(Member { socket, out });
        drop(rooms);
        self.journal.bump();
        (id, queue)
    }

    pub(crate) fn leave(&self, conversation: &str, socket: u64) {
        let mut rooms = self.lock();
        rooms
            .room(conversation)
            .sockets
            .retain(|member| member.socket.id != socket);
        drop(rooms);
        self.journal.bump();
    }

    /// Sends documents, as one frame, to all sockets of a conversation but one.
    pub(crate) fn broadcast(&self, conversation: &str, frame: &[Document], but: Option<u64>) {
        self.each(conversation, |member| {
            if Some(member.socket.id) != but {
                let _ = member.out.send(Outgoing::Frame(frame.to_vec()));
            }
        });
    }

    /// Sends something to all sockets of a conversation; returns to how many.
    pub(crate) fn send_all(&self, conversation: &str, what: &Outgoing) -> usize {
        self.each(conversation, |member| {
            let _ = member.out.send(what.clone());
        })
    }

    /// Sends something to one socket.
    pub(crate) fn send_one(&self, conversation: &str, socket: u64, what: Outgoing) {
        let mut what = Some(what);
        self.each(conversation, |member| {
            if member.socket.id == socket
                && let Some(what) = what.take()
            {
                let _ = member.out.send(what);
            }
        });
    }

    pub(crate) fn sockets(&self) -> Vec<OpenSocket> {
        let rooms = self.lock();
        let members = rooms.rooms.values().flat_map(|room| &room.sockets);
        members.map(|member| member.socket.clone()).collect()
    }

    /// Queues a turn behind the running ones. The first turn of a room starts its worker.
    pub(crate) fn ask(
        &self,
        conversation: &str,
        turn: Turn,
        start_worker: impl FnOnce(mpsc::UnboundedReceiver<Turn>),
    ) {
        let mut rooms = self.lock();
        let room = rooms.room(conversation);
        room.stops.push_back(turn.stop());
        let queue = room.queue.get_or_insert_with(|| {
            let (queue, turns) = mpsc::unbounded_channel();
            start_worker(turns);
            queue
        });
        let _ = queue.send(turn);
    }

    /// Takes no more turns of a conversation that is gone; its worker ends with the last one.
    pub(crate) fn forget(&self, conversation: &str) {
        if let Some(room) = self.lock().rooms.get_mut(conversation) {
            room.queue = None;
        }
    }

    /// The running turn is over.
    pub(crate) fn turn_over(&self, conversation: &str) {
        if let Some(room) = self.lock().rooms.get_mut(conversation) {
            room.stops.pop_front();
        }
        self.journal.bump();
    }

    /// Asks the running turn to stop; `false` when there is none.
    pub(crate) fn stop(&self, conversation: &str) -> bool {
        let rooms = self.lock();
        let running = rooms
            .rooms
            .get(conversation)
            .and_then(|room| room.stops.front());
        running.inspect(|stop| stop.notify_one()).is_some()
    }

    /// Turns asked for and not yet over, by conversation.
    pub(crate) fn turns(&self) -> BTreeMap<String, usize> {
        let rooms = self.lock();
        let turns = rooms
            .rooms
            .iter()
            .map(|(id, room)| (id.clone(), room.stops.len()));
        turns.filter(|(_, count)| *count > 0).collect()
    }

    /// Every conversation that has a room.
    pub(crate) fn conversations(&self) -> Vec<String> {
        self.lock().rooms.keys().cloned().collect()
    }

    fn each(&self, conversation: &str, mut act: impl FnMut(&Member)) -> usize {
        let rooms = self.lock();
        let Some(room) = rooms.rooms.get(conversation) else {
            return 0;
        };
        room.sockets.iter().for_each(&mut act);
        room.sockets.len()
    }

    fn lock(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    fn room(&mut self, conversation: &str) -> &mut Room {
        self.rooms.entry(conversation.to_owned()).or_default()
    }
}
