//! Messages: their fields, what makes two rows one, and the questions asked of them.

use super::{Store, read, samples::*, write};
use crate::domain::{
    cursor::{Gap, SyncCursor},
    delivery::DeliveryState,
    message::{Completeness, Message, Role},
    order::SortKey,
    ports::{Durability, RepositoryError, Rows, chat_repository::RowResult},
};

async fn with_conversations(store: &Store) {
    write(store, |rows| {
        rows.put_conversation(&bare_conversation("c"))?;
        rows.put_conversation(&bare_conversation("d"))
    })
    .await;
}

async fn insert(store: &Store, messages: Vec<Message>) {
    write(store, move |rows| {
        messages.iter().try_for_each(|row| rows.insert_message(row))
    })
    .await;
}

async fn by_key(store: &Store, n: u32) -> Option<Message> {
    read(store, move |rows| rows.message(key(n))).await
}

/// The write must fail, as a broken rule of ours.
async fn refused(store: &Store, job: impl FnOnce(&mut dyn Rows) -> RowResult<()> + Send + 'static) {
    let outcome = store.transact(Durability::Normal, job).await;
    assert!(
        matches!(outcome, Err(RepositoryError::Internal(_))),
        "{outcome:?}"
    );
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|row| row.text.as_str()).collect()
}

/// What is inserted comes back, every field of it, by either name.
pub async fn message_round_trips_with_every_field(store: Store) {
    with_conversations(&store).await;
    let (plain, full) = (message("c", 1), full_message("c", 2));
    insert(&store, vec![plain.clone(), full.clone()]).await;
    assert!(by_key(&store, 1).await == Some(plain));
    assert!(by_key(&store, 2).await.as_ref() == Some(&full));
    assert!(by_key(&store, 3).await.is_none());
    let named = read(&store, |rows| {
        rows.message_by_server_id(&conversation_id("c"), &server_id(" s-2 "))
    });
    assert!(named.await == Some(full));
    let almost = read(&store, |rows| {
        rows.message_by_server_id(&conversation_id("c"), &server_id("s-2"))
    });
    assert!(almost.await.is_none());
}

/// Bytes are bytes: NULs, quotes, emoji, marks, the last code points, much text and none.
pub async fn message_texts_come_back_to_the_byte(store: Store) {
    with_conversations(&store).await;
    let long = "ä".repeat(300_000);
    let sent = [
        "",
        " ",
        "\0",
        "a\0b\0",
        "'; DROP TABLE message; --",
        "👩‍👩‍👧‍👦 e\u{301}",
        "\u{202e}abc",
        "\u{feff}bom",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "line\r\nline\n",
        long.as_str(),
    ];
    let rows = sent.iter().zip(0..).map(|(text, n)| Message {
        text: (*text).to_owned(),
        ..message("c", n)
    });
    insert(&store, rows.collect()).await;
    let id = conversation_id("c");
    let got = read(&store, move |rows| rows.page(&id, None, 100, true)).await;
    assert_eq!(texts(&got), sent);
}

/// No state, role or completeness turns into another on its way.
pub async fn every_state_role_and_completeness_round_trips(store: Store) {
    with_conversations(&store).await;
    let roles = [Role::User, Role::Assistant, Role::System, Role::Function];
    let states = DeliveryState::ALL.into_iter().map(|state| Message {
        state,
        ..message("c", 0)
    });
    let wholes = Completeness::ALL.into_iter().map(|completeness| Message {
        completeness,
        ..message("c", 0)
    });
    let roles = roles.into_iter().map(|role| Message {
        role,
        ..message("c", 0)
    });
    let all = states.chain(wholes).chain(roles).zip(0_u32..);
    let all: Vec<Message> = all
        .map(|(row, n)| Message {
            id: key(n),
            key: SortKey::server(i64::from(n)),
            ..row
        })
        .collect();
    insert(&store, all.clone()).await;
    let id = conversation_id("c");
    let got = read(&store, move |rows| rows.page(&id, None, 100, true)).await;
    assert!(got == all, "{got:?}");
}

