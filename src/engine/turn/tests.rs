//! Every row of the turn's table, on a hand-moved clock.

mod answers;
mod echoes;
mod endings;

use std::time::Duration;

use super::{Answer, Input, Output, Turns};
use crate::domain::{
    event::StreamPhase,
    ids::{ClientMessageId, MessageId},
    message::Completeness,
    time::{Tick, WallTime},
};

const INACTIVITY: Duration = Duration::from_secs(30);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn key(n: u32) -> ClientMessageId {
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&n.to_be_bytes());
    ClientMessageId::mint(WallTime::from_millis(i64::from(n)), entropy)
}

/// The question of most tests.
const QUESTION: u32 = 1;

/// One conversation's turns, their clock, and fresh keys from 100 on.
struct Talk {
    turns: Turns,
    now: Duration,
    fresh: u32,
    said: Vec<(Duration, Output)>,
}

impl Talk {
    fn new() -> Self {
        Self {
            turns: Turns::new(INACTIVITY),
            now: Duration::ZERO,
            fresh: 100,
            said: Vec::new(),
        }
    }

    /// Asked and confirmed.
    fn waiting() -> Self {
        let mut talk = Self::new();
        talk.tell(Input::Asked(key(QUESTION)));
        talk.tell(Input::Confirmed(key(QUESTION)));
        talk
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        let from = self.said.len();
        self.turns.handle(Tick::from_start(self.now), input);
        while let Some(output) = self.turns.poll_output() {
            self.said.push((self.now, output));
        }
        self.said[from..]
            .iter()
            .map(|(_, output)| output.clone())
            .collect()
    }

    fn delta(&mut self, text: &str) -> Vec<Output> {
        self.fresh += 1;
        let (text, fresh) = (text.to_owned(), key(self.fresh));
        self.tell(Input::Delta { text, fresh })
    }

    fn completed(&mut self) -> Vec<Output> {
        self.tell(Input::Completed { stopped: false })
    }

    fn stored(&mut self, answered: &[u32], bound: &[ClientMessageId], pushed: bool) -> Vec<Output> {
        self.tell(Input::Stored {
            answered: answered.iter().map(|n| key(*n)).collect(),
            bound: bound.to_vec(),
            absorbed: Vec::new(),
            told: Vec::new(),
            pushed,
        })
    }

    /// A read that told an answer whole, and took the place of a streamed row or took it away.
    fn read_whole(&mut self, told: &str, bound: &[u32], absorbed: &[u32]) -> Vec<Output> {
        self.fresh += 1;
        let row = MessageId::parse(&format!("m{}", self.fresh)).expect("a name");
        self.tell(Input::Stored {
            answered: Vec::new(),
            bound: bound.iter().map(|n| key(*n)).collect(),
            absorbed: absorbed.iter().map(|n| key(*n)).collect(),
            told: vec![(row, told.to_owned())],
            pushed: false,
        })
    }

    /// Lets time pass; every deadline on the way is kept.
    fn wait(&mut self, time: Duration) -> Vec<(Duration, Output)> {
        let (end, from) = (self.now + time, self.said.len());
        let mut at_once = 0;
        while let Some(due) = self.turns.poll_timeout() {
            if due.since_start() > end {
                break;
            }
            at_once = if due.since_start() > self.now {
                0
            } else {
                at_once + 1
            };
            assert!(
                at_once < 10,
                "a deadline that passes and stays: {:?}",
                self.turns
            );
            self.now = self.now.max(due.since_start());
            self.tell(Input::Tick);
        }
        self.now = end;
        self.said[from..].to_vec()
    }

    /// The keys of all rows ever stored or shown.
    fn rows(&self) -> Vec<ClientMessageId> {
        let ids = self.said.iter().filter_map(|(_, output)| match output {
            Output::Save(answer) => Some(answer.id),
            Output::Stream { id, phase, .. } if *phase != StreamPhase::Failed => Some(*id),
            _ => None,
        });
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        ids.dedup();
        ids
    }

    fn saves(&self) -> Vec<(Duration, Answer)> {
        let saves = self.said.iter().filter_map(|(at, output)| match output {
            Output::Save(answer) => Some((*at, answer.clone())),
            _ => None,
        });
        saves.collect()
    }

    fn last_save(&self) -> Answer {
        self.saves().pop().expect("something was stored").1
    }

    /// What an app that follows the stream shows.
    fn shown(&self) -> String {
        let mut shown = String::new();
        for (_, output) in &self.said {
            if let Output::Stream {
                phase: StreamPhase::Delta,
                offset,
                text,
                ..
            } = output
            {
                assert_eq!(
                    *offset,
                    shown.len(),
                    "each piece begins where the text ends"
                );
                shown.push_str(text);
            }
        }
        shown
    }

    fn phases(&self) -> Vec<StreamPhase> {
        let phases = self.said.iter().filter_map(|(_, output)| match output {
            Output::Stream { phase, .. } => Some(*phase),
            _ => None,
        });
        phases.collect()
    }

    fn typing(&self) -> Vec<bool> {
        let typing = self.said.iter().filter_map(|(_, output)| match output {
            Output::Typing(active) => Some(*active),
            _ => None,
        });
        typing.collect()
    }
}

fn reads(said: &[(Duration, Output)]) -> Vec<Duration> {
    let reads = said
        .iter()
        .filter(|(_, output)| *output == Output::ReadTail);
    reads.map(|(at, _)| *at).collect()
}
