//! The turn: one question, one streamed answer, one row.
//!
//! | turn | input | turn after | and |
//! |---|---|---|---|
//! | none | asked | waiting | sending waits |
//! | waiting | confirmed | waiting | typing on, inactivity deadline starts |
//! | waiting, streaming | delta | streaming | typing off, text grows on one row, deadline moves |
//! | none | delta | streaming | another device's turn, unless it belongs to the last answer |
//! | waiting, streaming | completed | none | final text stored, history read until bound |
//! | waiting, streaming | failed | none | text kept, marked failed |
//! | waiting, streaming | half the deadline | same | history is read once: the answer may be there |
//! | waiting, streaming | deadline | none | text kept, marked incomplete, history read until bound |
//! | any | answered by a server row | none | that row is the answer |
//! | none, waiting | delta that repeats an answer told whole | same | nothing: it is shown |
//! | any | its text is in another answer's row | without text | the row was taken away |
//! | any | left | none | text kept, marked incomplete; the next opening reads on |
//! | waiting, streaming | pieces may be missing | torn | its end is no proof that its text is whole |
//!
//! A deadline never makes a second row: a delta that comes late joins the row it belongs to.
//! Text reaches the disk at once when it begins, then at least every 250 ms.

mod echo;
mod signals;

use std::{collections::VecDeque, time::Duration};

use crate::{
    domain::{
        event::StreamPhase,
        ids::{ClientMessageId, MessageId},
        message::Completeness,
        plant::planted,
        time::Tick,
    },
    engine::sooner,
};
use echo::Echo;
pub use signals::{Answer, Input, Output};

#[derive(Clone, Debug)]
struct Turn {
    question: Option<ClientMessageId>,
    confirmed: bool,
    answer: Option<ClientMessageId>,
    text: String,
    started: bool,
    last_activity: Tick,
    verified: bool,
    save_due: Option<Tick>,
    /// Pieces of it may have gone where nobody listened.
    torn: bool,
}

/// The answer before: late pieces of it must find it.
#[derive(Clone, Debug)]
struct Last {
    turn: Turn,
    /// The stream has not said that it is over.
    unterminated: bool,
    /// The server's own row has replaced it: only what that row does not say is news.
    bound: bool,
    until: Tick,
}

/// A turn ended and its answer has no server row yet.
#[derive(Clone, Debug)]
struct Awaiting {
    question: Option<ClientMessageId>,
    answer: Option<ClientMessageId>,
    due: Tick,
    reads: u32,
    slow: bool,
}

/// Partial text is on disk no later than this after it came.
const SAVE_EVERY: Duration = Duration::from_millis(250);
/// A piece joins the answer it belongs to within this many inactivity deadlines of its end; later
/// ones are another device's answer more likely than a model's longest pause.
const LATE_PIECES: u32 = 20;
/// Reads of the history before an answer that never shows is given up until the next catch-up.
const MAX_READS: u32 = 24;

/// One conversation's turns.
#[derive(Clone, Debug)]
pub struct Turns {
    inactivity: Duration,
    open: Option<Turn>,
    last: Option<Last>,
    awaiting: Option<Awaiting>,
    echo: Echo,
    typing: bool,
    /// The first pieces of an answer under way may have gone where nobody listened.
    deaf: bool,
    outputs: VecDeque<Output>,
}

