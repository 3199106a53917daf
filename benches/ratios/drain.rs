//! Sending from a long queue against sending from a short one.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use tidings::{
    adapters::sqlite::Executor,
    domain::{
        event::SendReceipt,
        message::ServerMessage,
        ports::{ChatRepository, Durability, Rows, chat_repository::RowResult},
        rules::{
            accept::accept,
            attempt::record_attempt,
            merge::Placement,
            settle::{Settlement, settle},
        },
    },
};
use tokio::runtime::Runtime;

use crate::{
    accept::request,
    bare::WriterThread,
    measure::{by_block, in_turn, least, middle, on_one_processor, ratio, timed},
    report::Finding,
    store::{self, at, history_row, key},
};

const LONG: usize = 2_000;
const SHORT: usize = 20;
const LONGER: usize = 10_000;
const LONG_AGO: usize = 1_000;
const ROUNDS: usize = 1000;
const QUEUES: usize = 3;

/// What the store does for one message of the queue, and for all of a queue.
pub(crate) fn all() -> Vec<Finding> {
    let runtime = store::runtime();
    let ratio = compare(LONG, SHORT, &runtime);
    let flat = compare(LONGER, LONG_AGO, &runtime);
    vec![
        Finding::at_most("drain_2000", ratio, 1.3, ROUNDS).note("waiting", LONG as f64),
        on_one_processor(|| seconds(&runtime)),
        Finding::at_most("drain_flat", flat, 1.3, ROUNDS).note("waiting", LONGER as f64),
    ]
}

/// The one bound in seconds: a queue of an evening must not be felt. What the caller waits for at
/// the writer's thread, without the hops to it; `whole` is a queue from its first message to its
/// last, with the second copy's lines and the checkpoints, which are the disk's; `typical` is the
/// first figure over all of the run, where the machine has other work too.
fn seconds(runtime: &Runtime) -> Finding {
    let idle = WriterThread::start(rusqlite::Connection::open_in_memory().unwrap());
    let mut queue = Queue::of(LONG, Executor::Thread, runtime);
    let mut one = || queue.send_and_refill(runtime);
    let mut hops = || timed(|| (0..2).for_each(|_| runtime.block_on(idle.run(|_| ()))));
    let samples = in_turn(ROUNDS, [&mut one, &mut hops]);
    let mut each = by_block(&samples, |[one, hops]| (one - hops) * LONG as f64);
    let whole = (0..QUEUES).map(|_| Queue::of(LONG, Executor::Thread, runtime).drained(runtime));
    let whole = middle(&mut whole.map(|took| took.as_secs_f64()).collect::<Vec<_>>());
    Finding::at_most("drain_seconds", least(&each), 0.3, ROUNDS)
        .note("typical", middle(&mut each))
        .note("whole", whole)
}

/// How much more a message of the long queue costs, without hops.
fn compare(long: usize, short: usize, runtime: &Runtime) -> f64 {
    let [mut long, mut short] =
        [long, short].map(|length| Queue::of(length, Executor::Inline, runtime));
    let mut of_long = || long.send_and_refill(runtime);
    let mut of_short = || short.send_and_refill(runtime);
    ratio(&in_turn(ROUNDS, [&mut of_long, &mut of_short]))
}

/// A store with so many messages waiting.
struct Queue {
    store: Arc<dyn ChatRepository>,
    accepted: usize,
    sent: usize,
    _home: TempDir,
}

impl Queue {
    fn of(length: usize, executor: Executor, runtime: &Runtime) -> Self {
        let home = store::directory();
        let store = store::open(&home, executor, runtime);
        let mut queue = Self {
            store,
            accepted: 0,
            sent: 0,
            _home: home,
        };
        for _ in 0..length {
            queue.accept_one(runtime);
        }
        queue
    }

    fn accept_one(&mut self, runtime: &Runtime) {
        self.accepted += 1;
        let request = request(self.accepted);
        self.write(runtime, move |rows| accept(rows, request).map(drop));
    }

    /// How long the whole of it takes.
    fn drained(mut self, runtime: &Runtime) -> Duration {
        let took = timed(|| (0..self.accepted).for_each(|_| self.send_one(runtime)));
        runtime.block_on(self.store.close());
        took
    }

    /// Another message joins the queue for the one that left.
    fn send_and_refill(&mut self, runtime: &Runtime) -> Duration {
        let took = timed(|| self.send_one(runtime));
        self.accept_one(runtime);
        took
    }

    /// Records the attempt, settles it and finds the next one.
    fn send_one(&mut self, runtime: &Runtime) {
        self.sent += 1;
        let number = self.sent;
        self.write(runtime, move |rows| {
            record_attempt(rows, key(number), None, at(number)).map(drop)
        });
        self.write(runtime, move |rows| {
            let (id, confirmed) = (key(number), applied(number));
            let place = Placement::Early;
            settle(rows, id, confirmed, place, at(number), &mut || id)?;
            rows.outbox_entry(id)?;
            let heads = rows.outbox_heads()?;
            assert!(heads.first().is_none_or(|next| next.id == key(number + 1)));
            Ok(())
        });
    }

    fn write(
        &self,
        runtime: &Runtime,
        job: impl FnOnce(&mut dyn Rows) -> RowResult<()> + Send + 'static,
    ) {
        let written = self.store.transact(Durability::Normal, job);
        runtime.block_on(written).unwrap();
    }
}

/// The server's confirmation, with its row.
fn applied(number: usize) -> Settlement {
    let message = ServerMessage {
        own: true,
        role: tidings::domain::message::Role::User,
        ..history_row(number)
    };
    Settlement::Applied(SendReceipt {
        message: Some(message),
        answer: None,
    })
}
