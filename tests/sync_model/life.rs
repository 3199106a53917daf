//! One life: a script of what the server says, told through one weather or another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tidings::{
    ChatClient, ChatClientParts, Config, ConversationHandle,
    domain::{ports::ChatRepository, time::WallTime},
    engine::draw::Draw,
    testing::VirtualPlatform,
};

use crate::{
    server::{Server, Telling, below, room},
    watched::{Watched, everything},
};

/// A bound on what anything healthy takes.
const SOON: Duration = Duration::from_secs(600);

/// A seed's life.
pub(crate) struct Life {
    script: Draw,
    server: Server,
    page: u64,
    steps: u64,
    seed: u64,
}

/// How it ended.
pub(crate) struct Ended {
    /// Server id, text, revision, tombstone; in order.
    pub(crate) rows: Vec<(String, String, u64, bool)>,
    pub(crate) marked: u64,
}

impl Life {
    /// `order` chooses the weather: what the server says stays the same.
    pub(crate) fn new(seed: u64, order: u64) -> Self {
        let mut script = Draw::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        script.next_u64();
        let tellings = [Telling::Offset, Telling::Numbered, Telling::Feed];
        let telling = tellings[usize::try_from(seed % 3).unwrap()];
        let net = Draw::new(seed.wrapping_mul(31).wrapping_add(order << 48 | 7));
        Self {
            page: 2 + below(&mut script, 9),
            steps: 4 + below(&mut script, 12),
            script,
            server: Server::new(telling, net),
            seed,
        }
    }

    pub(crate) fn run(self) -> Result<Ended, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        runtime.unwrap().block_on(self.live())
    }

    async fn live(mut self) -> Result<Ended, String> {
        let store = Arc::new(Watched::new(self.server.clone()));
        self.say(30);
        let mut life = 0;
        let mut device = self.start(&store, life).await;
        for _ in 0..self.steps {
            match below(&mut self.script, 10) {
                0..=2 => self.say(60),
                3 => self.change(),
                4 => self.server.lock().cut(),
                5 => self.refuse(),
                6 => {
                    life += 1;
                    drop(device);
                    device = self.start(&store, life).await;
                }
                7 => {
                    let read = device.0.load_older(room());
                    drop(tokio::time::timeout(Duration::from_secs(2), read).await);
                }
                8 => self.server.lock().era += 1,
                _ => {}
            }
            let wait = 50 + below(&mut self.script, 6_000);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        self.server.lock().healthy = true;
        self.end(&store, &device.0).await
    }

    async fn start(&self, store: &Arc<Watched>, life: u64) -> (ChatClient, ConversationHandle) {
        let mut config = Config::default();
        config.set("history.page", &self.page.to_string()).unwrap();
        let seed = self.seed.wrapping_mul(100).wrapping_add(life);
        let parts = ChatClientParts {
            service: Arc::new(self.server.clone()),
            repository: store.clone(),
            platform: Arc::new(VirtualPlatform::new(seed, WallTime::from_millis(1))),
            config,
        };
        let client = ChatClient::start(parts).await.unwrap();
        let handle = client.open(room());
        (client, handle)
    }

    fn say(&mut self, most: u64) {
        let count = below(&mut self.script, most);
        (0..count).for_each(|_| self.server.lock().writes());
    }

    fn change(&mut self) {
        let mut server = self.server.lock();
        let length = u64::try_from(server.rows.len()).unwrap();
        if server.telling == Telling::Feed && length > 0 {
            let place = below(&mut self.script, length).try_into().unwrap();
            let deletes = below(&mut self.script, 3) == 0;
            server.edits(place, deletes);
        }
    }

    /// A feed that starts anew would have to be told whole: only places can be found again.
    fn refuse(&self) {
        let mut server = self.server.lock();
        server.refuse = server.telling != Telling::Feed;
    }

    async fn end(self, store: &Arc<Watched>, client: &ChatClient) -> Result<Ended, String> {
        for _ in 0..2 {
            let read = tokio::time::timeout(SOON, client.synchronise(room())).await;
            let read = read.map_err(|_| "INV-22: synchronising never ends".to_owned())?;
            read.map_err(|error| format!("INV-22: {error}"))?;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        if let Some(broken) = store.broken.lock().unwrap().take() {
            return Err(broken);
        }
        let repository: Arc<dyn ChatRepository> = store.clone();
        let here = repository.view(everything).await.unwrap();
        let left = here.iter().filter(|row| row.gap.is_some()).count();
        if left > 0 {
            return Err(format!("INV-09: {left} gaps are left"));
        }
        let rows: Vec<_> = here
            .into_iter()
            .map(|row| {
                let id = row
                    .server_id
                    .map_or_else(String::new, |id| id.as_str().to_owned());
                (id, row.text, row.revision, row.deleted)
            })
            .collect();
        let there = self.server.lock().rows.clone();
        let same = rows.len() == there.len()
            && rows
                .iter()
                .zip(&there)
                .enumerate()
                .all(|(place, (here, there))| {
                    let text = if there.deleted { "" } else { &there.text };
                    here.0 == format!("m{place}")
                        && here.1 == text
                        && (here.2, here.3) == (there.revision, there.deleted)
                });
        if !same {
            let (here, there) = (rows.len(), there.len());
            return Err(format!(
                "INV-08: {here} rows here are not the {there} of the server"
            ));
        }
        let marked = store.marked.load(Ordering::Relaxed);
        Ok(Ended { rows, marked })
    }
}
