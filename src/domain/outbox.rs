//! The outbox: what the user did that the server does not have yet, for certain.
//!
//! Every kind of action waits here alike, in one table, and ends on one path:
//!
//! | kind | track | repeated after an unknown outcome | refused for good |
//! |---|---|---|---|
//! | send | talk | with its key, else after history proved its absence | kept as failed, text and all |
//! | create | talk | with its key, else after two listings without it | kept, and with it what waits for it |
//! | complete | talk | yes: done twice is done once | the overlay is lifted |
//! | edit | changes | yes: the last word stands | the old text is back, the new one is kept |
//! | delete | changes | yes | the message is back |
//! | read | marks | yes: the server's marker only moves forward | dropped: the own marker never goes back |
//! | archive | shelf | yes | the flag is lifted |
//! | stop | stop | yes, while its answer is the newest | dropped: there is nothing to stop |
//!
//! A draft is never in it: no server has one, so it is stored with its conversation and done.
//!
//! Within a conversation each track is strictly in order of accept, and the tracks do not wait for
//! one another: words must arrive in order and a conversation must not be completed before its
//! last message, while a read mark, an archive flag or a change of an old message says the same
//! whatever became of a newer one; and a stop that waited behind a message held back by the very
//! answer would wait for ever. A change of a message whose own send is undecided is parked with
//! it. Nothing of a conversation leaves before the conversation exists.

use std::fmt;

use crate::domain::{
    conversation::NewConversation,
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId},
    plant::planted,
    retry::FailureKind,
    time::WallTime,
};

/// What a send promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendMode {
    /// Accepted on disk, retried until sent, rejected, cancelled or expired; survives a kill.
    Durable,
    /// One attempt; on proved failure the row goes and the caller gets the text back.
    Direct,
}

/// One thing the user did.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// Wrote a message; the entry's key is the message's.
    Send {
        /// What goes on the wire.
        text: String,
    },
    /// Began a conversation.
    Create(NewConversation),
    /// Ended a conversation.
    Complete,
    /// Changed a message.
    Edit {
        /// Which.
        message: ClientMessageId,
        /// The new text.
        text: String,
        /// The server's text beneath it, to come back should the server refuse.
        beneath: String,
    },
    /// Deleted a message.
    Delete {
        /// Which.
        message: ClientMessageId,
        /// The server's text, to come back should the server refuse.
        beneath: String,
    },
    /// Read everything up to a message.
    MarkRead {
        /// Up to here.
        up_to: MessageId,
    },
    /// Hid a conversation, or showed it again.
    Archive {
        /// Hidden.
        archived: bool,
        /// What it was before, to come back should the server refuse.
        beneath: bool,
    },
    /// Stopped an answer.
    Stop {
        /// The message whose answer it is, where this device knows; a later answer is not stopped.
        question: Option<ClientMessageId>,
    },
}

/// The kind of an [`Action`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionKind {
    /// [`Action::Send`].
    #[default]
    Send,
    /// [`Action::Create`].
    Create,
    /// [`Action::Complete`].
    Complete,
    /// [`Action::Edit`].
    Edit,
    /// [`Action::Delete`].
    Delete,
    /// [`Action::MarkRead`].
    MarkRead,
    /// [`Action::Archive`].
    Archive,
    /// [`Action::Stop`].
    Stop,
}

/// What is in order among itself within a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// The conversation's beginning, its messages, its end.
    Talk,
    /// Changes of messages that the server has.
    Changes,
    /// The read marker.
    Marks,
    /// The archive flag.
    Shelf,
    /// Stopping an answer.
    Stop,
}

