//! Keeping the stored history equal to the server's: one read at a time, the newest first.
//!
//! | leg | what comes | leg after | and |
//! |---|---|---|---|
//! | – | request | forward | fetch after the newest cursor, or the newest page |
//! | forward | page, more to come, its end told | forward | fetch the newest page; a gap is left |
//! | forward | page, more to come | forward | fetch on |
//! | forward | page, end | gap, older or – | answer who only wanted the news |
//! | forward | cursor refused | forward | say discontinuity, fetch the newest page; nothing is wiped |
//! | gap | page | forward where asked for meanwhile, else gap, older or – | fill the newest gap |
//! | older | page | the same, where the whole is asked for | |
//! | gap, older | cursor refused | gap | have the way back looked for from the newest page, once |
//! | any | error | – | answer requests with it, or say that the run broke off |
//!
//! A request that comes while a read is under way waits for a read that starts after it: whoever
//! asks "is my message there by now" must not be answered with an older look. It does not wait for
//! a long backfill: the news are looked at between two of its pages.

use std::collections::VecDeque;

use crate::domain::{
    cursor::{HistoryRange, SyncCursor, SyncPosition},
    event::SyncPhase,
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// Names a request; the asker chooses it.
pub type Ticket = u64;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The newest messages; answered while gaps behind them are still being filled.
    News,
    /// What came since the last read, without a gap.
    Complete,
    /// That, then one page before what is stored.
    OlderPage,
    /// That, then everything back to the beginning.
    Whole,
}

/// What happens to a synchronisation.
#[derive(Clone, Debug)]
pub enum Input {
    /// Somebody wants to be up to date.
    Request {
        /// Who.
        ticket: Ticket,
        /// How much.
        wanted: Wanted,
        /// Whether an uneventful run is worth no word.
        quiet: bool,
    },
    /// A fetched page was stored.
    Stored {
        /// Where the stored history ends now.
        position: SyncPosition,
        /// The newest gap that is left.
        gap: Option<SyncCursor>,
        /// Where the newest page ends, if it may be read next.
        tail: Option<SyncCursor>,
        /// Whether the server has more in the direction that was read.
        more: bool,
        /// Messages new to this device.
        fresh: usize,
        /// Messages in the page.
        length: usize,
    },
    /// The fetch failed, or its page could not be stored.
    Failed(ServiceError),
    /// Every backward read begins at the newest page now.
    Forgotten {
        /// Where the stored history ends now.
        position: SyncPosition,
        /// The newest gap that is left.
        gap: Option<SyncCursor>,
    },
}

/// What a synchronisation wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Fetch this range and store it.
    Fetch(HistoryRange),
    /// A request is answered.
    Finished {
        /// Whose.
        ticket: Ticket,
        /// How many messages were new, or why it could not be.
        result: Result<usize, ServiceError>,
    },
    /// A gap is left and nobody waits for it: another catch-up has to go on.
    BrokeOff,
    /// The server refuses a stored cursor: let backward reads begin at the newest page.
    Forget,
    /// Something to tell.
    Phase {
        /// What.
        phase: SyncPhase,
        /// Messages new so far.
        fetched: usize,
    },
}

#[derive(Clone, Debug)]
struct Request {
    ticket: Ticket,
    wanted: Wanted,
    quiet: bool,
}

/// What is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    Forward,
    Gap,
    Older,
}

#[derive(Clone, Debug)]
struct Run {
    requests: Vec<Request>,
    leg: Leg,
    fetched: usize,
    pages: usize,
    /// Whether the newest page was read out of turn: once a leg is enough.
    jumped: bool,
    /// Whether that page is being fetched.
    leaping: bool,
    /// Whether the last page held nothing new.
    barren: bool,
    /// Whether the way back was looked for anew: a server that refuses that too is broken.
    forgot: bool,
    /// A gap that a page neither closed nor moved: the server has no more to say of it now.
    stuck: Option<SyncCursor>,
    gap_told: bool,
    told: bool,
    /// Whether nothing was known before it.
    first: bool,
}

/// More pages in one run than any conversation has: a server that never ends is cut off.
const MAX_PAGES: usize = 100_000;

