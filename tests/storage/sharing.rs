//! Several stores on one file: all read and write, one owns (F-47).

use std::path::Path;

use tidings::{
    adapters::sqlite::{Executor, SqliteOptions},
    domain::ports::Revision,
};

use crate::support::{Store, accept_into, accepted, home, open_with, soon};

fn shared(path: &Path, executor: Executor, passive: bool) -> Store {
    let options = SqliteOptions {
        executor,
        passive,
        shared: true,
        ..SqliteOptions::new(path)
    };
    open_with(options).expect("a store")
}

#[tokio::test]
async fn f47_one_store_owns_and_the_next_takes_over() {
    for executor in [Executor::Thread, Executor::Inline] {
        let (_home, path) = home();
        let first = shared(&path, executor, false);
        assert!(first.is_owner());
        soon(first.became_owner()).await;
        let second = shared(&path, executor, false);
        let third = shared(&path, executor, true);
        assert!(!second.is_owner() && !third.is_owner());

        first.close().await;
        assert!(!first.is_owner(), "who closed owns nothing");
        soon(second.became_owner()).await;
        assert!(second.is_owner() && !third.is_owner());

        second.close().await;
        let fourth = shared(&path, executor, false);
        soon(fourth.became_owner()).await;
        assert!(!third.is_owner(), "passive stays passive");
        third.close().await;
        fourth.close().await;
    }
}

#[tokio::test]
async fn a_store_alone_owns_unless_it_is_passive() {
    let (_home, path) = home();
    let alone = open_with(SqliteOptions::new(&path)).expect("a store");
    assert!(alone.is_owner());
    soon(alone.became_owner()).await;
    alone.close().await;
    let passive = SqliteOptions {
        passive: true,
        ..SqliteOptions::new(&path)
    };
    let passive = open_with(passive).expect("a store");
    assert!(!passive.is_owner());
    passive.close().await;
}

#[tokio::test]
async fn a_name_by_another_way_is_the_same_store() {
    let (home, path) = home();
    let first = shared(&path, Executor::Thread, false);
    let detour = home.path().join(".").join("chat.db");
    let second = shared(&detour, Executor::Thread, false);
    assert!(first.is_owner() && !second.is_owner());
    second.close().await;
    first.close().await;
}

#[tokio::test]
async fn f47_commits_of_one_are_seen_by_the_other() {
    let (_home, path) = home();
    let first = shared(&path, Executor::Thread, false);
    let second = shared(&path, Executor::Inline, true);
    for n in 1..=5 {
        let seen = second.revision();
        accept_into(&first, n).await.expect("accepted");
        let now = soon(second.changed(seen)).await;
        assert!(now > seen);
        assert_eq!(accepted(&second).await.len(), n as usize);
    }
    let seen = first.revision();
    accept_into(&second, 6).await.expect("accepted");
    assert!(soon(first.changed(seen)).await > seen);
    assert_eq!(accepted(&first).await.len(), 6);
    second.close().await;
    first.close().await;
}

/// Writers of two stores take turns; orders and sequences stay unique across them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f47_two_stores_write_at_once_and_nothing_is_lost() {
    let (_home, path) = home();
    let stores = [
        shared(&path, Executor::Thread, false),
        shared(&path, Executor::Thread, false),
    ];
    // One after the other in each store: a burst would be one transaction, and meet nobody.
    let writes = stores
        .iter()
        .zip([0_u32, 200])
        .map(|(store, first)| async move {
            for n in first..first + 200 {
                accept_into(store, n).await.expect("accepted");
            }
        });
    futures_util::future::join_all(writes).await;
    assert_eq!(accepted(&stores[0]).await.len(), 400);
    let entries = stores[1]
        .view(|rows| rows.outbox(None))
        .await
        .expect("entries");
    assert!(entries.windows(2).all(|pair| pair[0].order < pair[1].order));
    for store in &stores {
        store.close().await;
    }
}

/// Two processes that create one store at the same moment, as threads.
#[tokio::test]
async fn a_store_is_created_once_by_many() {
    for _ in 0..10 {
        let (_home, path) = home();
        let start = std::sync::Barrier::new(4);
        let stores: Vec<Store> = std::thread::scope(|scope| {
            let open = || {
                start.wait();
                shared(&path, Executor::Thread, false)
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            all.into_iter()
                .map(|one| one.join().expect("opened"))
                .collect()
        });
        let owners = stores.iter().filter(|store| store.is_owner()).count();
        assert_eq!(owners, 1);
        assert_eq!(stores[0].revision(), Revision::default());
        for store in &stores {
            store.close().await;
        }
    }
}
