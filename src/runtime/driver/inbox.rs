//! What comes back to the driver from the tasks it started.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::performing::Listing;
use crate::domain::{
    cursor::{ChangeMark, HistoryRange},
    event::{SendReceipt, SessionEvent},
    ids::{ClientMessageId, ConversationId},
    ports::{HistoryPage, RealtimeSession},
    retry::ServiceError,
    rules::settle::Performed,
};

/// A page of history, and what was asked for.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) conversation: ConversationId,
    /// Counts a lane's fetches: only the last one is awaited.
    pub(super) number: u64,
    pub(super) range: HistoryRange,
    /// What the list had said before the server was asked, and its answer.
    pub(super) result: Result<(Option<ChangeMark>, HistoryPage), ServiceError>,
}

/// Something a task reports.
#[derive(Debug)]
pub(super) enum Happened {
    /// A dial ended.
    Dialled {
        conversation: ConversationId,
        generation: u64,
        result: Result<Arc<dyn RealtimeSession>, ServiceError>,
    },
    /// A session said something.
    Session {
        conversation: ConversationId,
        generation: u64,
        event: SessionEvent,
    },
    /// A page of history came, or did not.
    Page(Box<Fetched>),
    /// The server was asked whether a conversation is open to us.
    Verified {
        conversation: ConversationId,
        result: Result<bool, ServiceError>,
    },
    /// An attempt ended; `Ok(None)` means the frame left and its confirmation is awaited.
    Attempt {
        conversation: ConversationId,
        id: ClientMessageId,
        attempt: u64,
        result: Result<Option<Box<SendReceipt>>, ServiceError>,
    },
    /// The request of an action other than a message ended.
    Acted {
        conversation: ConversationId,
        id: ClientMessageId,
        attempt: u32,
        result: Box<Result<Performed, ServiceError>>,
    },
    /// The listing was read for a creation.
    Listed {
        id: ClientMessageId,
        conversation: ConversationId,
        why: Listing,
        result: Result<(), ServiceError>,
    },
    /// This process is the one that sends now.
    BecameOwner,
    /// The store changed, perhaps by another process.
    StoreChanged,
}

/// Reports a task may have waiting; beyond that the task waits, and with it its socket.
const DEPTH: usize = 1024;

/// The way back.
#[derive(Clone, Debug)]
pub(super) struct Inbox(mpsc::Sender<Happened>);

impl Inbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Happened>) {
        let (sender, receiver) = mpsc::channel(DEPTH);
        (Self(sender), receiver)
    }

    pub(super) async fn report(&self, happened: Happened) {
        let _ = self.0.send(happened).await;
    }
}
