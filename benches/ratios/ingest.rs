//! Ten thousand messages of history through the merge, against bare batches of the same rows.

use std::time::Duration;

use tidings::adapters::sqlite::Executor;

use crate::{
    bare::{self, Row, WriterThread},
    measure::{middle, timed},
    report::Finding,
    store::{self, at, conversation, history_row, key, server_id, text},
};

const MESSAGES: usize = 10_000;
/// What servers give at once, and so what one transaction holds.
const PAGE: usize = 100;

/// Page by page in turn, each side into a fresh store; the sums are compared.
pub(crate) fn history() -> Vec<Finding> {
    const ROUNDS: usize = 7;
    let mut ratios: Vec<f64> = (0..ROUNDS).map(|_| once()).collect();
    let ratio = middle(&mut ratios);
    vec![
        Finding::at_least("ingest", ratio, 0.5, ROUNDS)
            .note("messages", MESSAGES as f64)
            .note("page", PAGE as f64),
    ]
}

/// Our share of the floor's throughput, in one run.
fn once() -> f64 {
    let (home, runtime) = (store::directory(), store::runtime());
    let store = store::open(&home, Executor::Thread, &runtime);
    let bare = WriterThread::start(bare::open(&home.path().join("bare.db"), "NORMAL"));
    let (mut ours, mut floor) = (Duration::ZERO, Duration::ZERO);
    for first in (0..MESSAGES).step_by(PAGE) {
        let page = (first..first + PAGE).map(history_row).collect();
        ours += timed(|| {
            let merged = store::merge_page(&store, page, first);
            runtime.block_on(merged).unwrap();
        });
        let page: Vec<Row> = (first..first + PAGE).map(row).collect();
        floor += timed(|| {
            let commit = bare.run(move |db| bare::ingest(db, &page));
            runtime.block_on(commit).unwrap();
        });
    }
    let count = "SELECT count(*) FROM message";
    let floor_rows = bare.run(move |db| db.query_row(count, (), |row| row.get::<_, i64>(0)));
    let our_rows = store.view(|rows| Ok(rows.conversation(&conversation())?.map(|row| row.stored)));
    assert_eq!(runtime.block_on(floor_rows).unwrap(), MESSAGES as i64);
    assert_eq!(runtime.block_on(our_rows).unwrap(), Some(MESSAGES as u64));
    runtime.block_on(store.close());
    floor.as_secs_f64() / ours.as_secs_f64()
}

/// The row that the merge makes of the same message.
pub(crate) fn row(number: usize) -> Row {
    Row {
        id: *key(number).as_bytes(),
        server_id: server_id(number),
        own: number.is_multiple_of(2),
        text: text(number),
        key: i64::try_from(number).unwrap() << 20,
        at: at(number).as_millis(),
    }
}