/// One conversation's synchronisation.
#[derive(Clone, Debug, Default)]
pub struct Sync {
    position: SyncPosition,
    gap: Option<SyncCursor>,
    run: Option<Run>,
    waiting: Vec<Request>,
    outputs: VecDeque<Output>,
}

impl Sync {
    /// Continues from a stored position; `gap` is the newest one that is not filled.
    #[must_use]
    pub fn new(position: SyncPosition, gap: Option<SyncCursor>) -> Self {
        Self {
            position,
            gap,
            ..Self::default()
        }
    }

    /// Takes an input.
    pub fn handle(&mut self, input: Input) {
        match input {
            Input::Request {
                ticket,
                wanted,
                quiet,
            } => {
                self.waiting.push(Request {
                    ticket,
                    wanted,
                    quiet,
                });
            }
            Input::Stored {
                position,
                gap,
                tail,
                more,
                fresh,
                length,
            } => {
                let moved = position != self.position || gap != self.gap;
                self.position = position;
                self.gap = gap;
                self.stored(more && moved && length > 0, tail, fresh);
            }
            Input::Failed(error) => self.failed(&error),
            Input::Forgotten { position, gap } => {
                (self.position, self.gap) = (position, gap);
                self.go_back_anew();
            }
        }
        if self.run.is_none() && !self.waiting.is_empty() {
            self.start();
        }
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether a read is under way.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.run.is_some()
    }

    fn start(&mut self) {
        let requests = std::mem::take(&mut self.waiting);
        let told = self.position.newest.is_none() || requests.iter().any(|request| !request.quiet);
        self.run = Some(Run {
            requests,
            leg: Leg::Forward,
            fetched: 0,
            pages: 0,
            jumped: false,
            leaping: false,
            barren: false,
            forgot: false,
            stuck: None,
            gap_told: false,
            told,
            first: self.position.newest.is_none(),
        });
        if told {
            self.tell(SyncPhase::Started, 0);
        }
        self.fetch_forward();
    }

    fn fetch_forward(&mut self) {
        let range = match &self.position.newest {
            Some(cursor) => HistoryRange::After(cursor.clone()),
            None => HistoryRange::Newest,
        };
        self.outputs.push_back(Output::Fetch(range));
    }

    /// `goes_on`: the server has more in this direction, and this page was worth something: one
    /// that neither moved anything nor held anything would come for ever.
    fn stored(&mut self, goes_on: bool, tail: Option<SyncCursor>, fresh: usize) {
        let Some(run) = &mut self.run else { return };
        run.fetched += fresh;
        run.pages += 1;
        run.leaping = false;
        run.barren = fresh == 0;
        let goes_on = goes_on && run.pages < MAX_PAGES;
        match run.leg {
            Leg::Forward if goes_on => self.go_forward(tail),
            Leg::Forward => {
                self.answer_news();
                self.go_on();
            }
            Leg::Gap => self.go_on(),
            Leg::Older if goes_on => self.go_older(),
            Leg::Older => self.finish(Ok(())),
        }
    }

    fn go_forward(&mut self, tail: Option<SyncCursor>) {
        let Some(run) = &mut self.run else { return };
        match tail.filter(|_| !std::mem::replace(&mut run.jumped, true)) {
            Some(tail) => {
                run.leaping = true;
                let range = HistoryRange::Tail(tail);
                self.outputs.push_back(Output::Fetch(range));
            }
            None => self.fetch_forward(),
        }
    }

    /// Who only wanted the newest messages has them.
    fn answer_news(&mut self) {
        let Some(run) = &mut self.run else { return };
        if self.gap.is_none() {
            return;
        }
        let content = |request: &Request| request.wanted == Wanted::News;
        let (content, rest) = std::mem::take(&mut run.requests)
            .into_iter()
            .partition(content);
        run.requests = rest;
        let fetched = run.fetched;
        self.answer(content, &Ok(fetched));
    }

