//! What users do, and when the world hurts their devices.

use tidings::domain::{
    delivery::DeliveryState,
    ids::{ClientMessageId, ConversationId},
    outbox::SendMode,
};
use tokio::time::sleep;

use crate::{
    chance::Chance,
    device::{Device, Running},
    faults::Fault,
    reached::{Marker, reached},
    seed::Seed,
    server::Profile,
    wishes::Wishes,
    world::{State, World, spawn},
};

/// The users of all devices.
pub(crate) struct Workload {
    pub(crate) world: World,
    pub(crate) chance: Chance,
    /// The rooms of the beginning.
    pub(crate) rooms: Vec<ConversationId>,
    pub(crate) profile: Profile,
    said: u32,
    /// What users do beyond messages, where they do.
    wishes: Option<Wishes>,
}

/// What may happen in a step, with its weight.
const STEPS: &[(Step, usize)] = &[
    (Step::Send, 34),
    (Step::Burst, 6),
    (Step::Direct, 10),
    (Step::Abandon, 3),
    (Step::Cancel, 7),
    (Step::Retry, 5),
    (Step::Read, 4),
    (Step::Open, 6),
    (Step::Close, 5),
    (Step::Older, 4),
    (Step::Synchronise, 3),
    (Step::CatchUp, 3),
    (Step::Restart, 3),
    (Step::Wait, 5),
    (Step::Trouble, 14),
];

#[derive(Clone, Copy, Debug)]
enum Step {
    Send,
    Burst,
    Direct,
    Abandon,
    Cancel,
    Retry,
    Read,
    Open,
    Close,
    Older,
    Synchronise,
    CatchUp,
    Restart,
    Wait,
    Trouble,
}

impl Workload {
    pub(crate) fn new(world: &World, seed: Seed) -> Self {
        let (rooms, profile) = {
            let state = world.lock();
            (
                state.server.rooms.keys().cloned().collect(),
                state.server.profile,
            )
        };
        let chance = Chance::new(seed.number, 3);
        Self {
            world: world.clone(),
            chance,
            rooms,
            profile,
            said: 0,
            wishes: seed.has_actions().then(|| Wishes::new(world, seed)),
        }
    }

    /// Some dozens of steps, some minutes of virtual time.
    pub(crate) async fn storm(&mut self, devices: &mut [Device]) {
        let hurry = self.chance.per_mille(300);
        for _ in 0..10 + self.chance.below(26) {
            let gap = if hurry {
                self.chance.millis(1, 1_500)
            } else {
                self.chance.millis(20, 12_000)
            };
            sleep(gap).await;
            if self.world.lock().violation.is_some() {
                return;
            }
            self.raise_the_dead(devices).await;
            let at = self.chance.below(devices.len());
            if let Some(wishes) = &mut self.wishes
                && wishes.is_time()
            {
                wishes.make(&devices[at]);
                continue;
            }
            let step = self.step();
            self.take(step, &mut devices[at]).await;
        }
    }

    fn step(&mut self) -> Step {
        let sum = STEPS.iter().map(|(_, weight)| weight).sum();
        let mut at = self.chance.below(sum);
        for (step, weight) in STEPS {
            if at < *weight {
                return *step;
            }
            at -= weight;
        }
        Step::Wait
    }

    async fn raise_the_dead(&mut self, devices: &mut [Device]) {
        for device in devices {
            if device.is_crashed() && self.chance.per_mille(700) {
                device.kill();
                device.launch().await;
            } else if self.world.lock().devices[device.number].signed_out
                && self.chance.per_mille(300)
            {
                self.world.lock().devices[device.number].signed_out = false;
                if let Some(running) = &device.running {
                    running.client.foreground();
                }
            }
        }
    }

    async fn take(&mut self, step: Step, device: &mut Device) {
        let number = device.number;
        self.world
            .lock()
            .note(format_args!("device {number}: {step:?}"));
        let known = self.world.lock().known_rooms(number);
        let room = self.chance.pick(&known);
        let Some(running) = device
            .running
            .as_mut()
            .filter(|running| !running.life.is_dead())
        else {
            return;
        };
        match step {
            Step::Send => self.say(running, &room, number, SendMode::Durable),
            Step::Direct => self.say(running, &room, number, SendMode::Direct),
            Step::Burst => {
                for _ in 0..2 + self.chance.below(3) {
                    self.say(running, &room, number, SendMode::Durable);
                }
            }
            Step::Abandon => self.say_and_leave(running, &room, number),
            Step::Cancel => self.cancel(running, number),
            Step::Retry => self.retry(running, number),
            Step::Open => {
                let client = &running.client;
                running
                    .handles
                    .entry(room.clone())
                    .or_insert_with(|| client.open(room));
            }
            Step::Close => drop(running.handles.remove(&room)),
            Step::Read | Step::Older | Step::Synchronise | Step::CatchUp => {
                ask(running, &room, step);
            }
            Step::Restart => {
                device.stop().await;
                device.launch().await;
            }
            Step::Wait => sleep(self.chance.millis(5_000, 60_000)).await,
            Step::Trouble => self.trouble(device),
        }
    }

