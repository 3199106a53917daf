//! One socket of Socket.IO: let in, events, questions and answers, recovery. Without I/O.
//!
//! | state | packet | what it means |
//! |---|---|---|
//! | Knocking | CONNECT | let in; whether the last session goes on is in the reply |
//! | Knocking | EVENT | missed meanwhile: held until the reply, then delivered in order |
//! | Knocking | CONNECT_ERROR | refused; the transport stays open |
//! | In | EVENT, ACK | delivered |
//! | In | DISCONNECT | put out by the server |
//! | Out | any | ignored |

use std::collections::VecDeque;

use serde_json::{Map, Value, value::to_raw_value};

use crate::adapters::{
    json::Object,
    socketio::{
        WireError,
        packet::{AckId, Arguments, Body, GREATEST_ACK, Namespace, Packet, Refusal},
    },
};

/// The longest recovery token or place that is kept; servers use some twenty characters.
const LONGEST_TOKEN: usize = 1024;

/// The most events that are held before the reply to CONNECT. A server keeps two minutes' worth.
const MOST_EARLY: usize = 4096;

/// What it takes to go on with a session that broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Recovery {
    sid: String,
    pid: String,
    offset: Option<String>,
}

/// Prints nothing of it: who holds it can take the session over.
impl std::fmt::Debug for Recovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recovery(offset: {})", self.offset.is_some())
    }
}

/// An event of the server's.
#[derive(Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What it carries; a place for recovery may follow what the event itself declares.
    pub arguments: Arguments,
    /// The number of the answer it wants.
    pub ack: Option<AckId>,
}

/// What a packet means.
#[derive(Debug)]
pub enum Heard {
    /// Let in.
    In {
        /// Whether the server goes on with the last session.
        recovered: bool,
        /// What was missed, in order.
        missed: Vec<Event>,
    },
    /// Not let in. The transport is still open.
    Refused(Refusal),
    /// Put out by the server, on purpose.
    Out,
    /// An event.
    Event(Event),
    /// The answer to a question of ours.
    Answer(AckId, Arguments),
    /// Nothing.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Knocking,
    In,
    Out,
}

/// One socket.
#[derive(Debug)]
pub struct Client {
    namespace: Namespace,
    state: State,
    recovery: Option<Recovery>,
    early: VecDeque<Event>,
    next_ack: u64,
}

impl Client {
    /// A socket that is not let in yet; what is known of the last one is offered for recovery.
    #[must_use]
    pub const fn new(namespace: Namespace, recovery: Option<Recovery>) -> Self {
        Self {
            namespace,
            state: State::Knocking,
            recovery,
            early: VecDeque::new(),
            next_ack: 0,
        }
    }

    /// The packet that asks to be let in. `auth` is read anew for each connection: a token may have
    /// been renewed.
    #[must_use]
    pub fn knock(&self, auth: Map<String, Value>) -> Packet {
        let mut data = auth;
        let resumable = self.recovery.as_ref();
        if let Some((known, offset)) = resumable.and_then(|r| Some((r, r.offset.as_ref()?))) {
            data.insert("pid".to_owned(), known.pid.as_str().into());
            data.insert("offset".to_owned(), offset.as_str().into());
        }
        let raw = to_raw_value(&data).ok().filter(|_| !data.is_empty());
        self.packet(Body::Connect(raw))
    }

    /// An event of ours, and the number of its answer where one is wanted.
    #[must_use]
    pub fn event(&mut self, name: &str, data: Value, ask: bool) -> (Packet, Option<AckId>) {
        let ack = ask.then(|| self.number());
        let body = Body::Event {
            ack,
            name: name.to_owned(),
            arguments: Arguments::of([data]),
        };
        (self.packet(body), ack)
    }

    /// The answer to a question of the server's: it has been heard, and there is nothing to say.
    #[must_use]
    pub fn answer(&self, ack: AckId) -> Packet {
        let arguments = Arguments::default();
        self.packet(Body::Ack { ack, arguments })
    }

    /// The packet that leaves the namespace.
    #[must_use]
    pub fn leave(&mut self) -> Packet {
        self.state = State::Out;
        self.recovery = None;
        self.packet(Body::Disconnect)
    }

