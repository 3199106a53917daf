//! What a turn is told, and what it wants done.

use crate::domain::{
    event::StreamPhase,
    ids::{ClientMessageId, MessageId},
    message::Completeness,
};

/// What happens to a turn.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message of ours leaves.
    Asked(ClientMessageId),
    /// The server has it.
    Confirmed(ClientMessageId),
    /// It did not arrive, or nobody knows.
    Withdrawn(ClientMessageId),
    /// A piece of an answer; `fresh` is the key to use should it be a new answer's first.
    Delta {
        /// The piece.
        text: String,
        /// A fresh key.
        fresh: ClientMessageId,
    },
    /// The stream says the answer is whole.
    Completed {
        /// Because the user stopped it.
        stopped: bool,
    },
    /// The server reports an error.
    Failed {
        /// Its words.
        text: String,
    },
    /// Server rows were stored.
    Stored {
        /// Questions that a row of another's follows.
        answered: Vec<ClientMessageId>,
        /// Streamed answers that a server row replaced.
        bound: Vec<ClientMessageId>,
        /// Streamed text that was taken away, because another answer's row says all of it.
        absorbed: Vec<ClientMessageId>,
        /// The answers in those rows, by their row.
        told: Vec<(MessageId, String)>,
        /// Whether another's whole message came as a push or with the confirmation.
        pushed: bool,
    },
    /// A frame could not be read, or another socket took over: what it carried is not known.
    Missed,
    /// Nobody looks any more: keep what came, look for nothing.
    Left,
    /// A deadline may have passed.
    Tick,
}

/// The answer to store.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its key.
    pub id: ClientMessageId,
    /// The question.
    pub question: Option<ClientMessageId>,
    /// All text so far.
    pub text: String,
    /// How complete it is.
    pub completeness: Completeness,
}

/// Prints no text.
impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Answer({}, {} bytes, {:?})",
            self.id,
            self.text.len(),
            self.completeness
        )
    }
}

/// What a turn wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Store the answer.
    Save(Answer),
    /// Tell the app.
    Stream {
        /// The answer.
        id: ClientMessageId,
        /// What happened.
        phase: StreamPhase,
        /// Where the text begins, in bytes.
        offset: usize,
        /// The new text, or the server's words.
        text: String,
    },
    /// The model types, or stopped.
    Typing(bool),
    /// Read the history's tail.
    ReadTail,
    /// Whether a turn is open; sending waits while it is.
    Open(bool),
}
