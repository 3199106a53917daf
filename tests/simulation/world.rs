//! One seed's life: a world is drawn, a storm passes, everything is healed, and then it is judged.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tidings::config::Config;
use tokio::task::JoinHandle;

use crate::{
    acts::Abilities,
    chance::Chance,
    device::Device,
    faults::{Fault, Faults},
    ledger::Ledger,
    reached::{Marker, reached},
    seed::Seed,
    server::{Profile, Server},
    trace::Trace,
    workload::Workload,
};

/// Silence of a background socket (25 s), the probe (4 s), and what was under way.
const DEAD: Duration = Duration::from_secs(40);

/// The world, shared by everything in it.
pub(crate) type World = Arc<Shared>;

/// See [`World`].
pub(crate) struct Shared(Mutex<State>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// Everything that is not the shipped code.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) net: Chance,
    pub(crate) faults: Faults,
    pub(crate) healed: bool,
    /// Requests that the network holds back.
    pub(crate) held: usize,
    pub(crate) trace: Trace,
    pub(crate) server: Server,
    pub(crate) devices: Vec<Ledger>,
    pub(crate) violation: Option<Violation>,
    pub(crate) config: Config,
    pub(crate) ready_frame: bool,
    pub(crate) send_over_socket: bool,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// How a seed ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) hash: u64,
    pub(crate) violation: Option<Violation>,
    pub(crate) lines: Vec<String>,
}

/// A task of the fake world.
pub(crate) fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::task::spawn(task)
}

impl State {
    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        self.trace.note(what);
    }

    /// Whether a fault of this kind happens now.
    pub(crate) fn occurs(&mut self, fault: Fault) -> bool {
        let rate = self.faults.rate(fault);
        self.net.per_mille(rate)
    }

    /// Only the first one counts: what follows may be its consequence.
    pub(crate) fn violation(&mut self, invariant: &'static str, what: fmt::Arguments<'_>) {
        if self.violation.is_none() {
            self.note(format_args!("{invariant} is broken: {what}"));
            let what = what.to_string();
            self.violation = Some(Violation { invariant, what });
        }
    }

    /// A process is gone, and its sockets with it.
    pub(crate) fn process_died(&mut self, device: usize, life: u64) {
        self.note(format_args!("device {device} is killed"));
        let ledger = &mut self.devices[device];
        ledger.crashed = true;
        let states = ledger.accepted.iter().map(|message| message.state);
        if states
            .into_iter()
            .any(|state| state == tidings::domain::delivery::DeliveryState::Sending)
        {
            reached(Marker::kill_while_sending);
        }
        if self.server.rooms.values().any(|room| room.answering) {
            reached(Marker::kill_while_streaming);
        }
        for socket in self.server.sockets.values_mut() {
            if socket.device == device && socket.life == life {
                socket.closed = true;
            }
        }
    }

    /// A socket falls silent without a close; "INV-23": it must be replaced within a bound.
    pub(crate) fn silence(&mut self, world: &World, number: u64, deaf: bool, mute: bool) {
        self.note(format_args!(
            "socket {number} falls silent, deaf: {deaf}, mute: {mute}"
        ));
        let socket = self.server.sockets.get_mut(&number).unwrap();
        socket.deaf |= deaf;
        socket.mute |= mute;
        if std::mem::replace(&mut socket.frozen, true) {
            return;
        }
        socket.heard = tokio::time::Instant::now();
        let world = world.clone();
        spawn(async move {
            loop {
                // What is still heard on it counts as life: the send's own deadline judges the rest.
                let heard = world.lock().server.sockets[&number].heard;
                tokio::time::sleep_until(heard + DEAD).await;
                let mut state = world.lock();
                let socket = &state.server.sockets[&number];
                if socket.closed {
                    return;
                }
                if socket.heard == heard {
                    return state.violation(
                        "INV-23",
                        format_args!("socket {number} is dead for {DEAD:?} and still in use"),
                    );
                }
            }
        });
    }
}

/// Runs one seed from its beginning to its verdict.
pub(crate) fn run(seed: Seed) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let (world, home) = runtime.block_on(live(seed));
    // Tasks still hold the world; they end with the runtime.
    drop(runtime);
    drop(home);
    let Some(shared) = Arc::into_inner(world) else {
        panic!("somebody still holds the world");
    };
    let state = shared
        .0
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Outcome {
        hash: state.trace.hash(),
        violation: state.violation,
        lines: state.trace.into_lines(),
    }
}

fn draw(seed: Seed) -> State {
    let mut chance = Chance::new(seed.number, 1);
    let profile = if seed.number.is_multiple_of(2) {
        Profile::Keyed
    } else {
        Profile::Nameless
    };
    let rooms = 1 + chance.below(2);
    let devices = 1 + chance.below(3);
    let faults = Faults::swarm(&mut chance);
    let mut config = Config::default();
    config.history_page = chance.pick(&[3, 10, 100]);
    config.max_live = chance.pick(&[1, 10, 10, 10]);
    config.websocket = !chance.per_mille(70);
    config.send_expiry = chance.pick(&[
        config.send_expiry,
        config.send_expiry,
        config.send_expiry,
        Duration::from_secs(45),
    ]);
    let mut state = State {
        net: Chance::new(seed.number, 2),
        healed: false,
        held: 0,
        trace: Trace::new(),
        server: Server::new(profile, rooms, Abilities::draw(seed)),
        devices: (0..devices)
            .map(|_| Ledger {
                online: true,
                ..Ledger::default()
            })
            .collect(),
        violation: None,
        ready_frame: chance.per_mille(600),
        send_over_socket: chance.per_mille(750),
        config,
        faults,
    };
    let names = state.faults.names();
    if let Some(able) = state.server.abilities {
        state.note(format_args!("{able:?}"));
    }
    state.note(format_args!(
        "seed {seed}: {profile:?}, {rooms} rooms, {devices} devices, faults: {names}"
    ));
    state
}

async fn live(seed: Seed) -> (World, tempfile::TempDir) {
    let home = tempfile::Builder::new()
        .prefix("tidings-sim")
        .tempdir_in(base())
        .unwrap();
    let world = Arc::new(Shared(Mutex::new(draw(seed))));
    let count = world.lock().devices.len();
    let mut devices = Vec::new();
    for number in 0..count {
        let path = home.path().join(format!("{number}.db"));
        devices.push(Device::start(&world, seed.number, number, path).await);
    }
    let mut workload = Workload::new(&world, seed);
    workload.storm(&mut devices).await;
    workload.heal(&mut devices).await;
    crate::quiet::judge(&world, &mut devices).await;
    for device in &mut devices {
        device.stop().await;
    }
    (world, home)
}

/// A directory in memory where there is one.
fn base() -> &'static std::path::Path {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        memory
    } else {
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
    }
}