    /// Whether it is in.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.state == State::In
    }

    /// What the next connection may go on from; nothing, where this one ended on purpose.
    #[must_use]
    pub fn recovery(&self) -> Option<Recovery> {
        self.recovery.clone()
    }

    /// Takes one packet. `arity` tells how many values an event of this name declares, where that
    /// is known: only what follows them is a place for recovery.
    ///
    /// # Errors
    /// [`WireError`] where more comes than can be held: the connection is over.
    pub fn receive(
        &mut self,
        packet: Packet,
        arity: impl Fn(&str) -> Option<usize>,
    ) -> Result<Heard, WireError> {
        if packet.namespace != self.namespace || self.state == State::Out {
            return Ok(Heard::Nothing);
        }
        match packet.body {
            Body::Connect(data) => Ok(self.let_in(data.as_ref().map(|raw| raw.get()))),
            Body::ConnectError(refusal) => {
                self.state = State::Out;
                self.recovery = None;
                Ok(Heard::Refused(refusal))
            }
            Body::Disconnect => {
                self.state = State::Out;
                self.recovery = None;
                Ok(Heard::Out)
            }
            Body::Ack { ack, arguments } => Ok(Heard::Answer(ack, arguments)),
            Body::Event {
                ack,
                name,
                arguments,
            } => {
                self.note_place(&name, &arguments, ack, arity);
                self.deliver(Event {
                    name,
                    arguments,
                    ack,
                })
            }
        }
    }

    fn let_in(&mut self, data: Option<&str>) -> Heard {
        if self.state == State::In {
            return Heard::Nothing;
        }
        self.state = State::In;
        let fresh = data.and_then(recovery);
        let same = |known: &Recovery, now: &Recovery| known.sid == now.sid && known.pid == now.pid;
        let recovered = matches!((&self.recovery, &fresh), (Some(a), Some(b)) if same(a, b));
        if !recovered {
            // A place in the last session's stream means nothing in this one's; one that was heard
            // since does. What the server sent before its reply it sent because it recovered.
            self.recovery = fresh;
        }
        let missed = self.early.drain(..).collect();
        Heard::In { recovered, missed }
    }

    fn deliver(&mut self, event: Event) -> Result<Heard, WireError> {
        if self.state == State::In {
            return Ok(Heard::Event(event));
        }
        if self.early.len() == MOST_EARLY {
            // The next try must not bring the same again.
            self.recovery = None;
            return Err(WireError::TooLarge);
        }
        self.early.push_back(event);
        Ok(Heard::Nothing)
    }

    /// Only events that want no answer have a place.
    fn note_place(
        &mut self,
        name: &str,
        arguments: &Arguments,
        ack: Option<AckId>,
        arity: impl Fn(&str) -> Option<usize>,
    ) {
        let Some(recovery) = self.recovery.as_mut().filter(|_| ack.is_none()) else {
            return;
        };
        let last = arguments.len().checked_sub(1);
        let at = arity(name).filter(|at| Some(*at) == last).or_else(|| {
            // Of an unknown event the last value is taken for one, where it is text.
            last.filter(|_| arity(name).is_none())
        });
        let place = at.and_then(|at| arguments.text(at));
        if let Some(place) = place.filter(|place| place.len() <= LONGEST_TOKEN) {
            recovery.offset = Some(place);
        }
    }

    fn number(&mut self) -> AckId {
        let number = self.next_ack;
        // Nobody asks so often; the first ones have long been answered by then.
        self.next_ack = if number == GREATEST_ACK {
            0
        } else {
            number + 1
        };
        AckId(number)
    }

    fn packet(&self, body: Body) -> Packet {
        Packet::new(self.namespace.clone(), body)
    }
}

/// What the reply offers for the next time; a server without recovery offers nothing.
fn recovery(data: &str) -> Option<Recovery> {
    let object = Object::parse(data)?;
    let token = |name| object.text(&[name]).filter(|t| t.len() <= LONGEST_TOKEN);
    Some(Recovery {
        sid: token("sid")?,
        pid: token("pid")?,
        offset: None,
    })
}

#[cfg(test)]
mod tests;
