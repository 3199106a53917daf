//! What the backend does when it is asked for something other than a message.

use std::{collections::BTreeSet, time::Duration};

use tidings::domain::{
    conversation::NewConversation,
    event::SessionEvent,
    ids::{ClientMessageId, ConversationId, MessageId},
    outbox::Action,
    ports::CreateOutcome,
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
};
use tokio::time::Instant;

use crate::{
    chance::Chance,
    plans::status,
    reached::{Marker, reached},
    seed::Seed,
    server::Origin,
    world::State,
};

/// What a backend can do beyond messages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Abilities {
    pub(crate) stop: bool,
    pub(crate) marks: bool,
    pub(crate) archive: bool,
    pub(crate) complete: bool,
    /// It recognises a creation by its key.
    pub(crate) keyed_create: bool,
    /// Conversations have contexts, and a context has one conversation.
    pub(crate) contexts: bool,
    /// A new conversation begins with a greeting.
    pub(crate) greets: bool,
}

impl Abilities {
    /// What this seed's backend can do: most of it.
    pub(crate) fn draw(seed: Seed) -> Option<Self> {
        let mut chance = Chance::new(seed.number, 6);
        seed.has_actions().then(|| Self {
            stop: chance.per_mille(800),
            marks: chance.per_mille(800),
            archive: chance.per_mille(800),
            complete: chance.per_mille(800),
            keyed_create: chance.per_mille(350),
            contexts: chance.per_mille(400),
            greets: chance.per_mille(400),
        })
    }
}

/// Who wrote a thing of which the last word stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) writers: BTreeSet<usize>,
    /// When the request left whose word stands.
    last: Option<Instant>,
    /// A request that left before was done after: no device could have known.
    pub(crate) stale: bool,
}

impl Cell {
    pub(crate) const fn new() -> Self {
        Self {
            writers: BTreeSet::new(),
            last: None,
            stale: false,
        }
    }

    fn written(&mut self, device: usize, left: Instant) {
        self.writers.insert(device);
        self.stale |= self.last.is_some_and(|last| left < last);
        self.last = self.last.max(Some(left));
    }

    /// Somebody else than a device of ours wrote.
    pub(crate) fn by_others(&mut self) {
        self.writers.insert(usize::MAX);
    }

    /// Whether this device, and nobody else, wrote, each request in its time.
    pub(crate) fn is_of(&self, device: usize) -> bool {
        !self.stale && self.writers.iter().all(|writer| *writer == device)
    }
}

/// What leaves the device for an action.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Create(Box<NewConversation>),
    Complete,
    Edit(MessageId, String),
    Delete(MessageId),
    MarkRead(MessageId),
    Archive(bool),
    Stop,
}

impl Asked {
    /// Whether it is what an entry says.
    pub(crate) fn is(&self, action: &Action) -> bool {
        match (self, action) {
            (Self::Create(new), Action::Create(wanted)) => **new == *wanted,
            (Self::Edit(_, text), Action::Edit { text: wanted, .. }) => text == wanted,
            (Self::MarkRead(to), Action::MarkRead { up_to }) => to == up_to,
            (Self::Archive(to), Action::Archive { archived, .. }) => to == archived,
            (Self::Complete, Action::Complete)
            | (Self::Delete(_), Action::Delete { .. })
            | (Self::Stop, Action::Stop { .. }) => true,
            _ => false,
        }
    }
}

/// What the backend says when it has done it.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    Done,
    Row(ConversationId, usize),
    Created(Box<CreateOutcome>),
}

/// A request that has arrived.
pub(crate) struct Arrival {
    pub(crate) device: usize,
    pub(crate) room: ConversationId,
    pub(crate) id: ClientMessageId,
    pub(crate) left: Instant,
}

pub(crate) fn refused(kind: FailureKind, code: u16) -> ServiceError {
    status(kind, RetryClass::Never, Outcome::NotApplied, code)
}

