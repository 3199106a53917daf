//! All or nothing, for each job by itself; and the revision that tells of it.

use std::sync::Arc;

use futures_util::{FutureExt, future::join_all};

use super::{Store, read, samples::*, write};
use crate::domain::{
    ids::ConversationId,
    message::Message,
    ports::{Durability, RepositoryError, Revision, Rows, chat_repository::RowResult},
};

/// Touches every table, as accepting a message does.
fn accept(rows: &mut dyn Rows, n: u32) -> RowResult<i64> {
    let order = rows.next_order()?;
    if rows.conversation(&here())?.is_none() {
        rows.put_conversation(&bare_conversation("c"))?;
    }
    rows.insert_message(&message("c", n))?;
    rows.put_outbox(&entry("c", n))?;
    rows.append_journal(&journal_entry("c", n))?;
    rows.put_setting("last", &n.to_string())?;
    Ok(order)
}

fn here() -> ConversationId {
    conversation_id("c")
}

/// How many rows of each table there are.
async fn census(store: &Store) -> [usize; 4] {
    read(store, |rows| {
        Ok([
            rows.conversations(
                crate::domain::ports::chat_repository::ConversationFilter::default(),
            )?
            .len(),
            rows.page(&here(), None, usize::MAX, true)?.len(),
            rows.outbox(None)?.len(),
            rows.journal_after(0, usize::MAX)?.len(),
        ])
    })
    .await
}

/// Nothing in any table, inserts, changes and removals alike.
pub async fn a_failed_job_changes_nothing(store: Store) {
    write(&store, |rows| accept(rows, 1)).await;
    let outcome = store.transact(Durability::Normal, |rows| {
        accept(rows, 2)?;
        rows.update_message(&full_message("c", 1))?;
        rows.put_outbox(&full_entry("c", 1))?;
        rows.put_conversation(&full_conversation("c"))?;
        rows.remove_message(key(1))?;
        rows.remove_conversation(&here())?;
        Err::<(), _>(RepositoryError::Full)
    });
    assert_eq!(outcome.await, Err(RepositoryError::Full));
    assert_eq!(census(&store).await, [1, 1, 1, 1]);
    read(&store, |rows| {
        assert!(rows.message(key(1))? == Some(message("c", 1)));
        assert!(rows.outbox_entry(key(1))? == Some(entry("c", 1)));
        assert!(rows.conversation(&here())? == Some(bare_conversation("c")));
        assert_eq!(rows.setting("last")?.as_deref(), Some("1"));
        assert_eq!(rows.journal_head()?, 1);
        Ok(())
    })
    .await;
}

/// The error is the job's, not the store's idea of it.
pub async fn a_failed_job_answers_its_own_error(store: Store) {
    for error in [
        RepositoryError::Newer,
        RepositoryError::Internal("why".into()),
    ] {
        let said = error.clone();
        let outcome = store
            .transact(Durability::Full, move |_| Err::<(), _>(said))
            .await;
        assert_eq!(outcome, Err(error.clone()));
        let said = error.clone();
        let outcome = store.view(move |_| Err::<(), _>(said)).await;
        assert_eq!(outcome, Err(error));
    }
}

/// A refused row is an answer like another, for the job to weigh.
pub async fn a_job_may_go_on_after_a_refused_row(store: Store) {
    write(&store, |rows| {
        accept(rows, 1)?;
        assert!(rows.insert_message(&message("c", 1)).is_err());
        accept(rows, 2)
    })
    .await;
    assert_eq!(census(&store).await, [1, 2, 2, 2]);
}

/// A bug in a job takes nothing with it but the job.
pub async fn a_panicking_job_changes_nothing_and_the_store_lives(store: Store) {
    let outcome = store.transact(Durability::Normal, |rows| -> RowResult<()> {
        accept(rows, 1)?;
        panic!("on purpose");
    });
    assert!(matches!(outcome.await, Err(RepositoryError::Internal(_))));
    let outcome = store.view(|_| -> RowResult<()> { panic!("on purpose") });
    assert!(matches!(outcome.await, Err(RepositoryError::Internal(_))));
    assert_eq!(census(&store).await, [0, 0, 0, 0]);
    write(&store, |rows| accept(rows, 2)).await;
    assert_eq!(census(&store).await, [1, 1, 1, 1]);
}

/// Reading is reading.
pub async fn a_write_inside_a_read_is_refused(store: Store) {
    write(&store, |rows| accept(rows, 1)).await;
    let before = store.revision();
    read(&store, |rows| {
        assert!(rows.put_setting("last", "9").is_err());
        assert!(rows.insert_message(&message("c", 2)).is_err());
        assert!(rows.remove_conversation(&here()).is_err());
        assert!(rows.next_order().is_err());
        Ok(())
    })
    .await;
    assert_eq!(census(&store).await, [1, 1, 1, 1]);
    assert_eq!(store.revision(), before);
}

