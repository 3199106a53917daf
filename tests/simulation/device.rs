//! One device: a client on its own store, which may be killed and started again.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use tidings::{
    ChatClient, ChatClientParts, ConversationHandle, NetworkChange,
    domain::{event::ClientEvent, ids::ConversationId, time::WallTime},
    testing::VirtualPlatform,
};
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    chance::Chance,
    disk::{Disk, Life},
    reached::{Marker, reached},
    screens::{Screen, WHOLE, follow},
    service::FakeService,
    world::{State, World, spawn},
};

/// The streams of chance of the screens begin here: one each.
const SCREENS: u64 = 1 << 20;

/// When the world begins, by every wall clock.
const BEGINNING: i64 = 1_763_000_000_000;

/// One device.
pub(crate) struct Device {
    world: World,
    seed: u64,
    pub(crate) number: usize,
    path: PathBuf,
    began: Instant,
    pub(crate) running: Option<Running>,
}

/// One process on it.
pub(crate) struct Running {
    pub(crate) client: ChatClient,
    pub(crate) handles: BTreeMap<ConversationId, ConversationHandle>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) life: Arc<Life>,
    platform: Arc<VirtualPlatform>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Opens these conversations.
    pub(crate) fn open(&mut self, rooms: &[ConversationId]) {
        for room in rooms {
            let client = &self.client;
            self.handles
                .entry(room.clone())
                .or_insert_with(|| client.open(room.clone()));
        }
    }
}

impl State {
    /// The conversations that a device knows: those of the beginning, and what it has stored.
    pub(crate) fn known_rooms(&self, device: usize) -> Vec<ConversationId> {
        let first = self.server.rooms.values();
        let first = first.filter(|room| room.origin.creation.is_none());
        let mut known: Vec<_> = first.map(|room| room.id.clone()).collect();
        for id in &self.devices[device].book.rooms {
            if !known.contains(id) {
                known.push(id.clone());
            }
        }
        known
    }
}

impl Device {
    pub(crate) async fn start(world: &World, seed: u64, number: usize, path: PathBuf) -> Self {
        let mut device = Self {
            world: world.clone(),
            seed,
            number,
            path,
            began: Instant::now(),
            running: None,
        };
        device.launch().await;
        device
    }

    /// Starts a process on the stored file, with all conversations open that the device knows.
    pub(crate) async fn launch(&mut self) {
        let open = self.world.lock().known_rooms(self.number);
        let (number, capabilities, config, wall) = {
            let mut state = self.world.lock();
            let capabilities = state
                .server
                .capabilities(state.ready_frame, state.send_over_socket);
            let ledger = &mut state.devices[self.number];
            ledger.life += 1;
            ledger.crashed = false;
            ledger.signed_out = false;
            let life = ledger.life;
            let elapsed = i64::try_from(self.began.elapsed().as_millis()).unwrap();
            let wall = BEGINNING + ledger.wall_offset + elapsed;
            state.note(format_args!("device {} starts", self.number));
            (life, capabilities, state.config.clone(), wall)
        };
        let life = Life::new(number);
        let disk = Disk::open(&self.world, self.number, &life, &self.path);
        let chance = self.seed ^ (number << 32) ^ ((self.number as u64 + 1) << 48);
        let platform = Arc::new(VirtualPlatform::new(chance, WallTime::from_millis(wall)));
        let service = Arc::new(FakeService {
            world: self.world.clone(),
            life: life.clone(),
            device: self.number,
            capabilities,
        });
        let parts = ChatClientParts {
            service,
            repository: disk.clone(),
            platform: platform.clone(),
            config,
        };
        let client = ChatClient::start(parts).await.unwrap();
        let mut running = Running {
            handles: BTreeMap::new(),
            client,
            disk,
            life,
            platform,
            tasks: Vec::new(),
        };
        running.open(&open);
        self.watch(&mut running).await;
        self.running = Some(running);
    }

