//! The texts to send: from the command line, or line by line from stdin.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::{
    failure::{Exit, Failure},
    input::{self, Line},
};

/// The texts, in order.
#[derive(Debug)]
pub(crate) struct Texts {
    given: VecDeque<String>,
    stdin: Option<mpsc::Receiver<Line>>,
}

/// The next text, if any.
#[derive(Debug)]
pub(super) enum Next {
    /// This one.
    Text(String),
    /// One that cannot be a message.
    Unusable(Failure),
    /// There is no more.
    Ended,
}

impl Texts {
    /// No text at all.
    pub(crate) fn none() -> Self {
        Self::given(Vec::new())
    }

    /// These; `-` stands for the lines of stdin.
    pub(crate) fn given(texts: Vec<String>) -> Self {
        Self {
            given: texts.into(),
            stdin: None,
        }
    }

    /// These, of which there must be at least one.
    pub(super) fn checked(texts: Vec<String>) -> Result<Self, Failure> {
        match texts.is_empty() {
            true => Err(Failure::usage(
                "there is no text to send; `-` reads lines from stdin",
            )),
            false => Ok(Self::given(texts)),
        }
    }

    /// Whether there is no more.
    pub(super) fn ended(&self) -> bool {
        self.given.is_empty() && self.stdin.is_none()
    }

    /// The next text; waits for ever after the end was told.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub(super) async fn next(&mut self) -> Next {
        if self.stdin.is_none() {
            match self.given.pop_front() {
                None => return std::future::pending().await,
                Some(text) if text == "-" => self.stdin = Some(input::lines()),
                Some(text) => return Next::Text(text),
            }
        }
        let Some(lines) = &mut self.stdin else {
            return Next::Ended;
        };
        match lines.recv().await {
            Some(Line::Text(text)) => Next::Text(text),
            Some(Line::NotText) => Next::Unusable(unusable("a line of the input is not UTF-8")),
            Some(Line::TooLong) => Next::Unusable(unusable("a line of the input is far too long")),
            None => {
                self.stdin = None;
                Next::Ended
            }
        }
    }
}

fn unusable(text: &str) -> Failure {
    Failure::new(Exit::Rejected, "send.not_text", text).field("text")
}
