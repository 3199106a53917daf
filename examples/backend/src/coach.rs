//! Who writes the answers.

mod openai;
mod scripted;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{config::CoachConfig, error::BackendError};

/// What an answer is asked from.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    /// The user's message.
    pub(crate) text: String,
    /// The turns before it, oldest first: role and content.
    pub(crate) history: Vec<(String, String)>,
}

/// Why an answer broke off.
#[derive(Debug, thiserror::Error)]
#[error("the AI endpoint failed: {0}")]
pub(crate) struct CoachError(pub(crate) String);

/// The pieces of an answer, as they come; dropping it ends the answer.
pub(crate) type Pieces = mpsc::Receiver<Result<String, CoachError>>;

/// The one who answers.
#[derive(Debug)]
pub(crate) struct Coach {
    word_delay_us: AtomicU64,
    remote: Option<openai::Endpoint>,
}

impl Coach {
    pub(crate) fn new(config: &CoachConfig, word_delay: Duration) -> Result<Self, BackendError> {
        let remote = match config {
            CoachConfig::Scripted => None,
            CoachConfig::OpenAi(config) => Some(openai::Endpoint::new(config)?),
        };
        let coach = Self {
            word_delay_us: AtomicU64::new(0),
            remote,
        };
        coach.set_word_delay(word_delay);
        Ok(coach)
    }

    /// Sets the pace of scripted answers, the running one included.
    pub(crate) fn set_word_delay(&self, delay: Duration) {
        let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        self.word_delay_us.store(micros, Ordering::Relaxed);
    }

    pub(crate) fn word_delay(&self) -> Duration {
        Duration::from_micros(self.word_delay_us.load(Ordering::Relaxed))
    }

    /// Starts an answer. The scripted one is complete at once; its pace is the caller's affair.
    pub(crate) fn answer(&self, prompt: Prompt) -> Pieces {
        match &self.remote {
            Some(endpoint) => endpoint.answer(prompt),
            None => ready(&scripted::answer(&prompt)),
        }
    }

    /// How long to wait before showing a piece.
    pub(crate) fn pace(&self) -> Duration {
        if self.remote.is_some() {
            Duration::ZERO
        } else {
            self.word_delay()
        }
    }
}

fn ready(text: &str) -> Pieces {
    let words: Vec<_> = text.split_inclusive(' ').collect();
    let (sender, receiver) = mpsc::channel(words.len().max(1));
    for word in words {
        // Cannot be full: there is a place for each word.
        let _ = sender.try_send(Ok(word.to_owned()));
    }
    receiver
}
