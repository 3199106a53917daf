//! Sixty-four messages accepted at the same moment, against one bare commit of them.

use tidings::{
    adapters::sqlite::Executor,
    domain::{ports::Durability, rules::accept::accept},
};

use crate::{
    accept::{accepted, request},
    bare::{self, Accepted, WriterThread},
    measure::{in_turn, ratio, timed},
    report::Finding,
    store,
};

const WRITERS: usize = 64;

/// Our share of the throughput of a thread that writes all rows in one transaction.
pub(crate) fn concurrent() -> Vec<Finding> {
    const ROUNDS: usize = 300;
    let (home, runtime) = (store::directory(), store::runtime());
    let store = store::open(&home, Executor::Thread, &runtime);
    let bare = WriterThread::start(bare::open(&home.path().join("bare.db"), "FULL"));
    let (mut sent, mut committed) = (0, 0);
    let mut ours = || {
        let requests: Vec<_> = (sent..sent + WRITERS).map(|n| request(n + 1)).collect();
        sent += WRITERS;
        timed(|| {
            let accepts = requests
                .into_iter()
                .map(|request| store.transact(Durability::Full, move |rows| accept(rows, request)));
            let outcomes = runtime.block_on(futures_util::future::join_all(accepts));
            assert!(outcomes.iter().all(Result::is_ok));
        })
    };
    let mut floor = || {
        let rows: Vec<Accepted> = (committed..committed + WRITERS)
            .map(|n| accepted(n + 1))
            .collect();
        committed += WRITERS;
        timed(|| {
            let commit = bare.run(move |db| bare::accept_all(db, &rows));
            runtime.block_on(commit).unwrap();
        })
    };
    let share = 1.0 / ratio(&in_turn(ROUNDS, [&mut ours, &mut floor]));
    let found = Finding::at_least("accept_64", share, 0.5, ROUNDS);
    vec![found.note("writers", WRITERS as f64)]
}