impl ActionKind {
    /// Every kind, in the order in which they are stored.
    pub const ALL: [Self; 8] = [
        Self::Send,
        Self::Create,
        Self::Complete,
        Self::Edit,
        Self::Delete,
        Self::MarkRead,
        Self::Archive,
        Self::Stop,
    ];

    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Create => "create",
            Self::Complete => "complete",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::MarkRead => "read",
            Self::Archive => "archive",
            Self::Stop => "stop",
        }
    }

    /// Its track.
    #[must_use]
    pub const fn track(self) -> Track {
        match self {
            Self::Send | Self::Create | Self::Complete => Track::Talk,
            Self::Edit | Self::Delete => Track::Changes,
            Self::MarkRead => Track::Marks,
            Self::Archive => Track::Shelf,
            Self::Stop => Track::Stop,
        }
    }

    /// Whether a refused one stays for the user to decide: where something typed would go with it.
    #[must_use]
    pub const fn is_kept_when_refused(self) -> bool {
        matches!(self, Self::Send | Self::Create | Self::Edit)
    }

    /// Whether one of unknown outcome that grew too old waits for the user; others are let go.
    #[must_use]
    pub const fn asks_when_unknown(self) -> bool {
        matches!(self, Self::Send | Self::Create | Self::Edit | Self::Delete)
    }

    /// Whether it waits for the end of an answer under way, where the backend takes one turn at a
    /// time: a message, and the end of the conversation, which would cut the answer off.
    #[must_use]
    pub const fn waits_for_turn(self) -> bool {
        matches!(self, Self::Send | Self::Complete)
    }

    /// Whether a refusal of this kind says that nothing is left to be done.
    #[must_use]
    pub const fn is_met_by(self, refusal: &FailureKind) -> bool {
        match self {
            Self::Delete => matches!(refusal, FailureKind::NotFound),
            Self::Complete => matches!(refusal, FailureKind::NotActive),
            Self::Stop => matches!(
                refusal,
                FailureKind::NotFound | FailureKind::NotActive | FailureKind::Conflict { .. }
            ),
            _ => false,
        }
    }
}

impl Track {
    /// Every track, in the order in which they are stored.
    pub const ALL: [Self; 5] = [
        Self::Talk,
        Self::Changes,
        Self::Marks,
        Self::Shelf,
        Self::Stop,
    ];
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Send { .. } => ActionKind::Send,
            Self::Create(_) => ActionKind::Create,
            Self::Complete => ActionKind::Complete,
            Self::Edit { .. } => ActionKind::Edit,
            Self::Delete { .. } => ActionKind::Delete,
            Self::MarkRead { .. } => ActionKind::MarkRead,
            Self::Archive { .. } => ActionKind::Archive,
            Self::Stop { .. } => ActionKind::Stop,
        }
    }

    /// The message it changes.
    #[must_use]
    pub const fn changes(&self) -> Option<ClientMessageId> {
        match self {
            Self::Edit { message, .. } | Self::Delete { message, .. } => Some(*message),
            _ => None,
        }
    }

    /// The server's text beneath a change.
    #[must_use]
    pub fn beneath(&self) -> Option<&str> {
        match self {
            Self::Edit { beneath, .. } | Self::Delete { beneath, .. } => Some(beneath),
            _ => None,
        }
    }

    /// The same change over another text of the server's.
    #[must_use]
    pub fn over(self, text: &str) -> Self {
        let beneath = text.to_owned();
        match self {
            Self::Edit { message, text, .. } => Self::Edit {
                message,
                text,
                beneath,
            },
            Self::Delete { message, .. } => Self::Delete { message, beneath },
            other => other,
        }
    }
}

/// What becomes of a new action beside one about the same thing that still waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fold {
    /// It waits behind.
    Behind,
    /// The waiting one becomes this; there is no second entry.
    Into(Action),
    /// The waiting one is dropped and this takes its place behind what was accepted since.
    Instead(Action),
    /// The two undo each other.
    Neither,
    /// The waiting one says it already.
    Already,
}