    async fn watch(&self, running: &mut Running) {
        let rooms = self.world.lock().known_rooms(self.number);
        for (number, room) in (0_u64..).zip(rooms) {
            let stream = (self.number as u64 + 1) << 16 | number << 8 | running.life.number();
            let dice = Chance::new(self.seed, SCREENS + stream);
            for (window, slow) in [(WHOLE, None), (4, Some(dice))] {
                let screen = Screen {
                    world: self.world.clone(),
                    life: running.life.clone(),
                    disk: running.disk.clone(),
                    device: self.number,
                    room: room.clone(),
                    window,
                    slow,
                };
                let observer = running.client.observe_timeline(room.clone(), window);
                running.tasks.push(spawn(screen.show(observer)));
            }
        }
        if let Ok(journal) = running.client.observe_deliveries().await {
            let life = running.life.clone();
            running.tasks.push(spawn(follow(
                self.world.clone(),
                life,
                self.number,
                journal,
            )));
        }
        let (world, life, number) = (self.world.clone(), running.life.clone(), self.number);
        let mut events = running.client.events();
        running.tasks.push(spawn(async move {
            while let Some(event) = events.next().await {
                if life.is_dead() {
                    return;
                }
                heard(&world, number, &event);
            }
        }));
    }

    pub(crate) fn is_crashed(&self) -> bool {
        self.world.lock().devices[self.number].crashed
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            if !running.life.is_dead() {
                running.disk.kill();
            }
            for task in &running.tasks {
                task.abort();
            }
        }
    }

    /// A polite end.
    pub(crate) async fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        if !running.life.is_dead() {
            let ended =
                tokio::time::timeout(Duration::from_secs(10), running.client.shutdown()).await;
            let mut state = self.world.lock();
            if ended.is_err() && !running.life.is_dead() {
                state.violation(
                    "INV-24",
                    format_args!("device {} did not close in 10 s", self.number),
                );
            }
            let life = running.life.number();
            for socket in state.server.sockets.values_mut() {
                socket.closed |= socket.device == self.number && socket.life == life;
            }
        }
        for task in &running.tasks {
            task.abort();
        }
    }

    /// The wall clock jumps.
    pub(crate) fn jump(&self, by: Duration, back: bool) {
        if let Some(running) = &self.running {
            running.platform.jump_wall(by, back);
        }
        let millis = i64::try_from(by.as_millis()).unwrap();
        let mut state = self.world.lock();
        state.devices[self.number].wall_offset += if back { -millis } else { millis };
        state.note(format_args!(
            "device {}: the clock jumps by {by:?}, back: {back}",
            self.number
        ));
    }

    /// The network goes or comes; the app may hear of it or not.
    pub(crate) fn network(&self, up: bool, told: bool) {
        let mut state = self.world.lock();
        state.note(format_args!(
            "device {}: network up: {up}, told: {told}",
            self.number
        ));
        state.devices[self.number].online = up;
        if !up {
            let open: Vec<_> = state
                .server
                .sockets
                .iter()
                .filter(|(_, socket)| socket.device == self.number && !socket.closed)
                .map(|(number, _)| *number)
                .collect();
            for number in open {
                state.silence(&self.world, number, true, true);
            }
        }
        drop(state);
        if let Some(running) = self.running.as_ref().filter(|_| told) {
            let change = if up {
                NetworkChange::Up
            } else {
                NetworkChange::Down
            };
            running.client.network_changed(change);
        }
    }
}

fn heard(world: &World, device: usize, event: &ClientEvent) {
    use tidings::domain::{connection::ConnectionState, event::StreamPhase};
    let mut state = world.lock();
    match event {
        ClientEvent::Connection {
            status,
            conversation,
        } => {
            match status.state {
                ConnectionState::Live => reached(Marker::socket_live),
                ConnectionState::Polling => reached(Marker::polling_used),
                ConnectionState::Suspended => reached(Marker::suspended),
                _ => {}
            }
            state.note(format_args!(
                "device {device}: {conversation} is {:?}",
                status.state
            ));
        }
        ClientEvent::Stream { phase, .. } => match phase {
            StreamPhase::Completed => reached(Marker::turn_completed),
            StreamPhase::Failed => reached(Marker::turn_failed),
            _ => {}
        },
        ClientEvent::SignInRequired => {
            reached(Marker::signed_out);
            state.devices[device].signed_out = true;
            state.note(format_args!("device {device} must sign in"));
        }
        _ => {}
    }
}
