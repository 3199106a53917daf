//! Pieces that say again what the server's rows have told: a stream slower than the history.
//!
//! Every answer has one row and at most one stream. Each row told is paired with the stream that
//! said its words, in whichever order they come; what repeats a row whose stream is over is
//! another answer in the same words.

use std::collections::VecDeque;

use crate::domain::{ids::MessageId, rules::repeat::Words};

/// Rows whose streams may still come, and streams whose rows may.
const REMEMBERED: usize = 8;

/// The newest answers the server has told, and the pieces that so far only repeat one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    told: VecDeque<Told>,
    /// What streams said that ended before their row was told.
    said: VecDeque<Words>,
    held: String,
    /// The row that the last piece repeated.
    sounding: Option<MessageId>,
}

#[derive(Clone, Debug)]
struct Told {
    row: MessageId,
    words: Words,
    over: bool,
}

impl Echo {
    /// The server has told these answers whole.
    pub(super) fn remember(&mut self, rows: Vec<(MessageId, String)>) {
        for (row, text) in rows {
            if self.told.iter().any(|told| told.row == row) {
                continue;
            }
            let words = Words::of(&text);
            let stream = self.said.iter().position(|said| said.are_in(&words));
            let over = stream.and_then(|at| self.said.remove(at)).is_some();
            keep(&mut self.told, Told { row, words, over });
        }
    }

    /// A stream that said this has come to its end.
    pub(super) fn ended(&mut self, text: &str) {
        let said = Words::of(text);
        let row = self.told.iter_mut().find(|told| told.repeats(&said));
        match row {
            Some(told) => told.over = true,
            None if said.is_empty() => {}
            None => keep(&mut self.said, said),
        }
    }

    /// Takes a piece; gives back what is new, with all that was held back before it.
    pub(super) fn hear(&mut self, piece: &str) -> Option<String> {
        self.held.push_str(piece);
        let words = Words::of(&self.held);
        if words.is_empty() && self.sounding.is_some() {
            return None;
        }
        let told = self.told.iter().find(|told| told.repeats(&words));
        self.sounding = told.map(|told| told.row.clone());
        if told.is_some_and(|told| words.end(&told.words)) {
            self.held.clear();
        }
        let new = self.sounding.is_none();
        new.then(|| std::mem::take(&mut self.held))
    }

    /// Whether the last piece was one of an answer told already; its end is that answer's end.
    pub(super) fn take_end(&mut self) -> bool {
        self.held.clear();
        let Some(row) = self.sounding.take() else {
            return false;
        };
        for told in self.told.iter_mut().filter(|told| told.row == row) {
            told.over = true;
        }
        true
    }
}

impl Told {
    fn repeats(&self, words: &Words) -> bool {
        !self.over && words.are_in(&self.words)
    }
}

fn keep<T>(known: &mut VecDeque<T>, newest: T) {
    known.push_back(newest);
    while known.len() > REMEMBERED {
        known.pop_front();
    }
}