/// How a new action folds into one that waits in the given state, after so many attempts.
///
/// | waiting | new | becomes |
/// |---|---|---|
/// | send, not on the wire | edit of it | the send with the new text |
/// | send, not on the wire | delete of it | nothing: it is cancelled |
/// | edit | edit back to the text beneath, never attempted | nothing |
/// | edit, not on the wire | edit | one edit with the newer text |
/// | edit, not on the wire | delete | the delete |
/// | delete | delete | one |
/// | read mark, not on the wire | read mark | the newer, which is the higher: markers only move forward |
/// | archive, never attempted | back to what is beneath | nothing |
/// | archive, not on the wire | archive | the newer |
/// | complete | complete | one |
/// | stop, not on the wire | stop | the newer |
///
/// Whatever is on the wire keeps what it says; the new one waits behind.
#[must_use]
pub fn fold(waiting: &Action, state: DeliveryState, attempts: u32, new: &Action) -> Fold {
    use Action as A;
    let on_wire = matches!(state, DeliveryState::Sending);
    let undecided = on_wire || matches!(state, DeliveryState::Uncertain);
    match (waiting, new) {
        (A::Complete, A::Complete) | (A::Delete { .. }, A::Delete { .. }) => Fold::Already,
        (A::Archive { archived: a, .. }, A::Archive { archived: b, .. }) if a == b => Fold::Already,
        (A::MarkRead { .. }, A::MarkRead { .. }) if planted("first-mark-stands") => Fold::Already,
        _ if on_wire && !planted("change-on-the-wire") => Fold::Behind,
        (A::Send { .. }, A::Edit { text, .. }) if !undecided => {
            let text = text.clone();
            Fold::Into(A::Send { text })
        }
        (A::Send { .. }, A::Delete { .. }) if !undecided => Fold::Neither,
        (A::Edit { beneath, .. }, A::Edit { text, .. }) if attempts == 0 && beneath == text => {
            Fold::Neither
        }
        (A::Edit { beneath, .. }, A::Edit { .. }) => Fold::Into(new.clone().over(beneath)),
        (A::Edit { beneath, .. }, A::Delete { .. }) => Fold::Instead(new.clone().over(beneath)),
        (&A::Archive { beneath, .. }, &A::Archive { archived, .. }) => {
            if attempts == 0 && beneath == archived {
                return Fold::Neither;
            }
            Fold::Into(A::Archive { archived, beneath })
        }
        (A::MarkRead { .. }, A::MarkRead { .. }) | (A::Stop { .. }, A::Stop { .. }) => {
            Fold::Into(new.clone())
        }
        _ => Fold::Behind,
    }
}

/// One waiting action.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Its key; for a send, the message's.
    pub id: ClientMessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// What is to be done.
    pub action: Action,
    /// What the send promised; everything else is durable.
    pub mode: SendMode,
    /// Queued, Sending, Uncertain or Failed.
    pub state: DeliveryState,
    /// Place in the accept order of this device.
    pub order: i64,
    /// Attempts made.
    pub attempt: u32,
    /// Failures in a row since the last progress.
    pub failures: u32,
    /// When it was accepted.
    pub accepted_at: WallTime,
    /// When it ends as expired if nothing could be proved or sent.
    pub expires_at: WallTime,
    /// When the next attempt is due, where one is.
    pub next_attempt_at: Option<WallTime>,
    /// Why it waits or failed.
    pub reason: Option<Reason>,
    /// The id or key it had on the wire, where the backend takes one.
    pub wire_id: Option<String>,
    /// It blocks nobody: of unknown outcome and out of our hands, where it waits for the user; or
    /// a change of a message whose own send is undecided.
    pub parked: bool,
}

impl OutboxEntry {
    /// What kind of action it is.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        self.action.kind()
    }

    /// Whether it is a message.
    #[must_use]
    pub const fn is_send(&self) -> bool {
        matches!(self.action, Action::Send { .. })
    }

    /// The text the user typed, where there is one.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.action {
            Action::Send { text } | Action::Edit { text, .. } => text,
            _ => "",
        }
    }

    /// Whether later entries of its track wait for it.
    #[must_use]
    pub const fn blocks(&self) -> bool {
        self.state.is_pending() && !self.parked
    }
}

/// Prints no text.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().as_str())
    }
}

/// Prints no text.
impl fmt::Debug for OutboxEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutboxEntry")
            .field("id", &self.id)
            .field("conversation", &self.conversation)
            .field("action", &self.action)
            .field("mode", &self.mode)
            .field("state", &self.state)
            .field("order", &self.order)
            .field("attempt", &self.attempt)
            .field("failures", &self.failures)
            .field("reason", &self.reason)
            .field("parked", &self.parked)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
