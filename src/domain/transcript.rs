//! A conversation as a document has it: every row, and nothing on its way.
//!
//! A document outlives the device that wrote it, and may be read twice. So what waits there waits no
//! more: a message that was queued has *failed*, with a reason of its own and its text kept; one on
//! the wire is *uncertain*; an answer still streaming is *incomplete*; a deletion that waits is done;
//! an edit that waits stands beside the text that the server has. The same rule is applied to what
//! is written and to what is read, so a document of another hand cannot make anything leave.
//!
//! Cursors stay behind: what they meant was true of one server at one moment. That something is
//! missing is told, and from where it is read on is asked of the server anew.

use std::fmt;

use crate::domain::{
    conversation::{Conversation, NewConversation},
    cursor::{Gap, SyncCursor, SyncPosition},
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId},
    message::{Completeness, Message},
    order::SortKey,
};

/// The reason of a message that was waiting when the document was written.
const UNSENT: &str = "send.imported";

/// The reason under which a message goes out again with its conversation, whoever asked for that.
const STRANDED: &str = "conversation.not_created";

/// A conversation with its rows, in their order. Counts, previews and versions are not in it: they
/// follow from the rows. Places in the pending half of the order tell the order and nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Transcript {
    /// The conversation.
    pub conversation: Conversation,
    /// How it was to be created, where it was begun on a device and no server has it.
    pub creation: Option<Creation>,
    /// Its rows.
    pub lines: Vec<Line>,
}

/// The beginning of a conversation that no server has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// The key of its outbox entry.
    pub id: ClientMessageId,
    /// What was to be created.
    pub new: NewConversation,
}

/// One row, and what its outbox entries say that it does not.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The row.
    pub message: Message,
    /// Why it was not sent.
    pub reason: Option<Reason>,
    /// The id or key it had on the wire.
    pub wire_id: Option<String>,
    /// A change of its text that the server does not have.
    pub edit: Option<Edit>,
}

/// A change of a text that was not done.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The key of its outbox entry.
    pub id: ClientMessageId,
    /// The text that the user gave.
    pub text: String,
    /// Why it was not done.
    pub reason: Reason,
}

/// Prints no text.
impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript")
            .field("conversation", &self.conversation)
            .field("lines", &self.lines)
            .finish_non_exhaustive()
    }
}

/// Prints no text.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// Prints no text.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edit")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What reading a document into the store did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The conversation, by the name it has here.
    pub conversation: ConversationId,
    /// Nothing of it had been read here: it is now as it was when the document was written.
    pub restored: bool,
    /// Rows added.
    pub added: usize,
    /// Rows that are here already, deleted ones too; they stay as they are.
    pub known: usize,
    /// Rows left to the server, whose history says better where they belong and what they are now.
    pub left: usize,
}

impl Transcript {
    /// The transcript with nothing on its way.
    #[must_use]
    pub fn at_rest(mut self) -> Self {
        let conversation = &mut self.conversation;
        conversation.completing = false;
        conversation.last_message = None;
        (conversation.unread, conversation.stored) = (0, 0);
        (conversation.version, conversation.server.mark) = (0, None);
        conversation.sync = SyncPosition {
            newest: None,
            oldest: conversation.sync.oldest.as_ref().map(|_| SyncCursor::end()),
            listed: None,
        };
        if !conversation.id.is_local() {
            self.creation = None;
        }
        for (at, line) in self.lines.iter_mut().enumerate() {
            line.rest(at);
        }
        self
    }
}

impl Line {
    /// A row of which the outbox says nothing.
    #[must_use]
    pub const fn of(message: Message) -> Self {
        Self {
            message,
            reason: None,
            wire_id: None,
            edit: None,
        }
    }

    fn rest(&mut self, at: usize) {
        let row = &mut self.message;
        row.version = 1;
        row.overlay = None;
        row.state = state_at_rest(row);
        if row.completeness == Completeness::Streaming {
            row.completeness = Completeness::Incomplete;
        }
        if row.state == DeliveryState::Uncertain {
            row.attempts = row.attempts.max(1);
        }
        if !row.key.is_server() {
            row.key = SortKey::pending(i64::try_from(at).unwrap_or(i64::MAX));
            row.gap = None;
        }
        row.gap = row.gap.as_ref().map(|_| Gap::ahead());
        if row.deleted {
            row.text = String::new();
            row.unread = false;
            self.edit = None;
        }
        self.say_why();
    }

    /// A reason belongs to what was not sent, and to nothing else.
    fn say_why(&mut self) {
        let state = self.message.state;
        if !self.is_unsent() {
            (self.reason, self.wire_id) = (None, None);
            return;
        }
        let reason = self.reason.take().filter(|why| why.code != STRANDED);
        self.reason = Some(reason.unwrap_or_else(|| match state {
            DeliveryState::Uncertain => interrupted(),
            _ => unsent(),
        }));
    }

    /// Whether the user still has to decide about it.
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        let undecided = matches!(
            self.message.state,
            DeliveryState::Failed | DeliveryState::Uncertain
        );
        undecided && !self.message.deleted
    }
}

/// What nobody sends any more. Only an own message can be anything but there.
fn state_at_rest(row: &Message) -> DeliveryState {
    match row.state {
        state if state.is_on_server() => state,
        _ if !row.own || row.server_id.is_some() => DeliveryState::Sent,
        _ if row.deleted => DeliveryState::Cancelled,
        DeliveryState::Queued => DeliveryState::Failed,
        DeliveryState::Sending => DeliveryState::Uncertain,
        state => state,
    }
}

/// Why something that was waiting does not wait any more.
#[must_use]
pub fn unsent() -> Reason {
    let text = "it was not sent when its conversation was exported: try again to send it";
    Reason::new(UNSENT, true, text)
}

fn interrupted() -> Reason {
    let text = "it was on the wire when its conversation was exported";
    Reason::new("send.interrupted", true, text)
}
