//! A full disk: said so, nothing half stored, and all well again once there is room (F-40, F-41).

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::ports::RepositoryError,
};

use crate::support::{Store, accept_into, accepted, home};

/// Accepts in bursts until one is refused; the refused and the accepted are told apart.
async fn fill(store: &Store, burst: u32) -> (Vec<u32>, Vec<u32>) {
    let (mut kept, mut refused) = (Vec::new(), Vec::new());
    let mut n = 0;
    while refused.is_empty() {
        let writes = (0..burst).map(|add| {
            let n = n + add;
            async move { (n, accept_into(store, n).await) }
        });
        for (n, outcome) in futures_util::future::join_all(writes).await {
            match outcome {
                Ok(()) => kept.push(n),
                Err(RepositoryError::Full) => refused.push(n),
                other => panic!("{other:?}"),
            }
        }
        n += burst;
        assert!(n < 100_000, "the disk never filled");
    }
    (kept, refused)
}

async fn fills_and_recovers(executor: Executor, burst: u32) {
    let (_home, path) = home();
    let options = SqliteOptions {
        executor,
        ..SqliteOptions::new(&path)
    };
    let sqlite = SqliteRepository::open(options).expect("a store");
    let store = sqlite.clone() as Store;
    accept_into(&store, 1_000_000).await.expect("accepted");
    sqlite.limit_pages(60).expect("a limit");
    let (mut kept, refused) = fill(&store, burst).await;
    kept.push(1_000_000);
    assert_eq!(
        accepted(&store).await,
        kept,
        "reading goes on, and what was said is so"
    );

    sqlite.limit_pages(100_000).expect("room");
    for n in &refused {
        accept_into(&store, *n).await.expect("accepted");
    }
    kept.extend(refused);
    kept.sort_unstable();
    assert_eq!(accepted(&store).await, kept);
    store.close().await;
}

#[tokio::test]
async fn f40_a_full_disk_refuses_and_recovers() {
    fills_and_recovers(Executor::Inline, 1).await;
}

#[tokio::test]
async fn f41_a_full_disk_under_bursts_splits_nothing() {
    fills_and_recovers(Executor::Thread, 23).await;
}
