//! Limits of what stays: the rules over this store's primitives.

use std::{collections::BTreeSet, time::Duration};

use super::{Store, read, samples::*, write};
use crate::domain::{
    conversation::Conversation,
    cursor::{SyncCursor, SyncPosition},
    message::Message,
    ports::{Rows, chat_repository::RowResult},
    rules::retention::{LEAST, Retention, Trimmed, trim},
    search::{Search, query::Query},
    time::WallTime,
};

/// Rows of a conversation that was read to its beginning.
const ROWS: u32 = 80;

/// A minute for each row: the last one was said at this moment.
const NOW: WallTime = WallTime::from_millis(60_000 * ROWS as i64);

fn row(n: u32) -> Message {
    Message {
        server_id: Some(server_id(&format!("s-{n}"))),
        created_at: Some(WallTime::from_millis(60_000 * i64::from(n))),
        ..message("c", n)
    }
}

fn fill(rows: &mut dyn Rows) -> RowResult<()> {
    rows.put_conversation(&Conversation {
        stored: u64::from(ROWS),
        sync: SyncPosition {
            newest: Some(SyncCursor::new("newest")),
            oldest: None,
            listed: None,
        },
        ..bare_conversation("c")
    })?;
    (1..=ROWS).try_for_each(|n| rows.insert_message(&row(n)))
}

async fn trimmed(store: &Store, policy: Retention, budget: usize) -> Trimmed {
    write(store, move |rows| {
        trim(rows, policy, NOW, &BTreeSet::new(), budget)
    })
    .await
}

/// The number of the oldest row, how many there are, and where the history says that it begins.
async fn left(store: &Store) -> (String, usize, Option<SyncCursor>) {
    read(store, |rows| {
        let there = rows.page(&conversation_id("c"), None, usize::MAX, true)?;
        let kept = rows.conversation(&conversation_id("c"))?;
        let kept = kept.unwrap_or_else(|| bare_conversation("c"));
        assert_eq!(kept.stored, there.len() as u64);
        let first = there.first().map(|row| row.text.clone());
        Ok((first.unwrap_or_default(), there.len(), kept.sync.oldest))
    })
    .await
}

const fn messages(most: u64) -> Retention {
    Retention {
        age: None,
        messages: Some(most),
        bytes: None,
    }
}

/// In passes of a bounded size, down to the limit and never below what a screen shows.
pub async fn only_the_oldest_end_goes_and_the_history_says_so(store: Store) {
    write(&store, fill).await;
    let none = Retention::default();
    assert_eq!(trimmed(&store, none, 100).await, Trimmed::default());
    assert_eq!(left(&store).await, ("text 1".into(), 80, None));
    let first = trimmed(&store, messages(70), 4).await;
    assert_eq!((first.removed, left(&store).await.1), (4, 76));
    assert_eq!(trimmed(&store, messages(70), 100).await.removed, 6);
    let end = Some(SyncCursor::end());
    assert_eq!(left(&store).await, ("text 11".into(), 70, end.clone()));
    assert_eq!(trimmed(&store, messages(70), 100).await.removed, 0);
    assert_eq!(trimmed(&store, messages(1), 100).await.removed, 20);
    assert_eq!(left(&store).await, ("text 31".into(), LEAST as usize, end));
    let gone = Search {
        query: Query::parse("text"),
        conversation: None,
        before: None,
        limit: 1_000,
    };
    let found = read(&store, move |rows| rows.search(&gone)).await;
    assert_eq!(found.messages.len(), LEAST as usize);
}

/// An unread row, one under a change, and a conversation with something unsent.
pub async fn what_is_unread_or_waits_stays(store: Store) {
    write(&store, fill).await;
    write(&store, |rows| {
        let unread = true;
        rows.update_message(&Message { unread, ..row(6) })
    })
    .await;
    assert_eq!(trimmed(&store, messages(1), 100).await.removed, 5);
    assert_eq!(left(&store).await.0, "text 6");
    write(&store, |rows| {
        rows.update_message(&row(6))?;
        rows.put_outbox(&entry("c", 200))
    })
    .await;
    assert_eq!(trimmed(&store, messages(1), 100).await.removed, 0);
    let spared: BTreeSet<_> = [conversation_id("c")].into();
    let looked_at = write(&store, move |rows| {
        rows.remove_outbox(key(200))?;
        trim(rows, messages(1), NOW, &spared, 100)
    });
    assert_eq!(looked_at.await.removed, 0);
    assert_eq!(trimmed(&store, messages(1), 100).await.removed, 25);
}

/// Older than so much; or the longest unused first, until all fits.
pub async fn age_and_size_are_limits_too(store: Store) {
    write(&store, fill).await;
    let old = Retention {
        age: Some(Duration::from_secs(60 * 70)),
        ..Retention::default()
    };
    assert_eq!(trimmed(&store, old, 100).await.removed, 9);
    assert_eq!(left(&store).await.0, "text 10");
    let small = Retention {
        bytes: Some(1),
        ..Retention::default()
    };
    assert_eq!(trimmed(&store, small, 100).await.removed, 21);
    let large = Retention {
        bytes: Some(u64::MAX),
        ..Retention::default()
    };
    assert_eq!(trimmed(&store, large, 100).await, Trimmed::default());
}