    /// Few words, so that texts repeat. Where the server knows no keys two devices never say the
    /// same: their rows could not be told apart by anybody.
    fn text(&mut self, device: usize) -> String {
        self.said += 1;
        let word = self.chance.pick(&["yes", "no", "ok", "thanks", "why"]);
        let fresh = self.chance.per_mille(500);
        match (self.profile, fresh) {
            (_, true) => format!("{word} {device}-{}", self.said),
            (Profile::Keyed, false) => word.to_owned(),
            (Profile::Nameless, false) => format!("{word} {device}"),
        }
    }

    fn say(&mut self, running: &Running, room: &ConversationId, number: usize, mode: SendMode) {
        let (client, room, text) = (running.client.clone(), room.clone(), self.text(number));
        let (world, life) = (self.world.clone(), running.life.clone());
        spawn(async move {
            let sent = client.send(room, text.clone(), mode).await;
            drop(client);
            if life.is_dead() {
                return;
            }
            let mut state = world.lock();
            match sent {
                Ok(message) => state.promised(number, message.id, mode),
                Err(error) => {
                    state.note(format_args!(
                        "device {number}: a send ended with {}",
                        error.error.code()
                    ));
                    state.refused(number, &text, mode, &error);
                }
            }
        });
    }

    /// "INV-24": the caller goes away in the middle.
    fn say_and_leave(&mut self, running: &Running, room: &ConversationId, number: usize) {
        let (client, room, text) = (running.client.clone(), room.clone(), self.text(number));
        let patience = self.chance.millis(0, 3_000);
        spawn(async move {
            let send = client.send(room, text, SendMode::Direct);
            drop(tokio::time::timeout(patience, send).await);
        });
    }

    fn pick(
        &mut self,
        number: usize,
        fits: impl Fn(DeliveryState) -> bool,
    ) -> Option<ClientMessageId> {
        let state = self.world.lock();
        let known = state.devices[number].accepted.iter();
        let fitting: Vec<_> = known
            .filter(|message| fits(message.state) && !message.gone)
            .map(|message| message.id)
            .collect();
        drop(state);
        (!fitting.is_empty()).then(|| self.chance.pick(&fitting))
    }

    fn cancel(&mut self, running: &Running, number: usize) {
        let unsent = |state: DeliveryState| state.is_pending() || state == DeliveryState::Failed;
        if let Some(id) = self.pick(number, unsent) {
            let client = running.client.clone();
            spawn(async move { drop(client.cancel(id).await) });
        }
    }

    fn retry(&mut self, running: &Running, number: usize) {
        if let Some(id) = self.pick(number, |state| state == DeliveryState::Failed) {
            let client = running.client.clone();
            spawn(async move { drop(client.retry(id).await) });
        }
    }

    /// Everything works from here on.
    pub(crate) async fn heal(&mut self, devices: &mut [Device]) {
        let told = {
            let mut state = self.world.lock();
            state.note(format_args!("healed"));
            state.faults.heal();
            state.healed = true;
            let jumped = state.faults.was_on(Fault::WallJump);
            jumped || self.chance.per_mille(500)
        };
        for device in devices {
            let broken = device.is_crashed() || device.running.is_none();
            if broken {
                device.kill();
                device.launch().await;
            }
            device.network(true, told);
            let known = self.world.lock().known_rooms(device.number);
            if let Some(running) = device.running.as_mut() {
                running.open(&known);
                // Suspended, or signed out: only the app can end that.
                running.client.foreground();
            }
        }
    }
}

fn ask(running: &Running, room: &ConversationId, step: Step) {
    let (client, room) = (running.client.clone(), room.clone());
    spawn(async move {
        match step {
            Step::Read => drop(client.mark_read(room).await),
            Step::Older => {
                if client.load_older(room).await.is_ok() {
                    reached(Marker::loaded_older);
                }
            }
            Step::Synchronise => drop(client.synchronise(room).await),
            _ => drop(client.catch_up(room).await),
        }
    });
}

impl State {
    fn promised(&mut self, device: usize, id: ClientMessageId, mode: SendMode) {
        if self.devices[device].find(id).is_none() {
            self.violation(
                "INV-01",
                format_args!("{id} was called accepted and is not stored"),
            );
        }
        let held = self.devices[device].find(id).is_some_and(|known| {
            // Sent was judged when it became so: of equal words another may have stood for it.
            known.state == DeliveryState::Cancelled
                || known.state.is_on_server()
                || self.server.room(&known.room).holds(id).is_some()
        });
        if mode == SendMode::Direct && !held {
            self.violation(
                "INV-03",
                format_args!("the direct send {id} was called sent and is not"),
            );
        }
    }

    /// A direct send that ended with an error gives the text back, and says whether it happened.
    fn refused(
        &mut self,
        device: usize,
        text: &str,
        mode: SendMode,
        error: &tidings::SendMessageError,
    ) {
        if mode == SendMode::Durable {
            return;
        }
        match error.error.code() {
            "send.outcome_unknown" => reached(Marker::direct_unknown),
            _ => reached(Marker::direct_failed),
        }
        if error.draft.as_deref() != Some(text) && error.error.code() != "closed" {
            let code = error.error.code();
            self.violation(
                "INV-01",
                format_args!("device {device}: a direct send ended with {code} and no draft"),
            );
        }
    }
}
