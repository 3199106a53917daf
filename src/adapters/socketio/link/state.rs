//! What everybody on a connection shares: the socket's machine, seats, and open questions.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::sync::oneshot;

use crate::{
    adapters::socketio::{
        client::{Client, Event, Heard, Recovery},
        config::Profile,
        engineio::{Heartbeat, Moment, Packet as Engine},
        packet::{self, AckId, Arguments, Packet, PacketReader},
        refusal::{self, Complaint},
        transport::{never, strange},
    },
    domain::{
        event::{CloseReason, SessionEvent},
        ids::ConversationId,
        retry::ServiceError,
    },
};

/// The most events kept for one seat; beyond it the history tells.
const MOST_KEPT: usize = 4096;

/// Whom an event is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Routed {
    /// One conversation.
    To(ConversationId, SessionEvent),
    /// Everybody.
    All(SessionEvent),
    /// Whoever waits for a channel that was not there when they looked: this may be it.
    Unplaced,
    /// Nobody: it was heard, and that is all.
    Nobody,
}

/// Gives events their meaning.
pub(crate) trait Router: Send + Sync + fmt::Debug {
    /// What an event is, and for whom.
    fn route(&self, name: &str, arguments: &Arguments) -> Routed;

    /// Whether it is known which channel this conversation is.
    fn is_placed(&self, conversation: &ConversationId) -> bool;
}

/// The answer to asking to be let in.
#[derive(Debug)]
pub(crate) enum Admission {
    /// Let in; whether the last session goes on.
    In { recovered: bool },
    /// Not let in.
    Refused,
    /// Let in, and put out again at once.
    Evicted,
}

/// What became of a question.
#[derive(Debug)]
pub(super) enum Verdict {
    Answered(Arguments),
    Refused(ServiceError),
    /// The connection broke.
    Lost,
}

#[derive(Debug)]
struct Question {
    event: String,
    data: Value,
    asker: oneshot::Sender<Verdict>,
}

#[derive(Debug)]
struct Kept {
    conversation: ConversationId,
    events: VecDeque<SessionEvent>,
}

/// What everybody on a connection shares.
#[derive(Debug)]
pub(super) struct State {
    client: Client,
    reader: PacketReader,
    beat: Heartbeat,
    profile: Arc<Profile>,
    router: Arc<dyn Router>,
    admission: Option<Admission>,
    questions: BTreeMap<AckId, Question>,
    seats: BTreeMap<u64, Kept>,
    next_seat: u64,
    /// Missed events of conversations that nobody sits at yet.
    unclaimed: VecDeque<(ConversationId, SessionEvent)>,
    ended: Option<CloseReason>,
    evicted: bool,
}

impl State {
    pub(super) fn new(
        profile: Arc<Profile>,
        router: Arc<dyn Router>,
        recovery: Option<Recovery>,
        patience: Duration,
        now: Moment,
    ) -> Self {
        Self {
            client: Client::new(profile.namespace.clone(), recovery),
            reader: PacketReader::new(profile.limits),
            beat: Heartbeat::new(patience, now),
            profile,
            router,
            admission: None,
            questions: BTreeMap::new(),
            seats: BTreeMap::new(),
            next_seat: 0,
            unclaimed: VecDeque::new(),
            ended: None,
            evicted: false,
        }
    }

    pub(super) fn knock(&self, auth: serde_json::Map<String, Value>) -> Packet {
        self.client.knock(auth)
    }

    pub(super) fn admission(&mut self) -> Option<Result<Admission, ServiceError>> {
        let over = || {
            self.ended
                .as_ref()
                .map(|_| Err(never("the server hung up")))
        };
        let told = self.admission.take();
        told.map(Ok).or_else(over)
    }

    pub(super) fn sit(&mut self, conversation: ConversationId) -> u64 {
        let waiting = std::mem::take(&mut self.unclaimed);
        let (own, others): (VecDeque<_>, _) =
            waiting.into_iter().partition(|(to, _)| *to == conversation);
        self.unclaimed = others;
        let events = own.into_iter().map(|(_, event)| event).collect();
        self.next_seat += 1;
        let kept = Kept {
            conversation,
            events,
        };
        self.seats.insert(self.next_seat, kept);
        self.next_seat
    }

