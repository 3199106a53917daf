//! The outbox: entries, heads, accept order.

use super::{Store, read, samples::*, write};
use crate::domain::{
    conversation::NewConversation,
    delivery::DeliveryState,
    outbox::{Action, OutboxEntry, Track},
    ports::{Durability, RepositoryError, Rows},
};

async fn put(store: &Store, entries: Vec<OutboxEntry>) {
    write(store, move |rows| {
        for entry in &entries {
            if rows.conversation(&entry.conversation)?.is_none() {
                rows.put_conversation(&bare_conversation(entry.conversation.as_str()))?;
            }
            rows.put_outbox(entry)?;
        }
        Ok(())
    })
    .await;
}

fn orders(entries: &[OutboxEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.order).collect()
}

/// What is put comes back, every field of it, until it is removed.
pub async fn entry_round_trips_with_every_field(store: Store) {
    let sent = [entry("c", 1), full_entry("c", 2)];
    put(&store, sent.to_vec()).await;
    read(&store, move |rows| {
        for entry in &sent {
            assert!(rows.outbox_entry(entry.id)?.as_ref() == Some(entry));
        }
        assert!(rows.outbox_entry(key(3))?.is_none());
        Ok(())
    })
    .await;
    write(&store, |rows| {
        rows.remove_outbox(key(2))?;
        rows.remove_outbox(key(2))
    })
    .await;
    assert!(
        read(&store, |rows| rows.outbox_entry(key(2)))
            .await
            .is_none()
    );
}

/// Every kind of action comes back, every field of it.
pub async fn every_kind_of_action_round_trips(store: Store) {
    let numbered = (1..).zip(actions());
    let sent: Vec<_> = numbered
        .map(|(n, action)| OutboxEntry {
            action,
            ..full_entry("c", n)
        })
        .collect();
    put(&store, sent.clone()).await;
    assert!(read(&store, |rows| rows.outbox(None)).await == sent);
}

fn acting(conversation: &str, n: u32, action: Action) -> OutboxEntry {
    OutboxEntry {
        action,
        ..entry(conversation, n)
    }
}

fn deleting(n: u32, message: u32) -> OutboxEntry {
    let (message, beneath) = (key(message), String::new());
    acting("c", n, Action::Delete { message, beneath })
}

/// Each track of a conversation has a head of its own.
pub async fn tracks_do_not_wait_for_one_another(store: Store) {
    let hide = super::samples::shelf(true, false);
    let stop = Action::Stop { question: None };
    let entries = vec![
        entry("c", 1),
        acting("c", 2, Action::Complete),
        acting("c", 3, hide.clone()),
        acting("c", 4, stop),
        acting("d", 5, hide),
        deleting(6, 40),
        deleting(7, 41),
    ];
    put(&store, entries).await;
    let heads = |rows: &mut dyn Rows| rows.outbox_heads();
    assert_eq!(orders(&read(&store, heads).await), [1, 3, 4, 5, 6]);
    let of = |track| move |rows: &mut dyn Rows| rows.outbox_track(&conversation_id("c"), track);
    assert_eq!(orders(&read(&store, of(Track::Talk)).await), [1, 2]);
    assert_eq!(orders(&read(&store, of(Track::Changes)).await), [6, 7]);
    assert_eq!(orders(&read(&store, of(Track::Marks)).await), [0; 0]);
}

/// What waits in a track is neither failed nor parked.
pub async fn a_track_holds_what_still_waits(store: Store) {
    let failed = OutboxEntry {
        state: DeliveryState::Failed,
        ..entry("c", 1)
    };
    let parked = OutboxEntry {
        parked: true,
        ..entry("c", 2)
    };
    put(&store, vec![failed, parked, entry("c", 3), entry("d", 4)]).await;
    let talk = |rows: &mut dyn Rows| rows.outbox_track(&conversation_id("c"), Track::Talk);
    assert_eq!(orders(&read(&store, talk).await), [3]);
}

/// Changes are found by their message, creations by what they are; parked and failed ones too.
pub async fn changes_and_creations_are_found(store: Store) {
    let parked = OutboxEntry {
        parked: true,
        state: DeliveryState::Failed,
        ..deleting(2, 40)
    };
    let stop = Action::Stop {
        question: Some(key(40)),
    };
    let create = || Action::Create(NewConversation::default());
    let entries = vec![
        deleting(4, 40),
        parked,
        deleting(3, 41),
        acting("c", 5, stop),
        acting("d", 7, create()),
        acting("c", 6, create()),
        entry("c", 8),
    ];
    put(&store, entries).await;
    let changes = |rows: &mut dyn Rows| rows.outbox_changes(key(40));
    assert_eq!(orders(&read(&store, changes).await), [2, 4]);
    let creations = |rows: &mut dyn Rows| rows.outbox_creations();
    assert_eq!(orders(&read(&store, creations).await), [6, 7]);
}

