//! Streamed answers that have no row of the server's yet, and the rows that say what they say.

use crate::domain::{
    ids::ClientMessageId,
    message::{Message, Role, ServerMessage},
    plant::planted,
    rules::repeat::Words,
};

/// How much of a streamed answer is in a row's text: one that begins it before one that goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    Within(usize),
    Beginning(usize),
}

impl Heard {
    /// `None` where the row is not what was heard.
    pub(super) fn of(row: &Message, whole: &Words) -> Option<Self> {
        let words = Words::of(&row.text);
        let length = row.text.trim_end().len();
        if words.begin(whole) {
            Some(Self::Beginning(length))
        } else if words.are_telling() && words.are_in(whole) {
            Some(Self::Within(length))
        } else {
            None
        }
    }
}

/// Whether it is a streamed answer that has no row of the server's yet.
pub(super) const fn is_partial(row: &Message) -> bool {
    !row.own && row.server_id.is_none()
}

/// An answer as a row of the history tells it.
pub(super) struct Whole<'a> {
    role: &'a Role,
    words: Words,
    question: Option<ClientMessageId>,
}

impl<'a> Whole<'a> {
    pub(super) fn new(said: &'a ServerMessage, row: Option<&Message>) -> Self {
        Self {
            role: &said.role,
            words: Words::of(&said.text),
            question: row.and_then(|row| row.answers),
        }
    }
}

/// The partial answers that repeat what a row says, and are not that row.
///
/// An answer whose stream was interrupted may have been stored in parts: the row that brings all
/// of it takes the place of one of them, and shows the words of the others. What an answer that
/// the server gave up said is its own, so words alone must be too many for a coincidence; and many
/// answers begin alike, so where they are not known to answer one question they must go on alike.
pub(super) fn repeated<'a>(
    rows: impl Iterator<Item = &'a Message>,
    told: &[Whole<'_>],
) -> Vec<Message> {
    if planted("fragments-stay") {
        return Vec::new();
    }
    let repeats = |row: &&Message| told.iter().any(|whole| repeats(row, whole));
    rows.filter(|row| is_partial(row))
        .filter(repeats)
        .cloned()
        .collect()
}

fn repeats(partial: &Message, whole: &Whole<'_>) -> bool {
    let words = Words::of(&partial.text);
    let likely = match partial.answers.zip(whole.question) {
        Some((a, b)) if a == b => true,
        _ => words.are_telling() && !words.begin(&whole.words),
    };
    likely && partial.role == *whole.role && words.are_in(&whole.words)
}
