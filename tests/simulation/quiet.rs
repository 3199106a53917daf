//! After the storm: everything ends within its bound, and all devices agree with the server.

use std::time::Duration;

use tidings::{
    ChatClient,
    domain::{
        connection::ConnectionState,
        event::SessionEvent,
        ids::ConversationId,
        message::{Completeness, Message},
        outbox::SendMode,
    },
};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    device::Device,
    reached::{Marker, reached},
    server::Profile,
    snapshot::Snapshot,
    turns::says_all,
    world::{State, World},
};

/// A connection is Live or Polling within this, once everything works.
const CONNECTED: Duration = Duration::from_secs(75);

/// A healthy answer takes less than this.
const TURN: Duration = Duration::from_secs(10);

/// Waits for quiet, then judges.
pub(crate) async fn judge(world: &World, devices: &mut [Device]) {
    wait(world, devices).await;
    list(world, devices).await;
    if world.lock().violation.is_none() {
        connections(world, devices).await;
    }
    for device in &*devices {
        if world.lock().violation.is_none() {
            agree(world, device).await;
            replay(world, device).await;
        }
    }
}

/// "INV-22": every message ends within a stated time.
async fn wait(world: &World, devices: &[Device]) {
    let bound = {
        let state = world.lock();
        let waiting: usize = state
            .devices
            .iter()
            .map(|ledger| {
                ledger
                    .accepted
                    .iter()
                    .filter(|message| message.state.is_pending())
                    .count()
            })
            .sum();
        let deeds = state.devices.iter().flat_map(|ledger| &ledger.book.deeds);
        let open = deeds.filter(|deed| deed.state.is_pending()).count();
        // A planned delay, an attempt under way, the proof; then every turn in the queue, the
        // first of which may have to find out that it ended during the storm.
        let turns = u32::try_from(
            waiting
                + open
                + state
                    .server
                    .rooms
                    .values()
                    .map(|room| room.asked.len())
                    .sum::<usize>(),
        )
        .unwrap();
        Duration::from_secs(240) + (TURN * 2).saturating_mul(turns)
    };
    let started = Instant::now();
    loop {
        sleep(Duration::from_millis(700)).await;
        if world.lock().violation.is_some() {
            return;
        }
        sign_in(world, devices);
        let Some(what) = busy(world, devices).await else {
            return;
        };
        if started.elapsed() > bound {
            let mut state = world.lock();
            return state.violation("INV-22", format_args!("{what} after {bound:?} of quiet"));
        }
    }
}

/// Whether the list can be read: the second time at the latest, for the first look may join one
/// that began in the storm, and share its end.
async fn looks(client: &ChatClient) -> bool {
    for _ in 0..2 {
        let look = client.refresh_conversations();
        if let Ok(Ok(_)) = timeout(Duration::from_secs(120), look).await {
            return true;
        }
    }
    false
}

/// Everybody looks at the list, and opens what is new in it.
async fn list(world: &World, devices: &mut [Device]) {
    if world.lock().server.abilities.is_none() {
        return;
    }
    for device in devices {
        let Some(running) = device.running.as_mut() else {
            continue;
        };
        if world.lock().violation.is_some() {
            return;
        }
        running.client.foreground();
        if !looks(&running.client).await {
            let number = device.number;
            return world
                .lock()
                .violation("INV-22", format_args!("device {number} cannot list"));
        }
        let known = world.lock().known_rooms(device.number);
        running.open(&known);
    }
    sleep(Duration::from_secs(20)).await;
}

/// A refusal that was under way when the storm ended: the app signs in, as it was asked to.
fn sign_in(world: &World, devices: &[Device]) {
    for device in devices {
        let asked = std::mem::take(&mut world.lock().devices[device.number].signed_out);
        if let (true, Some(running)) = (asked, &device.running) {
            running.client.foreground();
        }
    }
}

/// What is not at its end yet.
async fn busy(world: &World, devices: &[Device]) -> Option<String> {
    for device in devices {
        let running = device.running.as_ref()?;
        let snapshot = running.disk.snapshot().await?;
        if let Some(entry) = snapshot.outbox.iter().find(|entry| entry.blocks()) {
            return Some(format!(
                "{} on device {} is still {:?}",
                entry.id, device.number, entry.state
            ));
        }
        let orphan = snapshot
            .outbox
            .iter()
            .find(|entry| entry.mode == SendMode::Direct && entry.state.is_pending());
        if let Some(entry) = orphan {
            return Some(format!(
                "the direct send {} on device {} is still {:?}",
                entry.id, device.number, entry.state
            ));
        }
        if let Some(row) = streaming(&snapshot) {
            return Some(format!(
                "the answer {row} on device {} is still streaming",
                device.number
            ));
        }
    }
    let state = world.lock();
    if state.held > 0 {
        return Some("a request that the network holds back".to_owned());
    }
    let room = state.server.rooms.values().find(|room| room.answering)?;
    Some(format!("the server still answers in {}", room.id))
}

