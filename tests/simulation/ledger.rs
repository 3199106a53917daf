//! One device as the simulation remembers it: what was accepted, what it was told, what it showed.

use std::collections::{BTreeMap, BTreeSet};

use tidings::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    message::Message,
    order::SortKey,
    outbox::SendMode,
};
use tokio::time::Instant;

use crate::deeds::Book;

/// What the client was told of one transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Nothing yet.
    Nothing,
    /// The server does not have it.
    NotApplied,
    /// Nobody knows.
    Unknown,
    /// The server has it.
    Applied,
}

/// One time that a message left the device.
#[derive(Clone, Debug)]
pub(crate) struct Transmission {
    pub(crate) at: Instant,
    pub(crate) told: Told,
    /// When the server acted on it.
    pub(crate) applied: Option<Instant>,
}

/// One message accepted on this device.
#[derive(Clone, Debug)]
pub(crate) struct Accepted {
    pub(crate) id: ClientMessageId,
    pub(crate) room: ConversationId,
    /// As the user last left it.
    pub(crate) text: String,
    /// What is to leave, as it was stored last.
    pub(crate) wire: String,
    /// Every text the user gave it.
    pub(crate) texts: Vec<String>,
    pub(crate) mode: SendMode,
    pub(crate) state: DeliveryState,
    pub(crate) key: SortKey,
    pub(crate) parked: bool,
    /// Ever Failed or Cancelled: it may then be overtaken.
    pub(crate) excepted: bool,
    /// A direct send whose row went.
    pub(crate) gone: bool,
    /// Where the state became what it is.
    pub(crate) since: Instant,
    pub(crate) transmissions: Vec<Transmission>,
}

/// One read of the history that reached the end and came back.
#[derive(Clone, Debug)]
pub(crate) struct CompleteRead {
    pub(crate) room: ConversationId,
    pub(crate) served: Instant,
}

/// One device.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// In accept order.
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) reads: Vec<CompleteRead>,
    /// The rows that were on a screen as they were last, by conversation.
    pub(crate) seen: BTreeMap<ConversationId, BTreeMap<ClientMessageId, Message>>,
    /// The pieces of answers that reached this device, in order.
    pub(crate) pieces: BTreeMap<ConversationId, Vec<String>>,
    /// Rows that were seen as deleted.
    pub(crate) tombstones: BTreeSet<ClientMessageId>,
    /// The last place of each row.
    pub(crate) places: BTreeMap<ClientMessageId, SortKey>,
    /// Which process is running; changes with each restart.
    pub(crate) life: u64,
    pub(crate) online: bool,
    pub(crate) crashed: bool,
    pub(crate) signed_out: bool,
    pub(crate) wall_offset: i64,
    /// Everything beyond messages.
    pub(crate) book: Book,
}

impl Ledger {
    pub(crate) fn find(&self, id: ClientMessageId) -> Option<&Accepted> {
        self.accepted.iter().find(|message| message.id == id)
    }

    pub(crate) fn find_mut(&mut self, id: ClientMessageId) -> Option<&mut Accepted> {
        self.accepted.iter_mut().find(|message| message.id == id)
    }
}