    pub(super) fn stand(&mut self, seat: u64) -> usize {
        self.seats.remove(&seat);
        self.seats.len()
    }

    pub(super) fn next(&mut self, seat: u64) -> Option<SessionEvent> {
        let waiting = self
            .seats
            .get_mut(&seat)
            .and_then(|kept| kept.events.pop_front());
        let end = || match self.seats.contains_key(&seat) {
            true => self.ended.clone(),
            false => Some(CloseReason::Local),
        };
        waiting.or_else(|| end().map(SessionEvent::Closed))
    }

    pub(super) fn question(
        &mut self,
        event: &str,
        data: Value,
    ) -> Result<(Packet, AckId, oneshot::Receiver<Verdict>), ServiceError> {
        self.must_be_in()?;
        let (packet, ack) = self.client.event(event, data.clone(), true);
        let ack = ack.ok_or_else(strange)?;
        let (asker, answer) = oneshot::channel();
        let question = Question {
            event: event.to_owned(),
            data,
            asker,
        };
        self.questions.insert(ack, question);
        Ok((packet, ack, answer))
    }

    pub(super) fn event(&mut self, event: &str, data: Value) -> Result<Packet, ServiceError> {
        self.must_be_in()?;
        Ok(self.client.event(event, data, false).0)
    }

    fn must_be_in(&self) -> Result<(), ServiceError> {
        match self.client.is_in() && self.ended.is_none() {
            true => Ok(()),
            false => Err(never("the server has not let us in")),
        }
    }

    pub(super) fn forget(&mut self, ack: AckId) {
        self.questions.remove(&ack);
    }

    pub(super) fn goodbye(&mut self) -> Option<Packet> {
        let is_in = self.client.is_in() && self.ended.is_none();
        is_in.then(|| self.client.leave())
    }

    pub(super) const fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn is_attended(&self) -> bool {
        self.client.is_in() && !self.seats.is_empty()
    }

    pub(super) fn is_gone(&self, now: Moment) -> bool {
        self.beat.is_over(now)
    }

    pub(super) fn patience(&self, now: Moment) -> Duration {
        self.beat.left(now)
    }

    pub(super) fn recovery(&self) -> Option<Recovery> {
        self.client.recovery()
    }

    pub(super) const fn was_evicted(&self) -> bool {
        self.evicted
    }