/// Of one conversation, tombstones included; a mark taken away is no gap.
pub async fn gaps_are_found_in_order_and_go_with_their_mark(store: Store) {
    with_conversations(&store).await;
    let marked = |conversation: &str, n: u32, gap: Gap| Message {
        gap: Some(gap),
        deleted: n == 3,
        ..message(conversation, n)
    };
    let upper = marked("c", 3, Gap::before(SyncCursor::new("40")));
    let lower = marked("c", 1, Gap::ahead());
    let other = marked("d", 5, Gap::ahead());
    let rows = vec![upper.clone(), message("c", 2), lower.clone(), other];
    insert(&store, rows).await;
    let gaps = || read(&store, |rows| rows.gaps(&conversation_id("c")));
    assert!(gaps().await == [lower.clone(), upper.clone()]);
    let closed = Message { gap: None, ..lower };
    write(&store, move |rows| rows.update_message(&closed)).await;
    assert!(gaps().await == [upper]);
}

/// An update replaces all fields, the conversation included.
pub async fn updated_message_keeps_nothing_of_the_old(store: Store) {
    with_conversations(&store).await;
    insert(&store, vec![message("c", 1)]).await;
    let streamed = Message {
        text: "more".into(),
        version: 2,
        ..message("c", 1)
    };
    for next in [
        streamed,
        full_message("c", 1),
        full_message("d", 1),
        message("c", 1),
    ] {
        let copy = next.clone();
        write(&store, move |rows| rows.update_message(&copy)).await;
        assert!(by_key(&store, 1).await == Some(next));
    }
    let old_name = read(&store, |rows| {
        rows.message_by_server_id(&conversation_id("d"), &server_id(" s-1 "))
    });
    assert!(old_name.await.is_none());
    refused(&store, |rows| rows.update_message(&message("c", 9))).await;
}

/// A key is stored once (INV-05).
pub async fn a_key_names_one_row(store: Store) {
    with_conversations(&store).await;
    insert(&store, vec![message("c", 1)]).await;
    refused(&store, |rows| rows.insert_message(&message("d", 1))).await;
    assert!(by_key(&store, 1).await == Some(message("c", 1)));
}

fn named(conversation: &str, n: u32, name: &str) -> Message {
    Message {
        server_id: Some(server_id(name)),
        ..message(conversation, n)
    }
}

/// A server id is stored once in a conversation (INV-05); other conversations have their own.
pub async fn a_server_id_names_one_row_of_a_conversation(store: Store) {
    with_conversations(&store).await;
    insert(
        &store,
        vec![named("c", 1, "s"), named("d", 2, "s"), named("c", 3, "t")],
    )
    .await;
    refused(&store, |rows| rows.insert_message(&named("c", 4, "s"))).await;
    refused(&store, |rows| rows.update_message(&named("c", 3, "s"))).await;
    refused(&store, |rows| rows.update_message(&named("d", 1, "s"))).await;
    let row = read(&store, |rows| {
        rows.message_by_server_id(&conversation_id("c"), &server_id("s"))
    });
    assert!(row.await == Some(named("c", 1, "s")));
}

/// A job that swallows the refusal must not find the row half changed.
pub async fn a_refused_update_leaves_the_row_as_it_was(store: Store) {
    with_conversations(&store).await;
    insert(&store, vec![named("c", 1, "s"), named("c", 2, "t")]).await;
    write(&store, |rows| {
        let clash = Message {
            text: "changed".into(),
            deleted: true,
            ..named("c", 2, "s")
        };
        assert!(rows.update_message(&clash).is_err());
        Ok(())
    })
    .await;
    assert!(by_key(&store, 2).await == Some(named("c", 2, "t")));
    assert!(by_key(&store, 1).await == Some(named("c", 1, "s")));
}