impl Turns {
    /// No turn yet.
    #[must_use]
    pub fn new(inactivity: Duration) -> Self {
        Self {
            inactivity,
            open: None,
            last: None,
            awaiting: None,
            echo: Echo::default(),
            typing: false,
            deaf: true,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input.
    pub fn handle(&mut self, now: Tick, input: Input) {
        match input {
            Input::Asked(question) => self.asked(now, question),
            Input::Confirmed(question) => self.confirmed(now, question),
            Input::Withdrawn(question) => self.withdrawn(question),
            Input::Delta { text, fresh } => self.delta(now, text, fresh),
            Input::Completed { stopped } => self.completed(now, stopped),
            Input::Failed { text } => self.failed(now, text),
            Input::Stored {
                answered,
                bound,
                absorbed,
                told,
                pushed,
            } => {
                self.echo.remember(told);
                self.absorbed(&absorbed);
                let bound = [bound, absorbed].concat();
                self.stored(now, &answered, &bound, pushed);
            }
            Input::Missed => self.missed(),
            Input::Left => self.left(now),
            Input::Tick => {}
        }
        self.advance(now);
        self.show_typing();
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Tick> {
        let turn = self.open.as_ref().and_then(|turn| {
            let wait = if turn.verified {
                self.inactivity
            } else {
                self.inactivity / 2
            };
            let deadline = turn.waits_for_server().then(|| turn.last_activity + wait);
            sooner(deadline, turn.save_due)
        });
        sooner(turn, self.awaiting.as_ref().map(|awaiting| awaiting.due))
    }

    /// The stored answer that an earlier life of this machine left without its end: its stream may
    /// go on, so its turn does, until a row, an end or silence says otherwise.
    pub fn recall(&mut self, now: Tick, left: Answer) {
        self.begin(Turn {
            confirmed: true,
            answer: Some(left.id),
            text: left.text,
            started: true,
            torn: true,
            ..Turn::new(now, left.question)
        });
    }

    /// Answers that were told whole before this machine was made.
    pub fn remember(&mut self, told: Vec<(MessageId, String)>) {
        self.echo.remember(told);
    }

    /// Whether sending must wait.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether pieces that come later may belong to an answer of this machine's.
    #[must_use]
    pub fn may_go_on(&self, now: Tick) -> bool {
        self.last.as_ref().is_some_and(|last| last.goes_on(now))
    }

    /// Whether an answer is under way or still looked for.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.open.is_some() || self.awaiting.is_some()
    }

    fn asked(&mut self, now: Tick, question: ClientMessageId) {
        match &mut self.open {
            Some(turn) => turn.question = turn.question.or(Some(question)),
            None => self.begin(Turn::new(now, Some(question))),
        }
    }

    fn begin(&mut self, turn: Turn) {
        self.open = Some(turn);
        self.outputs.push_back(Output::Open(true));
    }

    fn confirmed(&mut self, now: Tick, question: ClientMessageId) {
        if let Some(turn) = &mut self.open
            && turn.question == Some(question)
        {
            turn.confirmed = true;
            // Only now: a question that did not arrive ends nobody else's answer.
            if let Some(last) = &mut self.last
                && last.turn.question != Some(question)
            {
                last.unterminated = false;
            }
            turn.last_activity = now;
        }
    }

    fn withdrawn(&mut self, question: ClientMessageId) {
        // What a row of the history proved, the late end of an attempt does not take back.
        let untouched =
            |turn: &Turn| turn.question == Some(question) && !turn.started && !turn.confirmed;
        if self.open.as_ref().is_some_and(untouched) {
            self.open = None;
            self.outputs.push_back(Output::Open(false));
        }
    }

    fn delta(&mut self, now: Tick, text: String, fresh: ClientMessageId) {
        let Some(text) = self.news(now, text) else {
            return;
        };
        if self.open.is_none() {
            self.resume_last(now);
        }
        self.answer_again(now);
        let Some(turn) = &mut self.open else { return };
        turn.last_activity = now;
        turn.verified = false;
        let id = *turn.answer.get_or_insert(fresh);
        let mut offset = turn.text.len();
        turn.text.push_str(&text);
        if turn.text.trim().is_empty() {
            return;
        }
        let mut text = text;
        if !turn.started {
            turn.started = true;
            (offset, text) = (0, turn.text.clone());
            self.outputs
                .push_back(stream(id, StreamPhase::Started, 0, String::new()));
            turn.save_due = Some(now);
        }
        turn.save_due = turn.save_due.or(Some(now + SAVE_EVERY));
        self.outputs
            .push_back(stream(id, StreamPhase::Delta, offset, text));
    }

    /// The piece, unless it repeats an answer that was told whole; where text is on its way to a
    /// row already, every piece belongs to it.
    fn news(&mut self, now: Tick, piece: String) -> Option<String> {
        let has_row = match &mut self.open {
            Some(turn) => {
                turn.last_activity = now;
                turn.started
            }
            None => self
                .last
                .as_ref()
                .is_some_and(|last| last.is_shown_and_goes_on(now)),
        };
        if has_row || planted("echo-is-an-answer") {
            return Some(piece);
        }
        self.echo.hear(&piece)
    }

    /// Opens the turn that a piece belongs to.
    fn resume_last(&mut self, now: Tick) {
        let late = self.last.take_if(|last| last.goes_on(now));
        match late.filter(|_| !planted("late-piece-new-row")) {
            Some(last) => {
                self.awaiting = None;
                self.begin(Turn {
                    last_activity: now,
                    verified: false,
                    ..last.turn
                });
            }
            None => self.begin(Turn {
                confirmed: true,
                torn: self.deaf,
                ..Turn::new(now, None)
            }),
        }
    }

    /// A question that left twice has one answer: what was heard of it before goes on.
    fn answer_again(&mut self, now: Tick) {
        let Some(turn) = self.open.as_mut().filter(|turn| !turn.started) else {
            return;
        };
        let same = |last: &mut Last| {
            last.goes_on(now) && last.turn.started && last.turn.question == turn.question
        };
        if let Some(last) = self.last.take_if(same) {
            self.awaiting = None;
            turn.answer = last.turn.answer;
            turn.torn |= last.turn.torn;
            turn.text.insert_str(0, &last.turn.text);
            turn.started = true;
        }
    }

    fn completed(&mut self, now: Tick, stopped: bool) {
        self.deaf = false;
        let unheard = self.open.as_ref().is_none_or(|turn| !turn.started);
        let told_already = unheard && self.echo.take_end();
        if self.open.is_none() || told_already {
            // The end of an answer that was whole already, or that nobody saw begin.
            if let Some(last) = &mut self.last {
                last.unterminated = false;
            }
            return self.outputs.push_back(Output::ReadTail);
        }
        let torn = self.open.as_ref().is_some_and(|turn| turn.torn);
        let (completeness, phase) = match (stopped, torn) {
            (true, _) => (Completeness::Stopped, StreamPhase::Stopped),
            (false, true) => (Completeness::Incomplete, StreamPhase::Incomplete),
            (false, false) => (Completeness::Complete, StreamPhase::Completed),
        };
        self.end(now, completeness, phase, String::new(), false);
    }

    /// What is under way, or may go on, has a hole: only its row tells all of it.
    fn missed(&mut self) {
        self.deaf = true;
        let open = self.open.as_mut().filter(|turn| turn.waits_for_server());
        let last = self.last.as_mut().map(|last| &mut last.turn);
        for turn in open.into_iter().chain(last) {
            turn.torn = true;
        }
    }

    /// The next opening reads the history and finds the answer there.
    fn left(&mut self, now: Tick) {
        if self.open.as_ref().is_some_and(Turn::waits_for_server) {
            let (how, phase) = (Completeness::Incomplete, StreamPhase::Incomplete);
            self.end(now, how, phase, String::new(), true);
        }
        self.missed();
        self.awaiting = None;
    }

    fn failed(&mut self, now: Tick, text: String) {
        self.deaf = false;
        self.end(now, Completeness::Failed, StreamPhase::Failed, text, true);
    }

    fn end(
        &mut self,
        now: Tick,
        completeness: Completeness,
        phase: StreamPhase,
        words: String,
        unterminated: bool,
    ) {
        let Some(turn) = self.open.take() else { return };
        let shown = turn.shown();
        if let Some(id) = shown {
            self.outputs
                .push_back(Output::Save(turn.to_store(id, completeness)));
        }
        if let Some(id) = shown.or(turn.answer).or(turn.question)
            && (shown.is_some() || phase == StreamPhase::Failed)
        {
            self.outputs
                .push_back(stream(id, phase, turn.text.len(), words));
        }
        if !unterminated {
            self.echo.ended(&turn.text);
        }
        self.await_row(now, &turn, unterminated);
        let until = now + self.inactivity * LATE_PIECES;
        self.last = Some(Last {
            turn,
            unterminated,
            bound: false,
            until,
        });
        self.outputs.push_back(Output::Open(false));
    }

    /// The stored row has our text; the server's row, with its id, is read from the history.
    fn await_row(&mut self, now: Tick, turn: &Turn, unterminated: bool) {
        self.awaiting = Some(Awaiting {
            question: turn.question,
            answer: turn.shown(),
            due: now,
            reads: 0,
            slow: unterminated,
        });
    }

    /// Its text stands in another row now: what comes next in this turn is another answer.
    fn absorbed(&mut self, absorbed: &[ClientMessageId]) {
        let gone = |turn: &&mut Turn| turn.answer.is_some_and(|id| absorbed.contains(&id));
        let Some(turn) = self.open.as_mut().filter(gone) else {
            return;
        };
        if let Some(id) = turn.answer.take() {
            let end = turn.text.len();
            self.outputs
                .push_back(stream(id, StreamPhase::Completed, end, String::new()));
        }
        turn.text.clear();
        (turn.started, turn.save_due) = (false, None);
        if turn.question.is_none() {
            self.open = None;
            self.outputs.push_back(Output::Open(false));
        }
    }

    fn stored(
        &mut self,
        now: Tick,
        answered: &[ClientMessageId],
        bound: &[ClientMessageId],
        pushed: bool,
    ) {
        // Which question a stream answers is a guess; which row replaced its text is not.
        let hit = |question: Option<ClientMessageId>, answer: Option<ClientMessageId>| match answer
        {
            Some(id) => bound.contains(&id),
            None => question.is_some_and(|id| answered.contains(&id)),
        };
        // Whether or not somebody still looked for it: pieces that come now are another answer's.
        if let Some(last) = &mut self.last {
            last.bound |= hit(last.turn.question, last.turn.shown());
        }
        self.awaiting
            .take_if(|wait| hit(wait.question, wait.answer));
        let ends = self.open.as_ref().is_some_and(|turn| {
            let unheard = !turn.started && pushed && turn.waits_for_server();
            unheard || hit(turn.question, turn.shown())
        });
        if ends {
            self.answered_by_row(now);
        }
    }

    fn answered_by_row(&mut self, now: Tick) {
        let Some(turn) = self.open.take() else { return };
        if let Some(id) = turn.shown() {
            let end = turn.text.len();
            // Should the row that answered be another than this one, this one must end too.
            let ended = turn.to_store(id, Completeness::Incomplete);
            self.outputs.push_back(Output::Save(ended));
            self.outputs
                .push_back(stream(id, StreamPhase::Completed, end, String::new()));
        }
        let until = now + self.inactivity;
        self.last = Some(Last {
            turn,
            unterminated: true,
            bound: true,
            until,
        });
        self.outputs.push_back(Output::Open(false));
    }

    fn advance(&mut self, now: Tick) {
        self.save(now);
        if let Some(turn) = &mut self.open
            && turn.waits_for_server()
        {
            let silent = now.since(turn.last_activity);
            if silent >= self.inactivity {
                let (how, phase) = (Completeness::Incomplete, StreamPhase::Incomplete);
                self.end(now, how, phase, String::new(), true);
            } else if silent >= self.inactivity / 2 && !turn.verified {
                turn.verified = true;
                self.outputs.push_back(Output::ReadTail);
            }
        }
        self.look_for_row(now);
    }

    fn save(&mut self, now: Tick) {
        let Some(turn) = &mut self.open else { return };
        if turn.save_due.is_some_and(|due| now >= due)
            && let Some(id) = turn.answer
        {
            turn.save_due = None;
            self.outputs
                .push_back(Output::Save(turn.to_store(id, Completeness::Streaming)));
        }
    }

    fn look_for_row(&mut self, now: Tick) {
        let Some(awaiting) = &mut self.awaiting else {
            return;
        };
        if now < awaiting.due {
            return;
        }
        self.outputs.push_back(Output::ReadTail);
        awaiting.reads += 1;
        let base = Duration::from_millis(if awaiting.slow { 5_000 } else { 1_000 });
        let wait = base.saturating_mul(1 << awaiting.reads.saturating_sub(1).min(6));
        awaiting.due = now + wait.min(Duration::from_secs(60));
        if awaiting.reads >= MAX_READS {
            self.awaiting = None;
        }
    }

    fn show_typing(&mut self) {
        let typing = self
            .open
            .as_ref()
            .is_some_and(|turn| turn.confirmed && !turn.started);
        if typing != self.typing {
            self.typing = typing;
            self.outputs.push_back(Output::Typing(typing));
        }
    }
}

impl Last {
    /// Whether a piece that comes now may be this answer's.
    fn goes_on(&self, now: Tick) -> bool {
        self.unterminated && !self.bound && now < self.until
    }

    /// The same of one that has text: what only begins may be an answer told already.
    fn is_shown_and_goes_on(&self, now: Tick) -> bool {
        self.goes_on(now) && self.turn.started
    }
}

impl Turn {
    const fn new(now: Tick, question: Option<ClientMessageId>) -> Self {
        Self {
            question,
            confirmed: false,
            answer: None,
            text: String::new(),
            started: false,
            last_activity: now,
            verified: false,
            save_due: None,
            torn: false,
        }
    }

    /// The answer's row, once there is text to show.
    fn shown(&self) -> Option<ClientMessageId> {
        self.answer.filter(|_| self.started)
    }

    /// Before the server has the question, the attempt's own deadline rules.
    const fn waits_for_server(&self) -> bool {
        self.confirmed || self.started || self.question.is_none()
    }

    fn to_store(&self, id: ClientMessageId, completeness: Completeness) -> Answer {
        Answer {
            id,
            question: self.question,
            text: self.text.clone(),
            completeness,
        }
    }
}

const fn stream(id: ClientMessageId, phase: StreamPhase, offset: usize, text: String) -> Output {
    Output::Stream {
        id,
        phase,
        offset,
        text,
    }
}

#[cfg(test)]
mod tests;
