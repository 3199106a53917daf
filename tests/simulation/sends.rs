//! What leaves a device and what the server does with it: "INV-02", "INV-03", "INV-06".

use tidings::domain::{
    ids::{ClientMessageId, ConversationId},
    outbox::SendMode,
    ports::Outgoing,
};
use tokio::time::Instant;

use crate::{
    acts::Arrival,
    ledger::{Accepted, Ledger, Told, Transmission},
    reached::{Marker, reached},
    server::Profile,
    world::State,
};

impl State {
    /// A message leaves; answers the number of the transmission.
    pub(crate) fn transmit(&mut self, device: usize, outgoing: &Outgoing, over: &str) -> usize {
        let id = outgoing.id;
        self.note(format_args!("device {device} transmits {id} by {over}"));
        if over == "socket" {
            reached(Marker::sent_over_socket);
        }
        let Some(known) = self.devices[device].find(id) else {
            self.violation(
                "INV-02",
                format_args!("{id} leaves under a key nobody accepted"),
            );
            return 0;
        };
        if known.wire != outgoing.text {
            self.violation("INV-02", format_args!("{id} leaves with another text"));
        }
        if let Some(complaint) = self.resend_complaint(device, id) {
            self.violation("INV-02", format_args!("{id}: {complaint}"));
        }
        let again = self.devices[device].find_mut(id).unwrap();
        if again
            .transmissions
            .iter()
            .any(|before| before.told == Told::Unknown)
        {
            reached(Marker::resent_after_proof);
        }
        again.transmissions.push(Transmission {
            at: Instant::now(),
            told: Told::Nothing,
            applied: None,
        });
        again.transmissions.len() - 1
    }

    /// Without keys, a resend must follow a read of the history that came after the attempt and
    /// did not show it; a direct send is never resent.
    fn resend_complaint(&self, device: usize, id: ClientMessageId) -> Option<String> {
        let ledger = &self.devices[device];
        let message = ledger.find(id)?;
        if message.mode == SendMode::Direct && !message.transmissions.is_empty() {
            return Some("a direct send leaves a second time".to_owned());
        }
        if self.server.profile == Profile::Keyed {
            return None;
        }
        let unsettled: Vec<_> = message
            .transmissions
            .iter()
            .filter(|before| before.told != Told::NotApplied)
            .collect();
        let last = unsettled.last()?;
        let Some(read) = last_read(ledger, message) else {
            return Some("it leaves again without a read of the history in between".to_owned());
        };
        if read <= last.at {
            return Some("it leaves again after a read older than its attempt".to_owned());
        }
        let shown = unsettled
            .iter()
            .filter_map(|before| before.applied)
            .any(|at| at < read);
        shown.then(|| "it leaves again though a read showed it on the server".to_owned())
    }

    /// The client is told the end of a transmission.
    pub(crate) fn told(&mut self, device: usize, id: ClientMessageId, tx: usize, told: Told) {
        self.note(format_args!("device {device} is told of {id}: {told:?}"));
        if let Some(message) = self.devices[device].find_mut(id)
            && let Some(transmission) = message.transmissions.get_mut(tx)
        {
            transmission.told = told;
        }
    }

    pub(crate) fn told_last(&mut self, device: usize, id: ClientMessageId, told: Told) {
        let count = self.devices[device]
            .find(id)
            .map_or(0, |known| known.transmissions.len());
        if count > 0 {
            self.told(device, id, count - 1, told);
        }
    }

    /// The server acts on a message: its place, and whether that is a new row; `None` where the
    /// conversation takes no more.
    pub(crate) fn apply(
        &mut self,
        device: usize,
        outgoing: &Outgoing,
        tx: usize,
    ) -> Option<(usize, bool)> {
        let (id, room) = (outgoing.id, &outgoing.conversation);
        let known = self
            .server
            .room(room)
            .rows
            .iter()
            .position(|row| row.key == Some(id));
        let again = known.is_some() && self.server.profile == Profile::Keyed;
        if self.server.room(room).completed && !again {
            self.note(format_args!("{id} comes too late for {room}"));
            return None;
        }
        if let Some(message) = self.devices[device].find_mut(id)
            && let Some(transmission) = message.transmissions.get_mut(tx)
        {
            transmission.applied = Some(Instant::now());
        }
        match known {
            Some(place) if self.server.profile == Profile::Keyed => {
                reached(Marker::uncertain_resolved_by_key);
                return Some((place, false));
            }
            Some(_) => {
                reached(Marker::late_apply_made_a_second_copy);
                self.note(format_args!("{id} is on the server a second time"));
            }
            None => self.check_order(device, outgoing),
        }
        let place = self.server.add(room, Some(id), &outgoing.text);
        self.note(format_args!("{id} is row {place} of {room}"));
        Some((place, true))
    }

    /// "INV-06": whatever this device accepted before is there, or excepted.
    fn check_order(&mut self, device: usize, outgoing: &Outgoing) {
        let accepted = &self.devices[device].accepted;
        let before = accepted
            .iter()
            .position(|message| message.id == outgoing.id);
        let before = before.unwrap_or(accepted.len());
        self.check_before(device, &outgoing.conversation, before, outgoing.id);
    }

    /// "INV-06": the end of a conversation comes behind the messages that were accepted before it.
    pub(crate) fn check_end(&mut self, end: &Arrival) {
        let book = &self.devices[end.device].book;
        let before = book.find(end.id).map_or(0, |deed| deed.behind);
        self.check_before(end.device, &end.room, before, end.id);
    }

    /// Of the first so many messages of a device, those of a room.
    fn check_before(
        &mut self,
        device: usize,
        room: &ConversationId,
        count: usize,
        id: ClientMessageId,
    ) {
        let overtaken = self.devices[device]
            .accepted
            .iter()
            .take(count)
            .filter(|message| message.room == *room)
            .filter(|message| !(message.excepted || message.gone || message.parked))
            // Sent was judged when it became so: of equal words another may have stood for it.
            .filter(|message| !message.state.is_on_server())
            .find(|message| self.server.room(&message.room).holds(message.id).is_none())
            .map(|message| message.id);
        // A copy of a request that the network kept may come at any time; what counts is when
        // the message left.
        if let Some(overtaken) = overtaken {
            self.violation(
                "INV-06",
                format_args!("{id} reached the server before {overtaken}"),
            );
        }
    }

    /// "INV-03": before Sent, a step back to Queued or to Failed needs proof.
    pub(crate) fn step_back_complaint(&self, device: usize, id: ClientMessageId) -> Option<String> {
        let ledger = &self.devices[device];
        let message = ledger.find(id)?;
        let last = message.transmissions.last()?;
        if last.told == Told::NotApplied {
            return None;
        }
        let read = last_read(ledger, message).filter(|read| *read > last.at);
        let Some(read) = read else {
            return Some("no finished read proves that the server does not have it".to_owned());
        };
        let applied = message
            .transmissions
            .iter()
            .filter_map(|before| before.applied);
        let shown = applied.into_iter().any(|at| at < read);
        shown.then(|| "a read had shown that the server has it".to_owned())
    }
}

/// When the newest finished read of the message's conversation was served.
fn last_read(ledger: &Ledger, message: &Accepted) -> Option<Instant> {
    let mut reads = ledger.reads.iter().rev();
    reads
        .find(|read| read.room == message.room)
        .map(|read| read.served)
}
