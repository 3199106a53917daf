//! Pages of a conversation, and the neighbours of a place.

use super::{Store, read, samples::*, write};
use crate::domain::{message::Message, order::SortKey, ports::Rows};

/// Rows 1 to 9 in "c", inserted out of order, 4 and 8 deleted; one row in "d".
async fn nine_rows(store: &Store) {
    write(store, |rows| {
        rows.put_conversation(&bare_conversation("c"))?;
        rows.put_conversation(&bare_conversation("d"))?;
        for n in [5, 1, 9, 3, 7, 2, 8, 4, 6] {
            let deleted = n == 4 || n == 8;
            rows.insert_message(&Message {
                deleted,
                ..message("c", n)
            })?;
        }
        rows.insert_message(&message("d", 10))
    })
    .await;
}

async fn page(store: &Store, before: Option<i64>, limit: usize, deleted: bool) -> Vec<i64> {
    let before = before.map(SortKey::server);
    let page = move |rows: &mut dyn Rows| rows.page(&conversation_id("c"), before, limit, deleted);
    numbers(&read(store, page).await)
}

async fn page_after(store: &Store, after: i64, limit: usize) -> Vec<i64> {
    let after = SortKey::server(after);
    let page = move |rows: &mut dyn Rows| rows.page_after(&conversation_id("c"), after, limit);
    numbers(&read(store, page).await)
}

fn numbers(rows: &[Message]) -> Vec<i64> {
    let place = |row: &Message| row.key.as_i64() / crate::domain::order::SPACING;
    rows.iter().map(place).collect()
}

/// Newest first to be asked for, oldest first to be shown; no row twice, none left out.
pub async fn pages_walk_back_from_the_newest(store: Store) {
    nine_rows(&store).await;
    assert_eq!(page(&store, None, 3, false).await, [6, 7, 9]);
    assert_eq!(page(&store, Some(6), 3, false).await, [2, 3, 5]);
    assert_eq!(page(&store, Some(2), 3, false).await, [1]);
    assert_eq!(page(&store, Some(1), 3, false).await, [0; 0]);
    let unknown = conversation_id("unknown");
    assert!(
        read(&store, move |rows| rows.page(&unknown, None, 3, true))
            .await
            .is_empty()
    );
}

/// Below means below, whether or not the key is stored.
pub async fn pages_before_a_key_leave_it_out(store: Store) {
    nine_rows(&store).await;
    assert_eq!(page(&store, Some(3), 10, false).await, [1, 2]);
    assert_eq!(page(&store, Some(100), 2, false).await, [7, 9]);
}

/// A limit counts what is given, not what is passed over.
pub async fn tombstones_come_only_where_asked_for(store: Store) {
    nine_rows(&store).await;
    assert_eq!(page(&store, None, 3, true).await, [7, 8, 9]);
    assert_eq!(page(&store, Some(9), 2, true).await, [7, 8]);
    assert_eq!(page(&store, Some(9), 2, false).await, [6, 7]);
    // Deleting shows at once.
    let gone = Message {
        deleted: true,
        ..message("c", 7)
    };
    write(&store, move |rows| rows.update_message(&gone)).await;
    assert_eq!(page(&store, Some(9), 2, false).await, [5, 6]);
}

/// From the other end, tombstones too: what is removed first.
pub async fn the_oldest_rows_come_with_their_tombstones(store: Store) {
    nine_rows(&store).await;
    let oldest = |rows: &mut dyn Rows| rows.oldest(&conversation_id("c"), 5);
    assert_eq!(numbers(&read(&store, oldest).await), [1, 2, 3, 4, 5]);
    let size = |rows: &mut dyn Rows| rows.size();
    assert!(read(&store, size).await > 0);
}

/// Forward too: nearest first, with the tombstones, which hold their places.
pub async fn pages_after_a_key_walk_forward(store: Store) {
    nine_rows(&store).await;
    assert_eq!(page_after(&store, 0, 3).await, [1, 2, 3]);
    assert_eq!(page_after(&store, 3, 3).await, [4, 5, 6]);
    assert_eq!(page_after(&store, 6, 3).await, [7, 8, 9]);
    assert_eq!(page_after(&store, 9, 3).await, [0; 0]);
}

