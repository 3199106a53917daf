//! What users do beyond writing messages.

use tidings::{
    ChatClient,
    domain::{
        conversation::{Context, NewConversation},
        ids::{ClientMessageId, ConversationId},
        outbox::SendMode,
    },
};

use tokio::time::sleep;

use crate::{
    acts::Abilities,
    chance::Chance,
    device::{Device, Running},
    seed::Seed,
    server::Profile,
    world::{World, spawn},
};

/// The users' dice for these, and what they have to say.
pub(crate) struct Wishes {
    world: World,
    chance: Chance,
    able: Abilities,
    profile: Profile,
    said: u32,
    /// Every seed has wishes that come more often: what takes two of a kind needs that.
    favourites: [usize; 2],
}

/// What may be wished, with its weight.
const WISHES: &[(Wish, usize)] = &[
    (Wish::Edit, 20),
    (Wish::Delete, 10),
    (Wish::MarkRead, 12),
    (Wish::Archive, 10),
    (Wish::Complete, 3),
    (Wish::Stop, 9),
    (Wish::Begin, 9),
    (Wish::Draft, 8),
    (Wish::Cancel, 6),
    (Wish::Retry, 6),
    (Wish::List, 4),
];

#[derive(Clone, Copy, Debug)]
enum Wish {
    Edit,
    Delete,
    MarkRead,
    Archive,
    Complete,
    Stop,
    Begin,
    Draft,
    Cancel,
    Retry,
    List,
}

impl Wishes {
    pub(crate) fn new(world: &World, seed: Seed) -> Self {
        let (able, profile) = {
            let server = &world.lock().server;
            (server.abilities.unwrap_or_default(), server.profile)
        };
        let mut chance = Chance::new(seed.number, 5);
        let favourites = [(); 2].map(|()| chance.below(WISHES.len()));
        Self {
            world: world.clone(),
            chance,
            able,
            profile,
            said: 0,
            favourites,
        }
    }

    /// Whether the next thing a user does is one of these.
    pub(crate) fn is_time(&mut self) -> bool {
        self.chance.per_mille(450)
    }

    pub(crate) fn make(&mut self, device: &Device) {
        let alive = |running: &&Running| !running.life.is_dead();
        let Some(running) = device.running.as_ref().filter(alive) else {
            return;
        };
        let wish = self.draw();
        let (client, number) = (running.client.clone(), device.number);
        let known = self.world.lock().known_rooms(number);
        let room = self.chance.pick(&known);
        self.world
            .lock()
            .note(format_args!("device {number} wishes: {wish:?} in {room}"));
        match wish {
            Wish::Edit => self.edit(client, number),
            Wish::Delete => self.delete(client, number),
            Wish::MarkRead => self.read(client, room),
            Wish::Archive => self.archive(client, room, number),
            Wish::Complete if self.able.complete => {
                spawn(async move { client.complete(room).await });
            }
            Wish::Stop if self.able.stop => {
                drop(spawn(async move { client.stop_answer(room).await }))
            }
            Wish::Begin => self.begin(client, number),
            Wish::Draft => self.draft(client, room, number),
            Wish::Cancel => self.cancel(client, number),
            Wish::Retry => self.retry(client, number),
            Wish::List => drop(spawn(async move { client.refresh_conversations().await })),
            Wish::Complete | Wish::Stop => {}
        }
    }

    fn draw(&mut self) -> Wish {
        if self.chance.per_mille(400) {
            return WISHES[self.chance.pick(&self.favourites)].0;
        }
        let sum = WISHES.iter().map(|(_, weight)| weight).sum();
        let mut at = self.chance.below(sum);
        for (wish, weight) in WISHES {
            if at < *weight {
                return *wish;
            }
            at -= weight;
        }
        Wish::List
    }

    fn fresh(&mut self, word: &str) -> String {
        self.said += 1;
        format!("{word} {}", self.said)
    }

    /// One of the newest messages of the user's: they are the ones whose fate is open.
    fn own(&mut self, number: usize) -> Option<ClientMessageId> {
        let state = self.world.lock();
        let accepted = state.devices[number].accepted.iter().rev();
        let newest: Vec<_> = accepted.take(4).map(|message| message.id).collect();
        drop(state);
        (!newest.is_empty()).then(|| self.chance.pick(&newest))
    }

