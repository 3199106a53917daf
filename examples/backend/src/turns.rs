//! Turns: a user's message and the coach's answer to it. One at a time in each conversation; the
//! answer is finished and stored whether or not anyone is listening.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::sync::{Notify, mpsc};

use crate::{
    app::Shared,
    clock,
    coach::{CoachError, Pieces, Prompt},
    config::Dialect,
    faults::Action,
    store::{Message, NewMessage},
    ws::{Document, frames},
};

/// Earlier messages the coach is shown.
const MEMORY: usize = 20;
/// Every fourth chunk shares its frame with the next one, as production's sometimes do.
const PAIR_EVERY: usize = 4;

/// How a fault rule spoils a turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct TurnPlan {
    no_terminator: bool,
    no_answer: bool,
    unstored: bool,
    error: Option<TurnError>,
}

#[derive(Clone, Debug)]
struct TurnError {
    code: Option<String>,
    text: String,
    after_chunks: usize,
}

impl TurnPlan {
    /// The plan an action asks for, if it is about turns.
    pub(crate) fn from_action(action: &Action) -> Option<Self> {
        let plan = Self::default();
        Some(match action {
            Action::NoTerminator => Self {
                no_terminator: true,
                ..plan
            },
            Action::NoAnswer { stored } => Self {
                no_answer: true,
                unstored: !stored,
                ..plan
            },
            Action::ErrorFrame {
                code,
                text,
                after_chunks,
            } => {
                let (code, text) = (code.clone(), text.clone());
                Self {
                    error: Some(TurnError {
                        code,
                        text,
                        after_chunks: *after_chunks,
                    }),
                    ..plan
                }
            }
            _ => return None,
        })
    }
}

/// A turn asked for.
#[derive(Debug)]
pub(crate) struct Turn {
    question: Message,
    plan: TurnPlan,
    stop: Arc<Notify>,
}

impl Turn {
    pub(crate) fn stop(&self) -> Arc<Notify> {
        Arc::clone(&self.stop)
    }
}

/// Asks for an answer to a stored message.
pub(crate) fn ask(app: &Shared, question: Message, plan: TurnPlan) {
    let conversation = question.consultation_id.clone();
    let turn = Turn {
        question,
        plan,
        stop: Arc::default(),
    };
    app.hub.ask(&conversation, turn, |turns| {
        tokio::spawn(work(Arc::clone(app), turns));
    });
}

async fn work(app: Shared, mut turns: mpsc::UnboundedReceiver<Turn>) {
    while let Some(turn) = turns.recv().await {
        let conversation = turn.question.consultation_id.clone();
        Answering::new(Arc::clone(&app), turn).run().await;
        app.hub.turn_over(&conversation);
    }
}

/// An answer under way.
struct Answering {
    app: Shared,
    turn: Turn,
    text: String,
    chunks: usize,
    /// A chunk waiting for the next one to share a frame with.
    paired: Option<Document>,
    started: Instant,
}

enum End {
    Complete,
    Stopped,
    Failed(TurnError),
}

impl Answering {
    fn new(app: Shared, turn: Turn) -> Self {
        let started = Instant::now();
        Self {
            app,
            turn,
            text: String::new(),
            chunks: 0,
            paired: None,
            started,
        }
    }

    async fn run(mut self) {
        if self.turn.plan.unstored {
            return;
        }
        let history = self.history().await;
        let prompt = Prompt {
            text: self.turn.question.content.clone(),
            history,
        };
        let pieces = self.app.coach.answer(prompt);
        let end = self.stream(pieces).await;
        self.flush_pair();
        match end {
            End::Failed(error) => {
                let frame = frames::error(self.conversation(), &error.text, error.code.as_deref());
                self.show(vec![frame]);
            }
            End::Complete => self.finish(false).await,
            End::Stopped => self.finish(true).await,
        }
    }