/// A second put replaces all fields.
pub async fn entry_put_again_keeps_nothing_of_the_old(store: Store) {
    put(&store, vec![entry("d", 9)]).await;
    for next in [entry("c", 1), full_entry("d", 1), entry("c", 1)] {
        put(&store, vec![next.clone()]).await;
        let got = read(&store, |rows| rows.outbox_entry(key(1))).await;
        assert!(got == Some(next));
    }
    assert_eq!(read(&store, |rows| rows.outbox(None)).await.len(), 2);
}

/// Failed, cancelled and parked entries are passed over; what is in flight is not.
pub async fn heads_are_the_first_that_wait_in_each_conversation(store: Store) {
    let with = |name, n, state, parked| OutboxEntry {
        state,
        parked,
        ..entry(name, n)
    };
    let entries = vec![
        with("b", 8, DeliveryState::Queued, false),
        with("b", 6, DeliveryState::Uncertain, false),
        with("a", 1, DeliveryState::Uncertain, true),
        with("a", 2, DeliveryState::Failed, false),
        with("a", 7, DeliveryState::Sending, false),
        with("a", 9, DeliveryState::Queued, false),
        with("idle", 3, DeliveryState::Failed, false),
        with("idle", 4, DeliveryState::Cancelled, false),
        with("c", 5, DeliveryState::Queued, false),
    ];
    put(&store, entries).await;
    let heads = |rows: &mut dyn Rows| rows.outbox_heads();
    assert_eq!(orders(&read(&store, heads).await), [5, 6, 7]);

    // Who leaves, parks or fails makes room for the next; who returns is first of those queued.
    put(&store, vec![with("b", 6, DeliveryState::Uncertain, true)]).await;
    put(&store, vec![with("a", 2, DeliveryState::Queued, false)]).await;
    write(&store, |rows| rows.remove_outbox(key(5))).await;
    assert_eq!(
        orders(&read(&store, heads).await),
        [7, 8],
        "7 is on the wire"
    );
    write(&store, |rows| rows.remove_outbox(key(7))).await;
    assert_eq!(orders(&read(&store, heads).await), [2, 8]);
}

/// Draining takes one after the other, each found without the rest.
pub async fn a_long_queue_has_one_head(store: Store) {
    put(&store, (1..=300).map(|n| entry("c", n)).collect()).await;
    for n in 1..=20 {
        let head = write(&store, |rows| {
            let heads = rows.outbox_heads()?;
            heads
                .iter()
                .try_for_each(|head| rows.remove_outbox(head.id))?;
            Ok(heads)
        });
        assert_eq!(orders(&head.await), [n]);
    }
}

/// By accept order, whatever the order of puts; one conversation's alone where asked.
pub async fn entries_come_by_accept_order(store: Store) {
    let failed = OutboxEntry {
        state: DeliveryState::Failed,
        ..entry("d", 2)
    };
    put(
        &store,
        vec![entry("d", 4), entry("c", 3), failed, entry("c", 1)],
    )
    .await;
    assert_eq!(
        orders(&read(&store, |rows| rows.outbox(None)).await),
        [1, 2, 3, 4]
    );
    let of =
        |name: &'static str| move |rows: &mut dyn Rows| rows.outbox(Some(&conversation_id(name)));
    assert_eq!(orders(&read(&store, of("c")).await), [1, 3]);
    assert_eq!(orders(&read(&store, of("d")).await), [2, 4]);
    assert!(read(&store, of("unknown")).await.is_empty());
}

/// Numbers ascend and no two committed transactions have one in common.
pub async fn an_order_is_given_once(store: Store) {
    let two = |rows: &mut dyn Rows| Ok([rows.next_order()?, rows.next_order()?]);
    let first = write(&store, two).await;
    let failed = store.transact(Durability::Normal, |rows| {
        rows.next_order()?;
        Err::<(), _>(RepositoryError::Full)
    });
    assert_eq!(failed.await, Err(RepositoryError::Full));
    let second = write(&store, two).await;
    let all = [first, second].concat();
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
}