/// A confirmed row leaves its pending place (INV-07).
pub async fn a_moved_row_is_found_at_its_new_place_only(store: Store) {
    nine_rows(&store).await;
    let moved = Message {
        key: SortKey::server(-1),
        ..message("c", 9)
    };
    write(&store, move |rows| rows.update_message(&moved)).await;
    assert_eq!(
        page(&store, None, 10, true).await,
        [-1, 1, 2, 3, 4, 5, 6, 7, 8]
    );
    assert_eq!(page_after(&store, 6, 10).await, [7, 8]);
}

/// The ends of the scale, no rows wanted, all rows wanted.
pub async fn extreme_bounds_are_no_trouble(store: Store) {
    nine_rows(&store).await;
    let ends = [i64::MIN, i64::MAX].map(SortKey::from_i64);
    let lowest = Message {
        key: ends[0],
        text: "lowest".into(),
        ..message("c", 20)
    };
    let highest = Message {
        key: ends[1],
        text: "highest".into(),
        ..message("c", 21)
    };
    write(&store, move |rows| {
        rows.insert_message(&lowest)?;
        rows.insert_message(&highest)
    })
    .await;
    read(&store, move |rows| {
        let id = conversation_id("c");
        assert!(rows.page(&id, Some(ends[0]), 9, true)?.is_empty());
        assert!(rows.page_after(&id, ends[1], 9)?.is_empty());
        assert_eq!(rows.page(&id, Some(ends[1]), usize::MAX, true)?.len(), 10);
        assert_eq!(rows.page_after(&id, ends[0], usize::MAX)?.len(), 10);
        assert_eq!(rows.page(&id, None, 1, false)?[0].text, "highest");
        assert!(rows.page(&id, None, 0, true)?.is_empty());
        assert!(rows.page_after(&id, ends[0], 0)?.is_empty());
        assert_eq!(rows.server_key_above(&id, Some(ends[1]))?, None);
        assert_eq!(rows.server_key_below(&id, Some(ends[0]))?, None);
        assert_eq!(rows.server_key_above(&id, None)?, Some(ends[0]));
        assert!(rows.unread_up_to(&id, ends[1])?.is_empty());
        Ok(())
    })
    .await;
}

/// Only keys that the server gave, tombstones' too, and never the key itself.
pub async fn nearest_server_keys_are_found_both_ways(store: Store) {
    write(&store, |rows| {
        rows.put_conversation(&bare_conversation("c"))
    })
    .await;
    let empty = |rows: &mut dyn Rows| rows.server_key_above(&conversation_id("c"), None);
    assert_eq!(read(&store, empty).await, None);
    write(&store, |rows| {
        for n in [2, 4, 6] {
            rows.insert_message(&Message {
                deleted: n == 6,
                ..message("c", n)
            })?;
        }
        let pending = Message {
            key: SortKey::pending(1),
            ..message("c", 7)
        };
        rows.insert_message(&pending)
    })
    .await;
    read(&store, |rows| {
        let id = conversation_id("c");
        let key = |n| Some(SortKey::server(n));
        assert_eq!(rows.server_key_above(&id, None)?, key(2));
        assert_eq!(rows.server_key_above(&id, key(2))?, key(4));
        assert_eq!(rows.server_key_above(&id, key(3))?, key(4));
        assert_eq!(rows.server_key_above(&id, key(6))?, None);
        assert_eq!(rows.server_key_below(&id, None)?, key(6));
        assert_eq!(rows.server_key_below(&id, key(6))?, key(4));
        assert_eq!(rows.server_key_below(&id, key(2))?, None);
        assert_eq!(
            rows.server_key_below(&id, Some(SortKey::pending(1)))?,
            key(6)
        );
        assert_eq!(
            rows.server_key_below(&conversation_id("unknown"), None)?,
            None
        );
        Ok(())
    })
    .await;
}