    fn edit(&mut self, client: ChatClient, number: usize) {
        let Some(id) = self.own(number) else { return };
        for _ in 0..1 + self.chance.below(2) {
            let text = self.fresh("edited");
            let mut state = self.world.lock();
            let wished = state.devices[number].book.edits.entry(id).or_default();
            wished.insert(text.clone());
            drop(state);
            let (client, pause) = (client.clone(), self.chance.millis(0, 250));
            spawn(async move {
                sleep(pause).await;
                client.edit_message(id, text).await
            });
        }
    }

    /// Somebody reads, and goes on reading.
    fn read(&mut self, client: ChatClient, room: ConversationId) {
        let pauses: Vec<_> = (0..1 + self.chance.below(4))
            .map(|_| self.chance.millis(500, 8_000))
            .collect();
        spawn(async move {
            for pause in pauses {
                drop(client.mark_read(room.clone()).await);
                sleep(pause).await;
            }
        });
    }

    fn delete(&mut self, client: ChatClient, number: usize) {
        let Some(id) = self.own(number) else { return };
        spawn(async move { client.delete_message(id).await });
    }

    fn archive(&mut self, client: ChatClient, room: ConversationId, number: usize) {
        let archived = self.chance.per_mille(600);
        let wish = (room.clone(), archived);
        self.world.lock().devices[number].book.shelving.insert(wish);
        spawn(async move { client.archive(room, archived).await });
    }

    fn draft(&mut self, client: ChatClient, room: ConversationId, number: usize) {
        let text = self.chance.per_mille(800).then(|| self.fresh("draft"));
        let mut state = self.world.lock();
        state.devices[number].book.typed.insert(text.clone());
        drop(state);
        spawn(async move { client.save_draft(room, text).await });
    }

    /// Begins a conversation and writes into it at once. No two devices begin the same, except
    /// where the server itself says that there is one already.
    fn begin(&mut self, client: ChatClient, number: usize) {
        let new = self.new_conversation(number);
        let count = self.chance.below(4);
        let texts: Vec<_> = (0..count)
            .map(|_| format!("{} {number}", self.fresh("first words")))
            .collect();
        let draft = self.chance.per_mille(300).then(|| self.fresh("draft"));
        let ends = self.able.complete && self.chance.per_mille(150);
        if draft.is_some() {
            let mut state = self.world.lock();
            state.devices[number].book.typed.insert(draft.clone());
        }
        spawn(async move {
            let Ok(begun) = client.begin_conversation(new).await else {
                return;
            };
            for text in texts {
                drop(client.send(begun.id.clone(), text, SendMode::Durable).await);
            }
            if draft.is_some() {
                drop(client.save_draft(begun.id.clone(), draft).await);
            }
            if ends {
                drop(client.complete(begun.id).await);
            }
        });
    }

    fn new_conversation(&mut self, number: usize) -> NewConversation {
        let persona = match self.profile {
            Profile::Keyed => self.chance.pick(&["coach", "cook"]),
            Profile::Nameless => "guide",
        };
        let bound = self.able.contexts && self.chance.per_mille(400);
        let goal = self.chance.pick(&["g1", "g2", "g3"]).to_owned();
        NewConversation {
            key: None,
            persona: Some(format!("{persona} {number}")),
            context: bound.then(|| Context {
                kind: "goal".to_owned(),
                id: Some(goal),
            }),
            ..NewConversation::default()
        }
    }

    fn cancel(&mut self, client: ChatClient, number: usize) {
        let Some(id) = self.deed(number, |state| state.is_pending() || state == FAILED) else {
            return;
        };
        let world = self.world.clone();
        if let Some(deed) = world.lock().devices[number].book.find_mut(id) {
            deed.unwanted = true;
        }
        spawn(async move { client.cancel_action(id).await });
    }

    fn retry(&mut self, client: ChatClient, number: usize) {
        let Some(id) = self.deed(number, |state| state == FAILED) else {
            return;
        };
        spawn(async move { client.retry_action(id).await });
    }

    fn deed(
        &mut self,
        number: usize,
        fits: impl Fn(tidings::domain::delivery::DeliveryState) -> bool,
    ) -> Option<ClientMessageId> {
        let state = self.world.lock();
        let deeds = state.devices[number].book.deeds.iter();
        let fitting: Vec<_> = deeds
            .filter(|deed| fits(deed.state) && !deed.is_gone())
            .map(|deed| deed.id)
            .collect();
        drop(state);
        (!fitting.is_empty()).then(|| self.chance.pick(&fitting))
    }
}

const FAILED: tidings::domain::delivery::DeliveryState =
    tidings::domain::delivery::DeliveryState::Failed;