impl State {
    /// The backend does what was asked, or says why not.
    pub(crate) fn act(&mut self, from: &Arrival, asked: &Asked) -> Result<Said, ServiceError> {
        let (id, room) = (from.id, &from.room);
        let result = match asked {
            Asked::Create(new) => Ok(self.create(from, new)),
            Asked::Complete => self.complete(from),
            Asked::Edit(message, text) => self.alter(from, message, Some(text)),
            Asked::Delete(message) => self.alter(from, message, None),
            Asked::MarkRead(up_to) => self.mark(room, up_to),
            Asked::Archive(archived) => {
                let shelf = self.server.room_mut(room);
                shelf.archived = *archived;
                shelf.shelved.written(from.device, from.left);
                Ok(Said::Done)
            }
            Asked::Stop => self.stop(room),
        };
        let verdict = result.as_ref().map_or_else(ServiceError::code, |_| "done");
        self.note(format_args!("{id} is asked for in {room}: {verdict}"));
        if result.is_ok() {
            self.applied_deed(from.device, id);
        }
        result
    }

    fn create(&mut self, from: &Arrival, new: &NewConversation) -> Said {
        let able = self.server.abilities.unwrap_or_default();
        let creation = Some((from.device, from.id));
        let rooms = self.server.rooms.values();
        let made = rooms.clone().find(|room| room.origin.creation == creation);
        let there = match made {
            Some(room) if able.keyed_create => Some(room.said()),
            _ if able.contexts && new.context.is_some() => rooms
                .clone()
                .find(|room| room.origin.context == new.context)
                .map(crate::server::Room::said),
            _ => None,
        };
        if let Some(said) = there {
            reached(Marker::created_already);
            return Said::Created(Box::new(CreateOutcome::Existing(said, Vec::new())));
        }
        let origin = Origin {
            creation,
            persona: new.persona.clone(),
            context: new.context.clone(),
            at: Some(Instant::now()),
            copy: made.is_some(),
        };
        let id = self.server.found(origin);
        let mut messages = Vec::new();
        if able.greets {
            let place = self.server.add(&id, None, "Welcome.");
            messages.push(self.server.tell(&id, place));
        }
        self.note(format_args!("{} becomes {id}", from.room));
        let said = self.server.room(&id).said();
        Said::Created(Box::new(CreateOutcome::Created(said, messages)))
    }

    fn complete(&mut self, from: &Arrival) -> Result<Said, ServiceError> {
        if self.server.room(&from.room).completed {
            return Err(refused(FailureKind::NotActive, 409));
        }
        self.check_end(from);
        self.server.room_mut(&from.room).completed = true;
        Ok(Said::Done)
    }

    fn alter(
        &mut self,
        from: &Arrival,
        message: &MessageId,
        text: Option<&String>,
    ) -> Result<Said, ServiceError> {
        let room = self.server.room_mut(&from.room);
        let place = room.place(message);
        let Some(place) = place.filter(|place| !room.rows[*place].deleted) else {
            return Err(refused(FailureKind::NotFound, 404));
        };
        room.changes += 1;
        let (changes, row) = (room.changes, &mut room.rows[place]);
        row.change = changes;
        row.revision += 1;
        row.deleted = text.is_none();
        row.changed.written(from.device, from.left);
        if let Some(text) = text {
            row.text.clone_from(text);
            row.texts.push(text.clone());
        }
        self.broadcast(&from.room, place);
        Ok(Said::Row(from.room.clone(), place))
    }

    fn mark(&mut self, room: &ConversationId, up_to: &MessageId) -> Result<Said, ServiceError> {
        let marked = self.server.room_mut(room);
        let place = marked.place(up_to);
        if place.is_none() {
            return Err(refused(FailureKind::NotFound, 404));
        }
        let before = marked
            .read_to
            .as_ref()
            .and_then(|known| marked.place(known));
        if place > before {
            marked.read_to = Some(up_to.clone());
            for number in self.server.listeners(room) {
                let up_to = up_to.clone();
                let marker = SessionEvent::ReadMarker { up_to };
                self.push(number, marker.into(), Duration::from_millis(20));
            }
        }
        Ok(Said::Done)
    }

    fn stop(&mut self, room: &ConversationId) -> Result<Said, ServiceError> {
        let room = self.server.room_mut(room);
        if !room.answering {
            return Err(refused(FailureKind::NotActive, 409));
        }
        room.stop = true;
        Ok(Said::Done)
    }
}