/// Within a job, later steps see earlier ones.
pub async fn a_job_sees_what_it_wrote(store: Store) {
    write(&store, |rows| {
        accept(rows, 1)?;
        assert!(rows.message(key(1))?.is_some());
        assert_eq!(rows.outbox_heads()?.len(), 1);
        assert_eq!(rows.journal_head()?, 1);
        rows.remove_message(key(1))?;
        assert!(rows.page(&here(), None, 9, true)?.is_empty());
        Ok(())
    })
    .await;
}

/// Before the writer is answered, and not for reads or failures.
pub async fn the_revision_grows_with_each_commit_and_only_then(store: Store) {
    let mut seen = store.revision();
    for n in 1..=3 {
        write(&store, move |rows| accept(rows, n)).await;
        assert!(store.revision() > seen);
        seen = store.revision();
        census(&store).await;
        let failed = store.transact(Durability::Normal, move |rows| {
            accept(rows, n + 10)?;
            Err::<(), _>(RepositoryError::Full)
        });
        assert!(failed.await.is_err());
        assert_eq!(store.revision(), seen);
    }
}

/// Who waits for a change gets it; who missed it gets it at once.
pub async fn a_waiter_wakes_at_the_commit(store: Store) {
    let seen = store.revision();
    assert_eq!(store.changed(seen).now_or_never(), None);
    let waiter = store.changed(seen);
    let writer = write(&store, |rows| accept(rows, 1));
    let (woken, _) = futures_util::future::join(waiter, writer).await;
    assert!(woken > seen);
    assert_eq!(store.changed(seen).now_or_never(), Some(store.revision()));
    let earlier = Revision(seen.0);
    assert_eq!(
        store.changed(earlier).now_or_never(),
        Some(store.revision())
    );
}

/// None is lost, none is doubled, orders are all different.
pub async fn concurrent_writers_all_survive(store: Store) {
    let writes = (0..64_u32).map(|n| {
        let durability = match n % 5 {
            0 => Durability::Full,
            _ => Durability::Normal,
        };
        let store = Arc::clone(&store);
        async move {
            store
                .transact(durability, move |rows| accept(rows, n))
                .await
        }
    });
    let mut orders: Vec<i64> = join_all(writes)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(census(&store).await, [1, 64, 64, 64]);
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 64);
}

/// Jobs that are stored together still fail alone.
pub async fn a_failure_takes_no_neighbour_with_it(store: Store) {
    let writes = (0..30_u32).map(|n| {
        let store = Arc::clone(&store);
        let job = move |rows: &mut dyn Rows| match (accept(rows, n), n % 3) {
            (Err(error), _) => Err(error),
            (Ok(_), 0) => Err(RepositoryError::Unavailable(n.to_string())),
            (Ok(_), _) => Ok(()),
        };
        async move { store.transact(Durability::Normal, job).await }
    });
    for (outcome, n) in join_all(writes).await.into_iter().zip(0_u32..) {
        match n % 3 {
            0 => assert_eq!(outcome, Err(RepositoryError::Unavailable(n.to_string()))),
            _ => assert_eq!(outcome, Ok(())),
        }
    }
    assert_eq!(census(&store).await, [1, 20, 20, 20]);
    let rows = read(&store, |rows| rows.page(&here(), None, 99, true)).await;
    assert!(
        rows.iter().all(|row: &Message| row.key.as_i64() % 3 != 0),
        "{rows:?}"
    );
}

/// A caller that goes away after any number of polls splits no transaction (INV-24).
pub async fn a_dropped_write_is_all_or_nothing(store: Store) {
    for n in 1..=20 {
        let mut write = Box::pin(store.transact(Durability::Normal, move |rows| accept(rows, n)));
        if n % 2 == 0 {
            let _ = (&mut write).now_or_never();
        }
        drop(write);
    }
    // Jobs run in the order in which they were handed over, so all have run after this one.
    write(&store, |rows| accept(rows, 99)).await;
    let [_, messages, entries, journal] = census(&store).await;
    assert_eq!((messages, entries), (entries, journal));
    // Those that were handed over before the drop are stored.
    assert_eq!(messages, 11);
}

/// Whatever was asked before or after, and however often it is closed.
pub async fn a_closed_store_answers_closed(store: Store) {
    let waiting = store.transact(Durability::Normal, |rows| accept(rows, 1));
    futures_util::future::join(waiting.map(|done| assert_eq!(done, Ok(1))), async {
        store.close().await;
    })
    .await;
    store.close().await;
    let written = store
        .transact(Durability::Full, |rows| accept(rows, 2))
        .await;
    assert_eq!(written, Err(RepositoryError::Closed));
    let seen = store.view(|rows| rows.journal_head()).await;
    assert_eq!(seen, Err(RepositoryError::Closed));
    store.close().await;
}
