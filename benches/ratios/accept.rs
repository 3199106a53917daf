//! Accepting a message against the bare commit of the same rows.

use std::{sync::Arc, time::Duration};

use tidings::{
    adapters::sqlite::Executor,
    domain::{
        outbox::SendMode,
        ports::{ChatRepository, Durability},
        rules::accept::{Accept, accept},
    },
};
use tokio::runtime::Runtime;

use crate::{
    bare::{self, Accepted, WriterThread},
    measure::{compared, in_turn, on_one_processor, ratio, timed},
    report::Finding,
    store::{self, at, conversation, key, text},
};

/// Against the same kind of thread, surviving a kill.
pub(crate) fn normal() -> Vec<Finding> {
    on_one_processor(|| threads("accept_normal", Durability::Normal, "NORMAL", 3000))
}

/// Against the same kind of thread, surviving a power cut.
pub(crate) fn full() -> Vec<Finding> {
    on_one_processor(|| threads("accept_full", Durability::Full, "FULL", 1500))
}

fn threads(
    name: &'static str,
    durability: Durability,
    synchronous: &str,
    rounds: usize,
) -> Vec<Finding> {
    let (home, runtime) = (store::directory(), store::runtime());
    let store = store::open(&home, Executor::Thread, &runtime);
    let bare = WriterThread::start(bare::open(&home.path().join("bare.db"), synchronous));
    let (mut sent, mut committed) = (0, 0);
    let mut ours = || {
        sent += 1;
        send(&runtime, &store, durability, sent)
    };
    let mut floor = || {
        committed += 1;
        let row = accepted(committed);
        timed(|| {
            let commit = bare.run(move |db| bare::accept(db, &row));
            runtime.block_on(commit).unwrap();
        })
    };
    let samples = in_turn(rounds, [&mut ours, &mut floor]);
    vec![Finding::at_most(name, ratio(&samples), 1.3, rounds)]
}

/// Against the transaction on the caller's own thread: twice that and one hop to a thread.
pub(crate) fn inline() -> Vec<Finding> {
    on_one_processor(beside_the_caller)
}

fn beside_the_caller() -> Vec<Finding> {
    const ROUNDS: usize = 3000;
    let (home, runtime) = (store::directory(), store::runtime());
    let store = store::open(&home, Executor::Thread, &runtime);
    let bare = bare::open(&home.path().join("bare.db"), "NORMAL");
    let idle = WriterThread::start(rusqlite::Connection::open_in_memory().unwrap());
    let (mut sent, mut committed) = (0, 0);
    let mut ours = || {
        sent += 1;
        send(&runtime, &store, Durability::Normal, sent)
    };
    let mut floor = || {
        committed += 1;
        let row = accepted(committed);
        timed(|| bare::accept(&bare, &row).unwrap())
    };
    let mut hop = || timed(|| runtime.block_on(idle.run(|_| ())));
    let sides: [&mut dyn FnMut() -> Duration; 3] = [&mut ours, &mut floor, &mut hop];
    let samples = in_turn(ROUNDS, sides);
    let beyond_hop = compared(&samples, |[ours, floor, hop]| (ours - hop) / floor);
    let hop = compared(&samples, |[_, floor, hop]| hop / floor);
    vec![Finding::at_most("accept_inline", beyond_hop, 2.0, ROUNDS).note("hop", hop)]
}

fn send(
    runtime: &Runtime,
    store: &Arc<dyn ChatRepository>,
    durability: Durability,
    number: usize,
) -> Duration {
    let request = request(number);
    timed(|| {
        let accepted = store.transact(durability, move |rows| accept(rows, request));
        runtime.block_on(accepted).unwrap()
    })
}

/// The `number`th message to accept.
pub(crate) fn request(number: usize) -> Accept {
    Accept {
        id: key(number),
        conversation: conversation(),
        text: text(number),
        mode: SendMode::Durable,
        now: at(number),
        expiry: Duration::from_secs(3600),
    }
}

/// The rows that the same accept writes.
pub(crate) fn accepted(number: usize) -> Accepted {
    Accepted {
        id: *key(number).as_bytes(),
        text: text(number),
        order: i64::try_from(number).unwrap(),
        now: at(number).as_millis(),
    }
}