    /// After a forward leg, or a page of a gap: what is most wanted now.
    fn go_on(&mut self) {
        let Some(run) = &mut self.run else { return };
        if run.leg == Leg::Gap && !self.waiting.is_empty() {
            run.requests.append(&mut self.waiting);
            run.leg = Leg::Forward;
            run.jumped = false;
            return self.fetch_forward();
        }
        if let Some(gap) = self.gap.clone().filter(|gap| run.may_fill(gap)) {
            run.leg = Leg::Gap;
            run.stuck = Some(gap.clone());
            let (first, fetched) = (!std::mem::replace(&mut run.gap_told, true), run.fetched);
            if first {
                run.told = true;
                self.tell(SyncPhase::Gap, fetched);
            }
            let range = HistoryRange::Before(gap);
            return self.outputs.push_back(Output::Fetch(range));
        }
        self.go_older();
    }

    fn go_older(&mut self) {
        let Some(run) = &mut self.run else { return };
        let asked = run.requests.iter().map(|request| request.wanted).max();
        let more = match (asked, run.leg) {
            (Some(Wanted::Whole), _) => true,
            // A first read brings a page by itself; afterwards one is enough, unless all of it was
            // here already: what was removed here lies behind what was kept.
            (Some(Wanted::OlderPage), leg) => (leg != Leg::Older || run.barren) && !run.first,
            _ => false,
        };
        match self.position.oldest.clone().filter(|_| more) {
            Some(cursor) => {
                run.leg = Leg::Older;
                let range = HistoryRange::Before(cursor);
                self.outputs.push_back(Output::Fetch(range));
            }
            None => self.finish(Ok(())),
        }
    }

    fn failed(&mut self, error: &ServiceError) {
        if error.kind != FailureKind::CursorRefused || !self.go_on_without() {
            self.finish(Err(error.clone()));
        }
    }

    /// Goes on without the cursor that was refused; says whether there is such a way.
    fn go_on_without(&mut self) -> bool {
        let Some(run) = &mut self.run else {
            return false;
        };
        match run.leg {
            // The end was foretold wrongly: it is reached step by step.
            Leg::Forward if std::mem::take(&mut run.leaping) => self.fetch_forward(),
            Leg::Forward if self.position.newest.take().is_some() => {
                run.told = true;
                self.tell(SyncPhase::Discontinuity, 0);
                self.fetch_forward();
            }
            Leg::Gap | Leg::Older if !std::mem::replace(&mut run.forgot, true) => {
                self.outputs.push_back(Output::Forget);
            }
            _ => return false,
        }
        true
    }

    fn go_back_anew(&mut self) {
        if let Some(run) = &mut self.run {
            run.leg = Leg::Gap;
            self.go_on();
        }
    }

    fn finish(&mut self, result: Result<(), ServiceError>) {
        let Some(run) = self.run.take() else { return };
        let result = match result {
            Ok(()) if self.gap.is_some() => Err(gap_left()),
            other => other,
        };
        if result.is_ok() && (run.told || run.fetched > 0) {
            self.tell(SyncPhase::Synced, run.fetched);
        }
        if result.is_err() && run.requests.is_empty() && self.gap.is_some() {
            self.outputs.push_back(Output::BrokeOff);
        }
        self.answer(run.requests, &result.map(|()| run.fetched));
    }

    fn answer(&mut self, requests: Vec<Request>, result: &Result<usize, ServiceError>) {
        for request in requests {
            self.outputs.push_back(Output::Finished {
                ticket: request.ticket,
                result: result.clone(),
            });
        }
    }

    fn tell(&mut self, phase: SyncPhase, fetched: usize) {
        self.outputs.push_back(Output::Phase { phase, fetched });
    }

    /// Answers everybody with an error and forgets the run; its page, if it still comes, is void.
    pub fn abandon(&mut self) {
        let gone = || Err(failure(FailureKind::Interrupted, "the read was given up"));
        if let Some(run) = self.run.take() {
            self.answer(run.requests, &gone());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.answer(waiting, &gone());
    }
}

impl Run {
    fn may_fill(&self, gap: &SyncCursor) -> bool {
        self.stuck.as_ref() != Some(gap) && self.pages < MAX_PAGES
    }
}

fn gap_left() -> ServiceError {
    failure(
        FailureKind::Protocol,
        "the server does not give what lies in a gap of the history",
    )
}

fn failure(kind: FailureKind, text: &str) -> ServiceError {
    ServiceError::new(kind, RetryClass::Backoff, Outcome::NotApplied, text)
}

#[cfg(test)]
mod tests;