/// Rows of a conversation that is not stored are refused, of whatever table.
pub async fn a_row_needs_its_conversation(store: Store) {
    with_conversations(&store).await;
    insert(&store, vec![message("c", 1)]).await;
    refused(&store, |rows| rows.insert_message(&message("nowhere", 2))).await;
    refused(&store, |rows| rows.update_message(&message("nowhere", 1))).await;
    refused(&store, |rows| rows.put_outbox(&entry("nowhere", 1))).await;
    refused(&store, |rows| {
        rows.append_journal(&journal_entry("nowhere", 1))
    })
    .await;
}

/// Gone from every question; removing it again is no error.
pub async fn removed_message_is_gone_and_its_server_id_is_free(store: Store) {
    with_conversations(&store).await;
    insert(&store, vec![named("c", 1, "s"), message("c", 2)]).await;
    write(&store, |rows| {
        rows.remove_message(key(1))?;
        rows.remove_message(key(1))?;
        rows.insert_message(&named("c", 3, "s"))
    })
    .await;
    assert!(by_key(&store, 1).await.is_none());
    let id = conversation_id("c");
    let left = read(&store, move |rows| rows.page(&id, None, 10, true)).await;
    assert_eq!(texts(&left), ["text 2", "text 3"]);
}

/// Pending half, and of others or attempted; in order, tombstones included.
pub async fn unplaced_rows_are_those_the_server_may_have(store: Store) {
    with_conversations(&store).await;
    let pending = |n: u32, own, attempts| Message {
        key: SortKey::pending(i64::from(n)),
        own,
        attempts,
        ..message("c", n)
    };
    let mut rows = vec![
        pending(5, true, 1),
        pending(3, true, 0),
        pending(2, false, 0),
        Message {
            own: true,
            attempts: 3,
            ..message("c", 1)
        },
        Message {
            deleted: true,
            ..pending(6, true, 2)
        },
        Message {
            server_id: Some(server_id("s")),
            ..pending(4, false, 0)
        },
    ];
    rows.push(Message {
        conversation: conversation_id("d"),
        ..pending(7, true, 1)
    });
    insert(&store, rows).await;
    let unplaced = |rows: &mut dyn Rows| rows.unplaced(&conversation_id("c"));
    let got = read(&store, unplaced).await;
    assert_eq!(texts(&got), ["text 2", "text 4", "text 5", "text 6"]);

    // The first attempt and the placing both show.
    let placed = Message {
        key: SortKey::server(2),
        ..pending(2, false, 0)
    };
    write(&store, move |rows| {
        rows.update_message(&pending(3, true, 1))?;
        rows.update_message(&placed)
    })
    .await;
    let got = read(&store, unplaced).await;
    assert_eq!(texts(&got), ["text 3", "text 4", "text 5", "text 6"]);
}

/// Up to and with the key, in order, whatever else they are.
pub async fn unread_rows_come_up_to_and_with_the_key(store: Store) {
    with_conversations(&store).await;
    let unread = |n| Message {
        unread: true,
        ..message("c", n)
    };
    let rows = vec![
        unread(5),
        unread(1),
        message("c", 2),
        Message {
            deleted: true,
            ..unread(3)
        },
        unread(4),
        Message {
            unread: true,
            ..message("d", 6)
        },
    ];
    insert(&store, rows).await;
    let up_to =
        |n| move |rows: &mut dyn Rows| rows.unread_up_to(&conversation_id("c"), SortKey::server(n));
    let got = read(&store, up_to(4)).await;
    assert_eq!(texts(&got), ["text 1", "text 3", "text 4"]);
    assert!(read(&store, up_to(0)).await.is_empty());
    write(&store, |rows| rows.update_message(&message("c", 1))).await;
    let got = read(&store, up_to(3)).await;
    assert_eq!(texts(&got), ["text 3"]);
}
