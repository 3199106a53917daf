//! Actions other than messages on their way to the backend, and what the device is told of them.

use std::sync::Arc;

use tidings::domain::{
    ids::{ClientMessageId, ConversationId},
    outbox::ActionKind,
    ports::CreateOutcome,
    retry::{Outcome, ServiceError},
};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    acts::{Arrival, Asked, Said},
    ledger::{Told, Transmission},
    plans::lost,
    reached::{Marker, reached},
    service::FakeService,
    world::{State, spawn},
};

impl FakeService {
    /// Asks, by a request of its own.
    pub(crate) async fn ask(
        &self,
        room: &ConversationId,
        asked: Asked,
    ) -> Result<Said, ServiceError> {
        self.life.gate().await;
        let started = Instant::now();
        let (plan, id, tx) = {
            let mut state = self.world.lock();
            let (id, tx) = state.leaves(self.device, room, &asked).ok_or_else(lost)?;
            (state.plan_send(self.device), id, tx)
        };
        let mut answer = Err(lost());
        if let Some(there) = plan.there {
            let world = Arc::clone(&self.world);
            let arrival = Arrival {
                device: self.device,
                room: room.clone(),
                id,
                left: started,
            };
            world.lock().held += 1;
            let arrives = spawn(async move {
                sleep_until(started + there).await;
                let mut state = world.lock();
                state.held -= 1;
                state.act(&arrival, &asked)
            });
            if plan.error.is_none() {
                answer = arrives.await.unwrap_or_else(|_| Err(lost()));
            }
        }
        let result = match plan.error {
            Some(error) => {
                sleep(plan.back).await;
                Err(error)
            }
            None => match self.back(Instant::now() + plan.back).await {
                Ok(()) => answer,
                Err(_) => Err(lost()),
            },
        };
        self.life.gate().await;
        self.world.lock().told_deed(self.device, id, tx, &result);
        result
    }

    /// Asks for a conversation.
    pub(crate) async fn ask_for_room(
        &self,
        key: Option<ClientMessageId>,
        asked: Asked,
    ) -> Result<CreateOutcome, ServiceError> {
        let local = key.map(ConversationId::local).ok_or_else(lost)?;
        match self.ask(&local, asked).await? {
            Said::Created(outcome) => Ok(*outcome),
            _ => Err(lost()),
        }
    }
}

impl State {
    /// An action leaves; its key, and the number of the transmission.
    pub(crate) fn leaves(
        &mut self,
        device: usize,
        room: &ConversationId,
        asked: &Asked,
    ) -> Option<(ClientMessageId, usize)> {
        let book = &self.devices[device].book;
        let on_wire = |deed: &&crate::deeds::Deed| {
            use tidings::domain::delivery::DeliveryState::Sending;
            deed.room == *room && deed.state == Sending && asked.is(&deed.action)
        };
        let Some(id) = book.deeds.iter().find(on_wire).map(|deed| deed.id) else {
            self.violation(
                "INV-02",
                format_args!("{asked:?} leaves device {device} for {room}, which nobody wanted"),
            );
            return None;
        };
        self.note(format_args!("device {device} asks for {id} in {room}"));
        if let Some(complaint) = self.create_complaint(device, id) {
            self.violation("INV-02", format_args!("{id}: {complaint}"));
        }
        let deed = self.devices[device].book.find_mut(id)?;
        if deed.transmissions.iter().any(|tx| tx.told == Told::Unknown) {
            reached(Marker::action_repeated);
        }
        deed.transmissions.push(Transmission {
            at: Instant::now(),
            told: Told::Nothing,
            applied: None,
        });
        Some((id, deed.transmissions.len() - 1))
    }

    /// Without keys for creations, a second attempt follows a listing that came after the first,
    /// and that did not show what the first made.
    fn create_complaint(&self, device: usize, id: ClientMessageId) -> Option<String> {
        let book = &self.devices[device].book;
        let deed = book.find(id)?;
        let keyed = self.server.abilities.is_some_and(|able| able.keyed_create);
        if deed.kind() != ActionKind::Create || keyed {
            return None;
        }
        let last = deed
            .transmissions
            .iter()
            .rfind(|tx| tx.told != Told::NotApplied)?;
        let Some(listed) = book.lists.last().filter(|listed| **listed > last.at) else {
            return Some("it is created again without a listing in between".to_owned());
        };
        let made = |room: &&crate::server::Room| room.origin.creation == Some((device, id));
        let mut rooms = self.server.rooms.values().filter(made);
        // Of equal beginnings another may have got it.
        let free = |room: &crate::server::Room| !book.bound.values().any(|id| *id == room.id);
        rooms
            .any(|room| room.origin.at < Some(*listed) && free(room))
            .then(|| "it is created again though a listing showed it".to_owned())
    }

    /// The server did it.
    pub(crate) fn applied_deed(&mut self, device: usize, id: ClientMessageId) {
        if let Some(deed) = self.devices[device].book.find_mut(id) {
            deed.applied = true;
        }
    }

    fn told_deed(
        &mut self,
        device: usize,
        id: ClientMessageId,
        tx: usize,
        result: &Result<Said, ServiceError>,
    ) {
        let told = match result {
            Ok(_) => Told::Applied,
            Err(error) if error.outcome == Outcome::NotApplied => Told::NotApplied,
            Err(_) => Told::Unknown,
        };
        self.note(format_args!("device {device} is told of {id}: {told:?}"));
        if let Some(deed) = self.devices[device].book.find_mut(id) {
            deed.transmissions[tx].told = told;
        }
    }
}
