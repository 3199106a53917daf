//! Keeping the stored history equal to the server's: one read at a time, forward first.
//!
//! | state | input | state after | and |
//! |---|---|---|---|
//! | idle | request | forward | fetch after the newest cursor, or the newest page |
//! | forward | page, more to come | forward | fetch on |
//! | forward | page, end | idle, or backward where the whole was asked for | answer requests |
//! | forward | cursor refused | forward | say discontinuity, fetch the newest page; nothing is wiped |
//! | backward | page, not the beginning | backward, or idle where one page was asked for | |
//! | backward | page, the beginning | idle | answer requests |
//! | any | error | idle | answer requests with it |
//!
//! A request that comes while a read is under way waits for a read that starts after it: whoever
//! asks "is my message there by now" must not be answered with an older look.

use std::collections::VecDeque;

use crate::domain::{
    cursor::{HistoryRange, SyncCursor, SyncPosition},
    event::SyncPhase,
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};

/// Names a request; the asker chooses it.
pub type Ticket = u64;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// What is new since the last read.
    News,
    /// News, then everything back to the beginning.
    Whole,
    /// News on a first read, then one page before what is stored.
    OlderPage,
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
        /// Whether the server has more in the direction that was read.
        more: bool,
        /// Messages new to this device.
        fresh: usize,
        /// Messages in the page.
        length: usize,
    },
    /// The fetch failed, or its page could not be stored.
    Failed(ServiceError),
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

#[derive(Clone, Debug)]
struct Run {
    requests: Vec<Request>,
    backward: bool,
    fetched: usize,
    pages: usize,
    told: bool,
}

/// More pages in one run than any conversation has: a server that never ends is cut off.
const MAX_PAGES: usize = 100_000;

/// One conversation's synchronisation.
#[derive(Clone, Debug, Default)]
pub struct Sync {
    position: SyncPosition,
    run: Option<Run>,
    waiting: Vec<Request>,
    outputs: VecDeque<Output>,
}

