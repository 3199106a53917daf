//! An encrypted store against a plain one, in one program and so with one engine.

use std::{path::Path, sync::Arc, time::Duration};

use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        ports::{ChatRepository, Durability, StoreKey},
        rules::accept::accept,
    },
    testing::ScriptedKeys,
};
use tokio::runtime::Runtime;

use crate::{
    accept::request,
    measure::{in_turn, ratio, timed},
    pages::PAGE,
    report::Finding,
    store::{self, conversation},
};

/// Messages in the stores whose pages are read.
const STORED: usize = 20_000;

/// The accept that a power cut must not take: a sync is the same for both.
pub(crate) fn accepting() -> Vec<Finding> {
    const ROUNDS: usize = 1_500;
    let (home, runtime) = (store::directory(), store::runtime());
    let [sealed, plain] = both(home.path()).map(|options| known(&runtime, options));
    let (mut of_sealed, mut of_plain) = (0, 0);
    let mut ours = || send(&runtime, &sealed, &mut of_sealed);
    let mut floor = || send(&runtime, &plain, &mut of_plain);
    let samples = in_turn(ROUNDS, [&mut ours, &mut floor]);
    vec![Finding::at_most(
        "encryption_accept",
        ratio(&samples),
        2.0,
        ROUNDS,
    )]
}

/// Opening, and the newest page; and the page alone, with all that it needs in memory.
pub(crate) fn reading() -> Vec<Finding> {
    const ROUNDS: usize = 300;
    let (home, runtime) = (store::directory(), store::runtime());
    for options in both(home.path()) {
        let store = known(&runtime, options);
        let rows = (0..STORED).map(store::history_row).collect();
        runtime
            .block_on(store::merge_page(&store, rows, 0))
            .unwrap();
        runtime.block_on(store.close());
    }
    let [sealed, plain] = both(home.path());
    let opened = |options: &SqliteOptions| {
        let mut store = None;
        let took = timed(|| {
            let opened = open(options.clone());
            page(&runtime, &opened);
            store = Some(opened);
        });
        runtime.block_on(store.take().unwrap().close());
        took
    };
    let samples = in_turn(ROUNDS, [&mut || opened(&sealed), &mut || opened(&plain)]);
    let opening = Finding::at_most("encryption_open", ratio(&samples), 3.0, ROUNDS);
    let [sealed, plain] = both(home.path()).map(open);
    let read = |store: &Arc<dyn ChatRepository>| timed(|| page(&runtime, store));
    let samples = in_turn(ROUNDS * 5, [&mut || read(&sealed), &mut || read(&plain)]);
    let page = Finding::at_most("encryption_page", ratio(&samples), 1.2, ROUNDS * 5);
    vec![opening, page]
}

/// The same store under a key and in plain.
fn both(home: &Path) -> [SqliteOptions; 2] {
    let key = StoreKey::from_slice(&[0x5a; StoreKey::LENGTH]).unwrap();
    let sealed = SqliteOptions {
        keys: Some(Arc::new(ScriptedKeys::new(key))),
        ..SqliteOptions::new(home.join("sealed.db"))
    };
    [sealed, SqliteOptions::new(home.join("plain.db"))]
}

fn open(options: SqliteOptions) -> Arc<dyn ChatRepository> {
    SqliteRepository::open(options).unwrap()
}

fn known(runtime: &Runtime, options: SqliteOptions) -> Arc<dyn ChatRepository> {
    let store = open(options);
    runtime.block_on(store::know(&store)).unwrap();
    store
}

fn send(runtime: &Runtime, store: &Arc<dyn ChatRepository>, sent: &mut usize) -> Duration {
    *sent += 1;
    let request = request(*sent);
    timed(|| {
        let accepted = store.transact(Durability::Full, move |rows| accept(rows, request));
        runtime.block_on(accepted).unwrap()
    })
}

fn page(runtime: &Runtime, store: &Arc<dyn ChatRepository>) {
    let read = store.view(|rows| rows.page(&conversation(), None, PAGE, false));
    assert_eq!(runtime.block_on(read).unwrap().len(), PAGE);
}
