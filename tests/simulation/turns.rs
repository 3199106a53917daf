//! The backend's model: answers every question by a streamed turn, one at a time in a room.

use std::time::Duration;

use tidings::domain::{event::SessionEvent, ids::ConversationId};
use tokio::time::sleep;

use crate::{
    faults::Fault,
    reached::{Marker, reached},
    server::{Frame, Profile},
    world::{State, World, spawn},
};

/// One answer as it will be streamed.
struct Answer {
    pieces: Vec<String>,
    think: Duration,
    gaps: Vec<Duration>,
    ending: Ending,
    silent: bool,
    /// How long after the stream's end the row is in the history.
    stored_after: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Completed,
    Missing,
    Error,
}

impl State {
    /// A message is new on the server: the others are told, and the model will answer.
    pub(crate) fn after_apply(&mut self, world: &World, room: &ConversationId, place: usize) {
        self.broadcast(room, place);
        self.server.room_mut(room).asked.push_back(place);
        if !std::mem::replace(&mut self.server.room_mut(room).answering, true) {
            spawn(answer_all(world.clone(), room.clone()));
        }
    }

    /// Pushes a row to every socket of the room, where this backend pushes rows.
    pub(crate) fn broadcast(&mut self, room: &ConversationId, place: usize) {
        if self.server.profile == Profile::Nameless {
            return;
        }
        for number in self.server.listeners(room) {
            let (row, delay) = (self.server.tell(room, place), self.net.millis(2, 60));
            self.push(number, SessionEvent::Message(row).into(), delay);
        }
    }

    /// An answer that was stopped: what was said of it is stored.
    fn end_stopped(&mut self, room: &ConversationId, said: &[String]) {
        reached(Marker::answer_stopped);
        self.note(format_args!("an answer of {room} is stopped"));
        self.stream(room, &SessionEvent::AnswerCompleted { stopped: true }, None);
        if said.is_empty() {
            return;
        }
        let place = self.server.add(room, None, said.concat().trim_end());
        self.note(format_args!("what was said of it is row {place} of {room}"));
        self.broadcast(room, place);
    }

    fn compose(&mut self) -> Answer {
        self.server.answers += 1;
        let number = self.server.answers;
        let count = 1 + self.net.below(6);
        let ending = if self.occurs(Fault::ErrorFrame) {
            Ending::Error
        } else if self.occurs(Fault::NoTerminator) {
            Ending::Missing
        } else {
            Ending::Completed
        };
        let gaps = (0..count).map(|_| {
            if self.occurs(Fault::LongPause) {
                self.net.millis(12_000, 40_000)
            } else {
                self.net.millis(20, 700)
            }
        });
        Answer {
            gaps: gaps.collect(),
            pieces: (0..count).map(|piece| say(number, piece)).collect(),
            think: self.net.millis(100, 2_000),
            ending,
            silent: self.occurs(Fault::NoChunks),
            stored_after: self.net.millis(0, 1_500),
        }
    }

    fn stream(&mut self, room: &ConversationId, event: &SessionEvent, piece: Option<&str>) {
        for number in self.server.listeners(room) {
            let delay = self.net.millis(2, 60);
            let piece = piece.map(str::to_owned);
            self.push(
                number,
                Frame {
                    event: event.clone(),
                    piece,
                },
                delay,
            );
        }
    }
}

/// A piece's words: a name that tells which it is, and letters that stand nowhere else. Some
/// answers begin with the same words.
fn say(answer: u64, piece: usize) -> String {
    let opening = if piece == 0 && answer.is_multiple_of(3) {
        "Certainly. "
    } else {
        ""
    };
    let letters = (answer * 100 + piece as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{opening}a{answer}.{piece}-{:010x} ", letters >> 24)
}

/// The names of the pieces in a text.
pub(crate) fn named(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split_whitespace();
    names.filter(|word| word.starts_with('a') && word.contains('-'))
}

/// The answer that a piece belongs to.
pub(crate) fn answer_of(piece: &str) -> &str {
    piece.split('.').next().unwrap_or_default()
}

/// Whether every piece in a text stands in the other one too; one without pieces says nothing.
pub(crate) fn says_all(whole: &str, part: &str) -> bool {
    let known: Vec<_> = named(whole).collect();
    named(part).all(|piece| known.contains(&piece)) && named(part).next().is_some()
}

/// Answers what was asked in a room until nothing is left.
async fn answer_all(world: World, room: ConversationId) {
    loop {
        let answer = {
            let mut state = world.lock();
            let asked = state.server.room_mut(&room).asked.pop_front();
            state.server.room_mut(&room).stop = false;
            if asked.is_none() {
                state.server.room_mut(&room).answering = false;
                return;
            }
            state.compose()
        };
        speak(&world, &room, answer).await;
    }
}

async fn speak(world: &World, room: &ConversationId, answer: Answer) {
    sleep(answer.think).await;
    for (said, (piece, gap)) in answer.pieces.iter().zip(&answer.gaps).enumerate() {
        sleep(*gap).await;
        if world.lock().server.room(room).stop {
            return world.lock().end_stopped(room, &answer.pieces[..said]);
        }
        if !answer.silent {
            let text = piece.clone();
            world
                .lock()
                .stream(room, &SessionEvent::AnswerDelta { text }, Some(piece));
        }
    }
    if answer.ending == Ending::Error {
        let event = SessionEvent::Failed {
            code: None,
            text: "the model broke".to_owned(),
            refused: None,
        };
        world.lock().note(format_args!("a turn of {room} fails"));
        return world.lock().stream(room, &event, None);
    }
    let completed = SessionEvent::AnswerCompleted { stopped: false };
    let before = world.lock().net.per_mille(500);
    if before && answer.ending == Ending::Completed {
        world.lock().stream(room, &completed, None);
    }
    sleep(answer.stored_after).await;
    let text = answer.pieces.concat();
    let mut state = world.lock();
    let place = state.server.add(room, None, text.trim_end());
    state.note(format_args!(
        "the answer {} is row {place} of {room}",
        text.trim_end()
    ));
    state.broadcast(room, place);
    if !before && answer.ending == Ending::Completed {
        state.stream(room, &completed, None);
    }
}