impl Sync {
    /// Continues from a stored position.
    #[must_use]
    pub fn new(position: SyncPosition) -> Self {
        Self {
            position,
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
                more,
                fresh,
                length,
            } => {
                self.stored(position, more, fresh, length);
            }
            Input::Failed(error) => self.failed(&error),
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
            backward: false,
            fetched: 0,
            pages: 0,
            told,
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

    fn stored(&mut self, position: SyncPosition, more: bool, fresh: usize, length: usize) {
        let moved = position != self.position;
        let first = self.position.newest.is_none();
        self.position = position;
        let Some(run) = &mut self.run else { return };
        run.fetched += fresh;
        run.pages += 1;
        // A page that neither moved the cursor nor held anything would come for ever.
        let goes_on = more && moved && length > 0 && run.pages < MAX_PAGES;
        if run.backward {
            return self.after_backward(goes_on);
        }
        if goes_on {
            return self.fetch_forward();
        }
        let wanted = |wanted| run.requests.iter().any(|request| request.wanted == wanted);
        let older = wanted(Wanted::Whole) || (wanted(Wanted::OlderPage) && !first);
        self.go_backward(older);
    }

    fn go_backward(&mut self, wanted: bool) {
        match (&self.position.oldest, &mut self.run) {
            (Some(cursor), Some(run)) if wanted => {
                run.backward = true;
                self.outputs
                    .push_back(Output::Fetch(HistoryRange::Before(cursor.clone())));
            }
            _ => self.finish(Ok(())),
        }
    }

    fn after_backward(&mut self, goes_on: bool) {
        let whole = self.run.as_ref().is_some_and(|run| {
            run.requests
                .iter()
                .any(|request| request.wanted == Wanted::Whole)
        });
        self.go_backward(goes_on && whole);
    }

    fn failed(&mut self, error: &ServiceError) {
        let backward = self.run.as_ref().is_some_and(|run| run.backward);
        if error.kind == FailureKind::CursorRefused && !backward && self.position.newest.is_some() {
            self.position.newest = None;
            self.tell(SyncPhase::Discontinuity, 0);
            if let Some(run) = &mut self.run {
                run.told = true;
            }
            return self.fetch_forward();
        }
        self.finish(Err(error.clone()));
    }

    fn finish(&mut self, result: Result<(), ServiceError>) {
        let Some(run) = self.run.take() else { return };
        if result.is_ok() && (run.told || run.fetched > 0) {
            self.tell(SyncPhase::Synced, run.fetched);
        }
        for request in run.requests {
            let result = result.clone().map(|()| run.fetched);
            self.outputs.push_back(Output::Finished {
                ticket: request.ticket,
                result,
            });
        }
    }

    fn tell(&mut self, phase: SyncPhase, fetched: usize) {
        self.outputs.push_back(Output::Phase { phase, fetched });
    }

    /// Answers everybody with an error and forgets the run; its page, if it still comes, is void.
    pub fn abandon(&mut self) {
        let gone = ServiceError::new(
            FailureKind::Interrupted,
            RetryClass::Backoff,
            Outcome::NotApplied,
            "the read was given up",
        );
        self.finish(Err(gone.clone()));
        for request in std::mem::take(&mut self.waiting) {
            self.outputs.push_back(Output::Finished {
                ticket: request.ticket,
                result: Err(gone.clone()),
            });
        }
    }

    /// Where the stored history ends, as far as this machine knows.
    #[must_use]
    pub const fn newest(&self) -> Option<&SyncCursor> {
        self.position.newest.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(newest: &str, oldest: Option<&str>) -> SyncPosition {
        SyncPosition {
            newest: Some(SyncCursor::new(newest)),
            oldest: oldest.map(SyncCursor::new),
        }
    }

    fn drain(sync: &mut Sync) -> Vec<Output> {
        std::iter::from_fn(|| sync.poll_output()).collect()
    }

    fn request(ticket: Ticket, wanted: Wanted) -> Input {
        Input::Request {
            ticket,
            wanted,
            quiet: true,
        }
    }

    fn after(cursor: &str) -> Output {
        Output::Fetch(HistoryRange::After(SyncCursor::new(cursor)))
    }

    #[test]
    fn l42_a_request_during_a_read_is_answered_by_a_later_read() {
        let mut sync = Sync::new(at("5", None));
        sync.handle(request(1, Wanted::News));
        sync.handle(request(2, Wanted::News));
        assert_eq!(drain(&mut sync), [after("5")]);
        sync.handle(Input::Stored {
            position: at("6", None),
            more: false,
            fresh: 1,
            length: 3,
        });
        let outputs = drain(&mut sync);
        assert!(outputs.contains(&Output::Finished {
            ticket: 1,
            result: Ok(1)
        }));
        assert_eq!(outputs.last(), Some(&after("6")));
    }

    #[test]
    fn l70_forward_pages_are_read_to_the_end() {
        let mut sync = Sync::new(at("0", None));
        sync.handle(request(1, Wanted::News));
        sync.handle(Input::Stored {
            position: at("100", None),
            more: true,
            fresh: 100,
            length: 100,
        });
        assert_eq!(drain(&mut sync), [after("0"), after("100")]);
    }

    #[test]
    fn f33_a_server_that_never_ends_its_pages_is_cut_off() {
        let mut sync = Sync::new(at("5", None));
        sync.handle(request(1, Wanted::News));
        sync.handle(Input::Stored {
            position: at("5", None),
            more: true,
            fresh: 0,
            length: 2,
        });
        assert!(!sync.is_running());
    }

    #[test]
    fn the_whole_goes_back_to_the_beginning() {
        let mut sync = Sync::default();
        sync.handle(request(1, Wanted::Whole));
        sync.handle(Input::Stored {
            position: at("250", Some("150")),
            more: false,
            fresh: 100,
            length: 100,
        });
        sync.handle(Input::Stored {
            position: at("250", Some("50")),
            more: true,
            fresh: 100,
            length: 100,
        });
        sync.handle(Input::Stored {
            position: at("250", None),
            more: false,
            fresh: 50,
            length: 50,
        });
        let outputs = drain(&mut sync);
        assert!(outputs.contains(&Output::Finished {
            ticket: 1,
            result: Ok(250)
        }));
        assert!(outputs.contains(&Output::Phase {
            phase: SyncPhase::Synced,
            fetched: 250
        }));
    }

    #[test]
    fn a_refused_cursor_is_a_discontinuity_and_a_fresh_look_never_a_wipe() {
        let mut sync = Sync::new(at("5", None));
        sync.handle(request(1, Wanted::News));
        let refused = ServiceError::new(
            FailureKind::CursorRefused,
            RetryClass::Never,
            Outcome::NotApplied,
            "shrunk",
        );
        sync.handle(Input::Failed(refused));
        let outputs = drain(&mut sync);
        assert!(outputs.contains(&Output::Phase {
            phase: SyncPhase::Discontinuity,
            fetched: 0
        }));
        assert_eq!(outputs.last(), Some(&Output::Fetch(HistoryRange::Newest)));
    }
}