fn streaming(snapshot: &Snapshot) -> Option<String> {
    let mut rows = snapshot.rooms.iter().flat_map(|(_, rows)| rows);
    let row =
        rows.find(|row| row.completeness == Completeness::Streaming && row.server_id.is_none())?;
    Some(row.id.to_string())
}

/// "INV-22", "INV-23": the connection is Live or Polling, not stuck in between.
async fn connections(world: &World, devices: &[Device]) {
    let started = Instant::now();
    loop {
        let mut stuck = None;
        for device in devices {
            let Some(running) = &device.running else {
                continue;
            };
            for (room, handle) in &running.handles {
                if world.lock().is_nowhere(device.number, room) {
                    continue;
                }
                let Ok(Ok(status)) = timeout(Duration::from_secs(5), handle.connection()).await
                else {
                    world.lock().violation(
                        "INV-23",
                        format_args!("device {} does not answer", device.number),
                    );
                    return;
                };
                let over = world.lock().server.room(room).completed;
                let settled = match status.state {
                    ConnectionState::Live | ConnectionState::Polling => true,
                    ConnectionState::Closed => over,
                    _ => false,
                };
                if !settled {
                    stuck = Some(format!("device {}: {room} is {:?}", device.number, status));
                }
            }
        }
        let Some(stuck) = stuck else { return };
        if started.elapsed() > CONNECTED {
            return world
                .lock()
                .violation("INV-22", format_args!("{stuck} after {CONNECTED:?}"));
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// "INV-08", "INV-09": what is loaded is what the server has, no more and no less.
async fn agree(world: &World, device: &Device) {
    let Some(running) = &device.running else {
        return;
    };
    let handles = running.handles.keys();
    let rooms: Vec<ConversationId> = handles.filter(|id| !id.is_local()).cloned().collect();
    // The app went to the background in the storm's last moment, and who looks brings it back.
    running.client.foreground();
    for room in rooms {
        let read = timeout(
            Duration::from_secs(120),
            running.client.synchronise(room.clone()),
        )
        .await;
        if !matches!(read, Ok(Ok(_))) {
            return world.lock().violation(
                "INV-22",
                format_args!("device {} cannot read {room}", device.number),
            );
        }
        let Some(snapshot) = running.disk.snapshot().await else {
            return;
        };
        world.lock().compare(device.number, &room, &snapshot);
    }
    let Some(snapshot) = running.disk.snapshot().await else {
        return;
    };
    world.lock().rests(device.number, &snapshot);
}

/// "INV-11", "INV-12": everything told a second time changes no byte.
async fn replay(world: &World, device: &Device) {
    let Some(running) = &device.running else {
        return;
    };
    // What was under way (a look for an answer's row) comes to its end first.
    sleep(Duration::from_secs(5)).await;
    let Some(before) = running.disk.snapshot().await else {
        return;
    };
    {
        let mut state = world.lock();
        let rooms: Vec<_> = running.handles.keys().cloned().collect();
        for room in rooms {
            state.tell_again(device.number, &room);
        }
    }
    sleep(Duration::from_secs(2)).await;
    for room in running.handles.keys().filter(|id| !id.is_local()) {
        let again = timeout(
            Duration::from_secs(120),
            running.client.synchronise(room.clone()),
        )
        .await;
        drop(again);
    }
    let Some(after) = running.disk.snapshot().await else {
        return;
    };
    if before == after {
        return reached(Marker::replay_changed_nothing);
    }
    let changed = difference(&before, &after);
    world.lock().violation(
        "INV-11",
        format_args!(
            "device {}: telling it again changed {changed}",
            device.number
        ),
    );
}

/// Whether an answer that was given up stands behind the answer of a later turn.
fn sunk(rows: &[Message], row: &Message) -> bool {
    let over = row.completeness != Completeness::Streaming;
    let behind = rows
        .iter()
        .skip_while(|other| Some(other.id) != row.answers);
    let mut later = behind
        .skip(1)
        .take_while(|other| other.id != row.id)
        .filter(|other| other.server_id.is_some())
        .skip_while(|other| !other.own);
    over && later.any(|other| !other.own)
}

fn difference(before: &Snapshot, after: &Snapshot) -> String {
    for ((a, rows_a), (b, rows_b)) in before.rooms.iter().zip(&after.rooms) {
        let changed = rows_a.iter().zip(rows_b).find(|(a, b)| a != b);
        if let Some((a, b)) = changed {
            return format!("{a:?} into {b:?}");
        }
        if rows_a.len() != rows_b.len() {
            return format!(
                "the number of rows from {} to {}",
                rows_a.len(),
                rows_b.len()
            );
        }
        if a != b {
            return format!("{a:?} into {b:?}");
        }
    }
    "the outbox".to_owned()
}

impl State {
    /// Whether a conversation was begun here and no server has it.
    fn is_nowhere(&self, device: usize, room: &ConversationId) -> bool {
        room.is_local() && !self.devices[device].book.bound.contains_key(room)
    }

    fn compare(&mut self, device: usize, room: &ConversationId, snapshot: &Snapshot) {
        let Some((conversation, rows)) = snapshot.rooms.iter().find(|(row, _)| row.id == *room)
        else {
            if self.server.room(room).rows.is_empty() {
                return;
            }
            return self.violation(
                "INV-08",
                format_args!("device {device} does not know {room}"),
            );
        };
        let mut said = &self.server.room(room).rows[..];
        let given_up = |row: &&Message| !row.own && row.server_id.is_none();
        let placed: Vec<_> = rows
            .iter()
            .filter(|row| row.key.is_server() && !given_up(row))
            .collect();
        if conversation.sync.oldest.is_some() && self.server.abilities.is_some() {
            // What is older was not asked for.
            said = &said[said.len().saturating_sub(placed.len())..];
        }
        if placed.len() != said.len() {
            let (here, there) = (placed.len(), said.len());
            return self.violation(
                "INV-08",
                format_args!("device {device} has {here} rows of {room}, the server {there}"),
            );
        }
        for (here, there) in placed.iter().zip(said) {
            // A change whose outcome nobody knows waits for the user, and is shown.
            let overlaid = here.overlay.is_some();
            let same = here.server_id.as_ref() == Some(&there.id)
                && (overlaid || here.deleted == there.deleted)
                && (overlaid || there.deleted || here.text == there.text);
            if !same {
                let (here, there) = (here.id, there.id.clone());
                return self.violation(
                    "INV-08",
                    format_args!("device {device} shows {here} where the server has {there}"),
                );
            }
        }
        // What has no place: unsent messages, and answers that the server itself gave up.
        let stray = rows.iter().find(|row| {
            row.server_id.is_none()
                && !row.own
                && said.iter().any(|there| says_all(&there.text, &row.text))
        });
        if let Some(row) = stray.map(|row| row.id) {
            self.note_answers(snapshot);
            return self.violation(
                "INV-18",
                format_args!("device {device}: the answer {row} never found its row"),
            );
        }
        if let Some(row) = rows.iter().filter(given_up).find(|row| sunk(rows, row)) {
            return self.violation(
                "INV-07",
                format_args!("device {device}: {} stands below later answers", row.id),
            );
        }
        let homeless = rows
            .iter()
            .find(|row| !row.key.is_server() && row.own && row.state.is_on_server());
        if let Some(row) = homeless.map(|row| row.id) {
            self.violation(
                "INV-08",
                format_args!("device {device}: {row} is sent and has no place"),
            );
        }
    }

    /// Pushes every row of a room again over this device's sockets, older revisions included.
    fn tell_again(&mut self, device: usize, room: &ConversationId) {
        if self.server.profile == Profile::Nameless {
            return;
        }
        let sockets: Vec<_> = self
            .server
            .listeners(room)
            .into_iter()
            .filter(|number| self.server.sockets[number].device == device)
            .collect();
        for number in sockets {
            for place in 0..self.server.room(room).rows.len() {
                let row = self.server.tell(room, place);
                if row.revision > 0 && !row.deleted {
                    let old = tidings::domain::message::ServerMessage {
                        revision: row.revision - 1,
                        text: "an older text".to_owned(),
                        ..row.clone()
                    };
                    self.push(number, SessionEvent::Message(old).into(), Duration::ZERO);
                }
                self.push(number, SessionEvent::Message(row).into(), Duration::ZERO);
            }
        }
    }
}
