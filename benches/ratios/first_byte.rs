//! From the commit of an accept to the message's first byte on the wire.
//!
//! Before that byte the attempt is recorded, so the floor is the bare commit of the same rows
//! through a writer's thread (one hop) and a raw write. Ours also asks the store what is due and
//! crosses the driver, so that it makes one more hop to a thread.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tidings::{
    Config,
    domain::{connection::ConnectionState, ids::ConversationId, outbox::SendMode},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    accept::accepted,
    bare::{self, WriterThread},
    device::{self, Device},
    http::Http,
    measure::{in_turn, ratio},
    report::Finding,
    servers::{self, Tap},
    socket,
    store::{self, text},
    watched::Notes,
};

/// One hop beside commit and write would make it less than two; a busy machine adds to each hop.
const BOUND: f64 = 3.0;

/// So that whatever the round before started has ended, on both sides.
const PAUSE: Duration = Duration::from_millis(10);

/// Over a socket that is open.
pub(crate) fn live() -> Vec<Finding> {
    const ROUNDS: usize = 300;
    let runtime = store::runtime();
    let backend = device::backend();
    let (tap, notes) = (Tap::before(backend.addr()), Notes::default());
    let device = runtime.block_on(behind(&tap, &notes));
    let id = runtime.block_on(device.create());
    let chat = runtime.block_on(device.open(&id, ConnectionState::Live));
    let mut sent = 0;
    let mut ours = || {
        sent += 1;
        runtime.block_on(async {
            pause().await;
            tap.forget();
            chat.send(text(sent)).await.unwrap();
            pause().await;
            device.until_answered(&id, &text(sent)).await;
            let first = tap.first(is_frame).unwrap();
            first.saturating_duration_since(notes.accepted())
        })
    };
    let bare = Bare::new();
    let tapped = Tap::before(servers::echo());
    let url = format!("ws://{}/", tapped.address);
    let mut socket = runtime.block_on(socket::raw(&url, tapped.address));
    let mut recorded = 0;
    let mut floor = || {
        recorded += 1;
        let frame = Message::text(socket::frame(recorded));
        runtime.block_on(async {
            bare.accept(recorded).await;
            pause().await;
            tapped.forget();
            let start = Instant::now();
            bare.attempt(recorded).await;
            socket.send(frame).await.unwrap();
            socket.next().await.unwrap().unwrap();
            tapped.first(is_frame).unwrap() - start
        })
    };
    let ratio = ratio(&in_turn(ROUNDS, [&mut ours, &mut floor]));
    vec![Finding::at_most("first_byte_live", ratio, BOUND, ROUNDS)]
}

/// Without a socket, by a request; its connection is kept on both sides. Each message has a
/// conversation of its own, read before: a first look at the history would have to precede it.
pub(crate) fn idle() -> Vec<Finding> {
    const ROUNDS: usize = 150;
    let runtime = store::runtime();
    let backend = device::backend();
    let (tap, notes) = (Tap::before(backend.addr()), Notes::default());
    let device = runtime.block_on(behind(&tap, &notes));
    let mut ids = runtime.block_on(conversations(&device, 3 * ROUNDS));
    let mut others = ids.split_off(ids.len() / 2).into_iter();
    let mut ids = ids.into_iter();
    let mut sent = 0;
    let mut ours = || {
        sent += 1;
        let id = ids.next().unwrap();
        runtime.block_on(async {
            pause().await;
            tap.forget();
            let message = device.client.send(id, text(sent), SendMode::Durable).await;
            pause().await;
            let delivery = device.client.wait_for_delivery(message.unwrap().id);
            device::soon("the delivery", delivery).await.unwrap();
            let first = tap.first(is_post).unwrap();
            first.saturating_duration_since(notes.accepted())
        })
    };
    let bare = Bare::new();
    let tapped = Tap::before(backend.addr());
    let mut http = Http::to(tapped.address);
    let mut recorded = 0;
    let mut floor = || {
        recorded += 1;
        let id = others.next().unwrap();
        runtime.block_on(async {
            bare.accept(recorded).await;
            pause().await;
            tapped.forget();
            let start = Instant::now();
            bare.attempt(recorded).await;
            http.post(id.as_str(), &text(recorded));
            http.answer();
            tapped.first(is_post).unwrap() - start
        })
    };
    let ratio = ratio(&in_turn(ROUNDS, [&mut ours, &mut floor]));
    vec![Finding::at_most("first_byte_idle", ratio, BOUND, ROUNDS)]
}

/// A client behind the tap, the commits of its accepts noted.
async fn behind(tap: &Tap, notes: &Notes) -> Device {
    let origin = format!("http://{}", tap.address);
    Device::start(&origin, Config::default(), |store| notes.on(store)).await
}

async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

async fn conversations(device: &Device, count: usize) -> Vec<ConversationId> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        let id = device.create().await;
        device.client.synchronise(id.clone()).await.unwrap();
        ids.push(id);
    }
    ids
}

/// A text frame that holds more than a sign of life.
fn is_frame(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x81) && bytes.len() > 300
}

fn is_post(bytes: &[u8]) -> bool {
    bytes.starts_with(b"POST ")
}

/// The floor's store.
struct Bare(
    WriterThread,
    #[expect(dead_code, reason = "kept until the end")] tempfile::TempDir,
);

impl Bare {
    fn new() -> Self {
        let home = store::directory();
        let db = bare::open(&home.path().join("bare.db"), "NORMAL");
        Self(WriterThread::start(db), home)
    }

    async fn accept(&self, number: usize) {
        let row = accepted(number);
        self.0.run(move |db| bare::accept(db, &row)).await.unwrap();
    }

    async fn attempt(&self, number: usize) {
        let row = accepted(number);
        self.0.run(move |db| bare::attempt(db, &row)).await.unwrap();
    }
}
