//! Jobs that share a transaction, and what happens when that transaction ends badly.

use std::sync::mpsc;

use futures_util::future::join_all;
use rusqlite::Connection;
use tidings::{
    domain::ports::{Durability, RepositoryError, Rows},
    testing::repository_contract::samples::{bare_conversation, conversation_id},
};

use crate::support::{Store, accept, accept_into, accepted, home, open, soon};

/// Two settings that bring disaster: one makes the commit fail, one makes SQLite drop everything.
const TRAPS: &str = "
    CREATE TABLE trap (pk INTEGER REFERENCES conversation (pk) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER fail_at_commit BEFORE INSERT ON setting WHEN NEW.name = 'fail at commit'
        BEGIN INSERT INTO trap VALUES (-1); END;
    CREATE TRIGGER drop_all BEFORE INSERT ON setting WHEN NEW.name = 'drop all'
        BEGIN SELECT RAISE(ROLLBACK, 'dropped'); END;
";

async fn with_traps(path: &std::path::Path) -> Store {
    open(path).close().await;
    let db = Connection::open(path).expect("a file");
    db.execute_batch(TRAPS).expect("traps");
    drop(db);
    open(path)
}

/// Keeps the writer busy until `release` is used, so that what is handed over meanwhile becomes
/// one batch.
async fn held(store: &Store) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, wait) = mpsc::channel::<()>();
    let (running, is_running) = tokio::sync::oneshot::channel();
    let store = store.clone();
    let holding = tokio::task::spawn_local(async move {
        let job = move |_: &mut dyn Rows| {
            let _ = running.send(());
            let _ = wait.recv();
            Ok(())
        };
        store.transact(Durability::Normal, job).await.expect("held");
    });
    soon(is_running).await.expect("running");
    (release, holding)
}

/// Hands over all jobs as one batch and gives their outcomes.
async fn together<T: Send + 'static>(store: &Store, jobs: Vec<impl Future<Output = T>>) -> Vec<T> {
    let local = tokio::task::LocalSet::new();
    let run = async {
        let (release, holding) = held(store).await;
        let mut jobs = Box::pin(join_all(jobs));
        // The first poll hands all of them over.
        let none = futures_util::FutureExt::now_or_never(&mut jobs);
        assert!(none.is_none());
        release.send(()).expect("released");
        let outcomes = soon(jobs).await;
        holding.await.expect("the holder");
        outcomes
    };
    local.run_until(run).await
}

type Outcome = Result<(), RepositoryError>;

async fn trap(store: &Store, name: &'static str, n: u32) -> Outcome {
    let job = move |rows: &mut dyn Rows| {
        accept(rows, n)?;
        // Overlooked on purpose: the store must not depend on a job's care.
        let _ = rows.put_setting(name, "");
        accept(rows, n + 100)
    };
    store.transact(Durability::Normal, job).await
}

fn job<'a>(
    outcome: impl Future<Output = Outcome> + 'a,
) -> std::pin::Pin<Box<dyn Future<Output = Outcome> + 'a>> {
    Box::pin(outcome)
}

#[tokio::test]
async fn a_failed_commit_is_told_to_every_job_of_the_batch() {
    let (_home, path) = home();
    let store = with_traps(&path).await;
    let seen = store.revision();
    let jobs = vec![
        job(accept_into(&store, 1)),
        job(trap(&store, "fail at commit", 2)),
        job(accept_into(&store, 3)),
    ];
    let outcomes = together(&store, jobs).await;
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(RepositoryError::Internal(_))),
            "{outcome:?}"
        );
    }
    assert_eq!(
        store.revision().0,
        seen.0 + 1,
        "the holder's commit, and no other"
    );
    assert_eq!(accepted(&store).await, [0; 0]);
    accept_into(&store, 4).await.expect("the store goes on");
    assert_eq!(accepted(&store).await, [4]);
    store.close().await;
}

#[tokio::test]
async fn a_transaction_that_sqlite_drops_takes_the_jobs_before_and_none_after() {
    let (_home, path) = home();
    let store = with_traps(&path).await;
    let jobs = vec![
        job(accept_into(&store, 1)),
        job(trap(&store, "drop all", 2)),
        job(accept_into(&store, 3)),
        job(accept_into(&store, 4)),
    ];
    let outcomes = together(&store, jobs).await;
    assert!(outcomes[0].is_err() && outcomes[1].is_err(), "{outcomes:?}");
    assert_eq!(outcomes[2..], [Ok(()), Ok(())]);
    // What the job did after the drop would have been committed by itself.
    assert_eq!(accepted(&store).await, [3, 4]);
    store.close().await;
}

/// Adds a letter to the title that the job finds, and fails if asked to.
async fn entitled(store: &Store, letter: char, fails: bool) -> Outcome {
    let id = conversation_id("c");
    let job = move |rows: &mut dyn Rows| {
        let mut found = rows
            .conversation(&id)?
            .unwrap_or_else(|| bare_conversation("c"));
        found.title.get_or_insert_default().push(letter);
        rows.put_conversation(&found)?;
        match fails {
            true => Err(RepositoryError::Internal("on purpose".to_owned())),
            false => Ok(()),
        }
    };
    store.transact(Durability::Normal, job).await
}

#[tokio::test]
async fn a_job_sees_what_those_before_it_kept_and_not_what_was_taken_back() {
    let (_home, path) = home();
    let store = open(&path);
    let letters = [
        ('a', false),
        ('b', true),
        ('c', false),
        ('d', true),
        ('e', false),
    ];
    let jobs = letters.map(|(letter, fails)| entitled(&store, letter, fails));
    let outcomes = together(&store, jobs.into()).await;
    let failed: Vec<_> = outcomes.iter().map(Result::is_err).collect();
    assert_eq!(failed, letters.map(|(_, fails)| fails));
    let id = conversation_id("c");
    let stored = store.view(move |rows| rows.conversation(&id)).await;
    let title = stored.expect("a view").and_then(|found| found.title);
    assert_eq!(title.as_deref(), Some("ace"));
    store.close().await;
}

#[tokio::test]
async fn a_batch_is_one_commit() {
    let (_home, path) = home();
    let store = open(&path);
    let seen = store.revision();
    let jobs = (1..=50).map(|n| accept_into(&store, n)).collect();
    let outcomes = together(&store, jobs).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(
        store.revision().0,
        seen.0 + 2,
        "the holder's, and one for fifty"
    );
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
}

/// A view is one moment, however many commits pass meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_one_moment() {
    let (_home, path) = home();
    let store = open(&path);
    let writing = async {
        for n in 1..=200 {
            accept_into(&store, n).await.expect("accepted");
        }
    };
    let reading = async {
        for _ in 0..100 {
            // Compares three tables within one view.
            accepted(&store).await;
        }
    };
    futures_util::future::join(writing, reading).await;
    assert_eq!(accepted(&store).await.len(), 200);
    store.close().await;
}
