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
    measure::{Samples, compared, in_turn, ratio, timed},
    report::Finding,
    store::{self, at, history_row, key},
};

const LONG: usize = 2_000;
const SHORT: usize = 20;
const LONGER: usize = 10_000;
const LONG_AGO: usize = 1_000;
const ROUNDS: usize = 1000;
const STEPS: [&str; 2] = ["attempting", "settling"];

/// What the store does for one message of the queue, without hops.
pub(crate) fn all() -> Vec<Finding> {
    let runtime = store::runtime();
    let (ratio, each, steps) = compare(LONG, SHORT, &runtime);
    let (flat, ..) = compare(LONGER, LONG_AGO, &runtime);
    // The one bound in seconds: a queue of an evening must not be felt. The spare's lines, which
    // follow each commit on the same thread, take a half of it again: not a bound before they are
    // cheaper.
    let mut seconds =
        Finding::at_most("drain_seconds", each * LONG as f64, 0.3, ROUNDS).still_a_goal();
    for (name, step) in STEPS.into_iter().zip(steps) {
        seconds = seconds.note(name, step * LONG as f64);
    }
    vec![
        Finding::at_most("drain_2000", ratio, 1.3, ROUNDS).note("waiting", LONG as f64),
        seconds,
        Finding::at_most("drain_flat", flat, 1.3, ROUNDS).note("waiting", LONGER as f64),
    ]
}

/// How much more a message of the long queue costs, its seconds, and those of its steps.
fn compare(long: usize, short: usize, runtime: &Runtime) -> (f64, f64, [f64; 2]) {
    let (mut long, mut short) = (Queue::of(long, runtime), Queue::of(short, runtime));
    let mut of_long = || long.send_one(runtime);
    let mut of_short = || short.send_one(runtime);
    let samples = in_turn(ROUNDS, [&mut of_long, &mut of_short]);
    let steps = std::array::from_fn(|step| compared(&long.steps, |steps| steps[step]));
    (ratio(&samples), compared(&samples, |[long, _]| long), steps)
}

/// A store with so many messages waiting, and always as many.
struct Queue {
    store: Arc<dyn ChatRepository>,
    accepted: usize,
    sent: usize,
    steps: [Samples; 2],
    _home: TempDir,
}

impl Queue {
    fn of(length: usize, runtime: &Runtime) -> Self {
        let home = store::directory();
        let store = store::open(&home, Executor::Inline, runtime);
        let mut queue = Self {
            store,
            accepted: 0,
            sent: 0,
            steps: Default::default(),
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

    /// Records the attempt, settles it and finds the next one; then another one joins the queue.
    fn send_one(&mut self, runtime: &Runtime) -> Duration {
        self.sent += 1;
        let number = self.sent;
        let attempted = timed(|| {
            self.write(runtime, move |rows| {
                record_attempt(rows, key(number), None, at(number)).map(drop)
            });
        });
        let settled = timed(|| {
            self.write(runtime, move |rows| {
                let (id, confirmed) = (key(number), applied(number));
                let place = Placement::Early;
                settle(rows, id, confirmed, place, at(number), &mut || id)?;
                rows.outbox_entry(id)?;
                let heads = rows.outbox_heads()?;
                assert!(heads.first().is_none_or(|next| next.id == key(number + 1)));
                Ok(())
            });
        });
        for (step, took) in self.steps.iter_mut().zip([attempted, settled]) {
            step.push(took);
        }
        self.accept_one(runtime);
        attempted + settled
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