    async fn stream(&mut self, mut pieces: Pieces) -> End {
        let stop = self.turn.stop();
        loop {
            if let Some(error) = &self.turn.plan.error
                && self.chunks >= error.after_chunks
            {
                return End::Failed(error.clone());
            }
            let next = tokio::select! {
                biased;
                () = stop.notified() => return End::Stopped,
                next = paced(&mut pieces, self.app.coach.pace()) => next,
            };
            match next {
                Some(Ok(piece)) => self.piece(&piece),
                None => return End::Complete,
                Some(Err(error)) => return End::Failed(unavailable(&error)),
            }
        }
    }

    fn piece(&mut self, piece: &str) {
        self.text.push_str(piece);
        self.chunks += 1;
        if self.app.config.dialect == Dialect::S34 {
            return;
        }
        let chunk = frames::chunk(self.conversation(), piece);
        match self.paired.take() {
            Some(first) => self.show(vec![first, chunk]),
            None if self.chunks.is_multiple_of(PAIR_EVERY) => self.paired = Some(chunk),
            None => self.show(vec![chunk]),
        }
    }

    fn flush_pair(&mut self) {
        if let Some(chunk) = self.paired.take() {
            self.show(vec![chunk]);
        }
    }

    /// Stores the answer, then says it is complete: whoever hears that can read it.
    async fn finish(self, stopped: bool) {
        let row = if self.text.trim().is_empty() {
            None
        } else {
            self.store().await
        };
        let last = match (self.app.config.dialect, &row) {
            (Dialect::S34, Some(row)) => frames::message(&self.app.config, row),
            (Dialect::S34, None) => return,
            (Dialect::Production, _) => self.terminator(row.as_ref(), stopped),
        };
        if !self.turn.plan.no_terminator {
            self.show(vec![last]);
        }
    }

    fn terminator(&self, row: Option<&Message>, stopped: bool) -> Document {
        let mut metadata = json!({
            "tokens_used": self.chunks,
            "processing_time_ms": millis(self.started.elapsed()),
            "function_calls": 0,
        });
        if stopped && let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("stopped".to_owned(), json!(true));
        }
        let named = row.filter(|_| self.app.config.extensions);
        frames::complete(self.conversation(), metadata, named)
    }

    async fn store(&self) -> Option<Message> {
        let took = millis(self.started.elapsed());
        let tokens = u32::try_from(self.chunks).unwrap_or(u32::MAX);
        let row = NewMessage::assistant(self.conversation(), &self.text, tokens, took);
        let work = move |db: &rusqlite::Connection| Message::insert(db, &row, clock::now());
        match self.app.store.run(work).await {
            Ok(row) => Some(row),
            Err(error) => {
                // The consultation may have been deleted meanwhile.
                tracing::debug!(%error, "the answer was not stored");
                None
            }
        }
    }

    async fn history(&self) -> Vec<(String, String)> {
        let conversation = self.conversation().to_owned();
        let before = self.turn.question.seq;
        let work = move |db: &rusqlite::Connection| Message::after(db, &conversation, 0, None);
        let rows = self.app.store.run(work).await.unwrap_or_default();
        let mut earlier: Vec<_> = rows
            .into_iter()
            .filter(|row| row.seq < before && !row.deleted)
            .map(|row| (row.role, row.content))
            .collect();
        earlier.drain(..earlier.len().saturating_sub(MEMORY));
        earlier
    }

    fn show(&self, frame: Vec<Document>) {
        if !self.turn.plan.no_answer {
            self.app.hub.broadcast(self.conversation(), &frame, None);
        }
    }

    fn conversation(&self) -> &str {
        &self.turn.question.consultation_id
    }
}

async fn paced(pieces: &mut Pieces, pace: Duration) -> Option<Result<String, CoachError>> {
    if !pace.is_zero() && !pieces.is_empty() {
        tokio::time::sleep(pace).await;
    }
    pieces.recv().await
}

fn unavailable(error: &CoachError) -> TurnError {
    tracing::warn!(%error, "no answer");
    let code = Some("AI_SERVICE_UNAVAILABLE".to_owned());
    TurnError {
        code,
        text: "AI service unavailable".to_owned(),
        after_chunks: 0,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