    /// Ends it once; who asked and got no answer learns that nobody knows.
    pub(super) fn end(&mut self, reason: CloseReason) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some(reason);
        for question in std::mem::take(&mut self.questions).into_values() {
            let _ = question.asker.send(Verdict::Lost);
        }
    }

    /// A sign of life reaches every seat; one is enough.
    pub(super) fn alive(&mut self) {
        for kept in self.seats.values_mut() {
            if kept.events.is_empty() {
                kept.events.push_back(SessionEvent::Alive);
            }
        }
    }

    /// Takes a packet of the transport; what the server is owed for it.
    pub(super) fn take(&mut self, packet: Engine, now: Moment) -> Vec<Engine> {
        self.alive();
        match packet {
            Engine::Ping(_) => {
                self.beat.asked(now);
                return vec![Engine::Pong(String::new())];
            }
            Engine::Close => self.end(CloseReason::Broken),
            Engine::Message(frame) => match self.reader.read(frame) {
                Ok(Some(packet)) => return self.hear(packet),
                Ok(None) => {}
                Err(_) => self.unreadable(),
            },
            Engine::Open(_) | Engine::Pong(_) | Engine::Upgrade | Engine::Noop => {}
        }
        Vec::new()
    }

    /// Something was said that we cannot know: the history makes up for it.
    fn unreadable(&mut self) {
        for kept in self.seats.values_mut() {
            kept.events.push_back(SessionEvent::Undecodable);
        }
        self.end(CloseReason::Violation);
    }

    fn hear(&mut self, packet: Packet) -> Vec<Engine> {
        let profile = Arc::clone(&self.profile);
        let heard = self.client.receive(packet, |name| profile.arity(name));
        match heard {
            Ok(Heard::In { recovered, missed }) => {
                self.admission = Some(Admission::In { recovered });
                missed
                    .into_iter()
                    .flat_map(|event| self.happened(event))
                    .collect()
            }
            Ok(Heard::Refused(_)) => {
                self.admission = Some(Admission::Refused);
                self.end(CloseReason::Broken);
                Vec::new()
            }
            Ok(Heard::Out) => {
                self.admission = Some(Admission::Evicted);
                self.evicted = true;
                self.end(CloseReason::Broken);
                Vec::new()
            }
            Ok(Heard::Event(event)) => self.happened(event),
            Ok(Heard::Answer(ack, arguments)) => {
                self.answered(ack, arguments);
                Vec::new()
            }
            Ok(Heard::Nothing) => Vec::new(),
            Err(_) => {
                self.unreadable();
                Vec::new()
            }
        }
    }

    /// An answer nobody waits for any more is no news.
    fn answered(&mut self, ack: AckId, arguments: Arguments) {
        if let Some(question) = self.questions.remove(&ack) {
            let verdict = match refusal::in_answer(&arguments) {
                Some(refused) => Verdict::Refused(refused),
                None => Verdict::Answered(arguments),
            };
            let _ = question.asker.send(verdict);
        }
    }

    fn happened(&mut self, event: Event) -> Vec<Engine> {
        if event.name == self.profile.events.exception {
            self.refused(&event.arguments);
        } else {
            match self.router.route(&event.name, &event.arguments) {
                Routed::To(conversation, told) => self.tell(conversation, told),
                Routed::All(told) => {
                    for kept in self.seats.values_mut() {
                        kept.keep(told.clone());
                    }
                }
                Routed::Unplaced => self.look_again(),
                Routed::Nobody => {}
            }
        }
        event.ack.map_or_else(Vec::new, |ack| self.owed(ack))
    }

    /// Their history says whether the channel is there by now.
    fn look_again(&mut self) {
        for kept in self.seats.values_mut() {
            if !self.router.is_placed(&kept.conversation) {
                kept.keep(SessionEvent::Undecodable);
            }
        }
    }

    fn owed(&self, ack: AckId) -> Vec<Engine> {
        let frames = packet::write(&self.client.answer(ack)).unwrap_or_default();
        frames.into_iter().map(Engine::Message).collect()
    }

    pub(super) fn tell(&mut self, conversation: ConversationId, event: SessionEvent) {
        let mut seated = false;
        let at = |kept: &&mut Kept| kept.conversation == conversation;
        for kept in self.seats.values_mut().filter(at) {
            kept.keep(event.clone());
            seated = true;
        }
        if !seated && self.unclaimed.len() < MOST_KEPT {
            self.unclaimed.push_back((conversation, event));
        }
    }

    /// A gateway's exception names the event and repeats the data it was thrown at. The oldest
    /// question that fits is the one that it refuses; one that fits none refuses nothing of ours.
    fn refused(&mut self, arguments: &Arguments) {
        let complaint = Complaint::read(arguments);
        let fits = |question: &Question| complaint.fits(&question.event, &question.data);
        let oldest = self.questions.iter().find(|(_, question)| fits(question));
        let Some(ack) = oldest.map(|(ack, _)| *ack) else {
            return;
        };
        if let Some(question) = self.questions.remove(&ack) {
            let _ = question.asker.send(Verdict::Refused(complaint.error()));
        }
    }
}

impl Kept {
    fn keep(&mut self, event: SessionEvent) {
        match self.events.len() {
            0..MOST_KEPT => self.events.push_back(event),
            MOST_KEPT => self.events.push_back(SessionEvent::Undecodable),
            // The history makes up for all of them.
            _ => {}
        }
    }
}
