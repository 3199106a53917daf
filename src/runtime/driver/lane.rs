//! One conversation's engines and its socket.

use std::{sync::Arc, time::Duration};

use super::unconfirmed::Unconfirmed;
use crate::{
    config::Config,
    domain::{
        capabilities::Capabilities,
        cursor::{ChangeMark, HistoryRange, SyncCursor, SyncPosition},
        ids::{ClientMessageId, MessageId},
        ports::RealtimeSession,
        retry::BackoffPolicy,
        sorted_map::SortedMap,
        time::Tick,
    },
    engine::{
        connection::{Connection, ConnectionPolicy, PollPolicy},
        sooner,
        sync::{Sync, Ticket},
        turn::Turns,
    },
    runtime::command::Reply,
};

/// A confirmation that has not come after this long makes the socket suspect.
const CONFIRMATION_OVERDUE: Duration = Duration::from_secs(5);

/// Who asked for a read.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The connection, as a poll.
    Poll,
    /// The connection, because the socket is new or lost a frame.
    CatchUp,
    /// The outbox, to learn what became of a send.
    Reconcile,
    /// The turn, to find its answer.
    Tail,
    /// The app.
    App(Reply<usize>),
    /// A message that must not leave before the history is known.
    Baseline,
    /// The app, for one page of older messages.
    Older(Reply<bool>),
}

/// The socket in use.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) generation: u64,
    pub(super) handle: Arc<dyn RealtimeSession>,
}

/// A message that is about to leave, and what it waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) id: ClientMessageId,
    pub(super) until: Tick,
    pub(super) wants: Wants,
}

/// What a message about to leave waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// A socket that is nearly there.
    Socket,
    /// A first look at the history: without one, should the send's outcome be unknown, an older
    /// message of the same text would be taken for it.
    Baseline,
}

/// One conversation's engines and its socket.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) connection: Connection,
    pub(super) sync: Sync,
    pub(super) turns: Turns,
    pub(super) session: Option<Session>,
    pub(super) handles: usize,
    /// Another process looks at it.
    pub(super) remote: bool,
    /// Whether the connection was told to open.
    pub(super) attended: bool,
    /// Sent over the socket, unconfirmed.
    pub(super) unconfirmed: Unconfirmed,
    pub(super) held: Option<Held>,
    pub(super) purposes: SortedMap<Ticket, Purpose>,
    pub(super) position: SyncPosition,
    /// The newest gap that is not filled.
    pub(super) gap: Option<SyncCursor>,
    /// What the list had said before the last forward read.
    pub(super) listed: Option<ChangeMark>,
    /// Counts fetches of history: a page of any but the last is void.
    pub(super) fetches: u64,
    /// What was read last, and what that page began with.
    pub(super) last_page: Option<(HistoryRange, Option<(MessageId, MessageId)>)>,
    /// Told once to the connection, for the oldest unconfirmed.
    pub(super) overdue_told: bool,
    /// Counts attempts, so that a late end of one is not taken for the next one's.
    pub(super) attempt: u64,
    /// Whether the latest attempt's end is still to be reported: that report has to find its lane.
    pub(super) in_flight: bool,
}

impl Lane {
    pub(super) fn new(
        config: &Config,
        capabilities: &Capabilities,
        (position, gap): (SyncPosition, Option<SyncCursor>),
        seed: u64,
    ) -> Self {
        Self {
            connection: Connection::new(connection_policy(config, capabilities), seed),
            sync: Sync::new(position.clone(), gap.clone()),
            turns: Turns::new(config.turn_inactivity),
            session: None,
            handles: 0,
            remote: false,
            attended: false,
            unconfirmed: Unconfirmed::default(),
            held: None,
            purposes: SortedMap::new(),
            position,
            gap,
            listed: None,
            fetches: 0,
            last_page: None,
            overdue_told: false,
            attempt: 0,
            in_flight: false,
        }
    }

    pub(super) fn timeout(&self) -> Option<Tick> {
        let engines = sooner(self.connection.poll_timeout(), self.turns.poll_timeout());
        let overdue = self.overdue_at().filter(|_| !self.overdue_told);
        sooner(sooner(engines, self.held.map(|held| held.until)), overdue)
    }

    pub(super) fn overdue_at(&self) -> Option<Tick> {
        self.unconfirmed
            .oldest()
            .map(|sent| sent.at + CONFIRMATION_OVERDUE)
    }

    /// Whether nothing would be lost by forgetting this lane.
    pub(super) fn is_idle(&self) -> bool {
        self.handles == 0
            && !self.remote
            && !self.attended
            && !self.turns.is_open()
            && self.session.is_none()
            && self.held.is_none()
            && !self.in_flight
            && self.unconfirmed.is_empty()
            && self.purposes.is_empty()
            && !self.sync.is_running()
    }

    /// Whether what the held message waits for has come, failed, or took too long.
    pub(super) fn releases(&self, held: Held, now: Tick) -> bool {
        let waits = match held.wants {
            Wants::Socket => self.connection.is_dialling(),
            Wants::Baseline => self.position.newest.is_none() && self.sync.is_running(),
        };
        now >= held.until || !waits
    }

    /// The fate of a message is known, or it was given up.
    pub(super) fn confirm(&mut self, id: ClientMessageId) {
        self.unconfirmed.settled(id);
        self.overdue_told = false;
    }
}

const fn connection_policy(config: &Config, capabilities: &Capabilities) -> ConnectionPolicy {
    ConnectionPolicy {
        websocket: config.websocket,
        ready_timeout: config.ready_timeout,
        keepalive_interval: config.keepalive_interval,
        probe_after: config.probe_after,
        probe_timeout: config.probe_timeout,
        probe_floor: capabilities.probe_floor,
        reconnect: BackoffPolicy {
            base: config.reconnect_base,
            max: config.reconnect_max,
        },
        max_attempts: config.reconnect_max_attempts,
        stable: config.reconnect_stable,
        poll: PollPolicy {
            adaptive: config.poll_adaptive,
            active: config.poll_active,
            recent: config.poll_recent,
            idle: config.poll_idle,
            fixed: config.poll_fixed,
            floor: capabilities.poll_floor,
        },
    }
}
