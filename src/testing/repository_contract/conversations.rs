//! Conversations: their fields, their list, their end.

use super::{Store, read, samples::*, write};
use crate::domain::{
    conversation::{Conversation, Status},
    ports::{Durability, chat_repository::ConversationFilter},
    time::WallTime,
};

const EVERYTHING: ConversationFilter = ConversationFilter {
    include_archived: true,
    limit: 0,
};

/// What is put comes back, every field of it.
pub async fn conversation_round_trips_with_every_field(store: Store) {
    for sent in [bare_conversation("bare"), full_conversation("full")] {
        let copy = sent.clone();
        write(&store, move |rows| rows.put_conversation(&copy)).await;
        let id = sent.id.clone();
        let got = read(&store, move |rows| rows.conversation(&id)).await;
        assert!(got.as_ref() == Some(&sent), "{got:?} is not {sent:?}");
    }
    let unknown = conversation_id("BARE");
    assert!(
        read(&store, move |rows| rows.conversation(&unknown))
            .await
            .is_none()
    );
}

/// A second put replaces all fields, those that become absent included.
pub async fn conversation_put_again_keeps_nothing_of_the_old(store: Store) {
    for sent in [
        full_conversation("c"),
        bare_conversation("c"),
        full_conversation("c"),
    ] {
        let copy = sent.clone();
        write(&store, move |rows| rows.put_conversation(&copy)).await;
        let all = read(&store, |rows| rows.conversations(EVERYTHING)).await;
        assert!(all == [sent], "{all:?}");
    }
}

fn active(name: &str, at: Option<i64>) -> Conversation {
    Conversation {
        activity_at: at.map(WallTime::from_millis),
        ..bare_conversation(name)
    }
}

async fn put_all(store: &Store, all: Vec<Conversation>) {
    write(store, move |rows| {
        all.iter().try_for_each(|one| rows.put_conversation(one))
    })
    .await;
}

async fn names(store: &Store, filter: ConversationFilter) -> Vec<String> {
    let list = read(store, move |rows| rows.conversations(filter)).await;
    list.iter().map(|one| one.id.to_string()).collect()
}

/// Newest first, ties by id, those without any activity last; a limit cuts the tail.
pub async fn conversations_come_by_activity_then_by_id(store: Store) {
    let all = vec![
        active("never", None),
        active("b", Some(2)),
        active("old", Some(-5)),
        active("a", Some(2)),
        active("new", Some(3)),
        active("B", Some(2)),
    ];
    put_all(&store, all).await;
    let order = ["new", "B", "a", "b", "old", "never"];
    let filter = ConversationFilter::default();
    assert_eq!(names(&store, filter).await, order);
    assert_eq!(names(&store, EVERYTHING).await, order);
    let two = ConversationFilter { limit: 2, ..filter };
    assert_eq!(names(&store, two).await, ["new", "B"]);

    put_all(&store, vec![active("old", Some(9))]).await;
    assert_eq!(names(&store, two).await, ["old", "new"]);
}

/// Archived here or by the server: both are hidden, and both come back.
pub async fn archived_conversations_are_listed_only_when_asked_for(store: Store) {
    let here = Conversation {
        archived: true,
        ..active("here", Some(3))
    };
    let mut there = active("there", Some(2));
    there.server.status = Some(Status::new("archived"));
    put_all(&store, vec![here, there, active("open", Some(1))]).await;
    assert_eq!(names(&store, ConversationFilter::default()).await, ["open"]);
    assert_eq!(names(&store, EVERYTHING).await, ["here", "there", "open"]);

    put_all(&store, vec![active("here", Some(3))]).await;
    let listed = names(&store, ConversationFilter::default()).await;
    assert_eq!(listed, ["here", "open"]);
}

/// Messages, entries and journal go too; the neighbour's stay; what is unknown is no error.
pub async fn removed_conversation_takes_its_rows_and_no_others(store: Store) {
    write(&store, |rows| {
        for (name, n) in [("doomed", 1), ("kept", 2)] {
            rows.put_conversation(&full_conversation(name))?;
            rows.insert_message(&full_message(name, n))?;
            rows.put_outbox(&entry(name, n))?;
            rows.append_journal(&journal_entry(name, n))?;
        }
        // A row that went earlier leaves its journal to the conversation.
        rows.append_journal(&journal_entry("doomed", 3))
    })
    .await;
    let doomed = conversation_id("doomed");
    write(&store, move |rows| {
        rows.remove_conversation(&conversation_id("unknown"))?;
        rows.remove_conversation(&doomed)
    })
    .await;
    read(&store, |rows| {
        assert!(rows.conversation(&conversation_id("doomed"))?.is_none());
        assert!(rows.message(key(1))?.is_none());
        assert!(rows.outbox_entry(key(1))?.is_none());
        let kept = rows.message(key(2))?;
        assert!(kept == Some(full_message("kept", 2)));
        assert_eq!(rows.outbox(None)?, [entry("kept", 2)]);
        let journal = rows.journal_after(0, 10)?;
        assert!(
            journal.iter().all(|entry| entry.message == key(2)),
            "{journal:?}"
        );
        assert_eq!(journal.len(), 1);
        Ok(())
    })
    .await;
    write(&store, |rows| {
        rows.put_conversation(&bare_conversation("doomed"))
    })
    .await;
    let back = conversation_id("doomed");
    let rows = read(&store, move |rows| rows.page(&back, None, 10, true)).await;
    assert!(rows.is_empty(), "{rows:?}");
}

/// Messages, entries and journal go over, in their order; nobody else's do.
pub async fn rows_move_from_one_conversation_to_another(store: Store) {
    write(&store, |rows| {
        for (name, n) in [("from", 1), ("to", 2), ("other", 3)] {
            rows.put_conversation(&bare_conversation(name))?;
            rows.insert_message(&full_message(name, n))?;
            rows.put_outbox(&entry(name, n))?;
            rows.append_journal(&journal_entry(name, n))?;
        }
        rows.move_rows(&conversation_id("from"), &conversation_id("to"))?;
        rows.remove_conversation(&conversation_id("from"))
    })
    .await;
    read(&store, |rows| {
        let to = conversation_id("to");
        assert!(rows.message(key(1))? == Some(full_message("to", 1)));
        let page = rows.page(&to, None, 9, true)?;
        assert_eq!(
            page.iter().map(|row| row.id).collect::<Vec<_>>(),
            [key(1), key(2)]
        );
        let known = rows.message_by_server_id(&to, &server_id(" s-1 "))?;
        assert!(known.is_some());
        assert!(rows.outbox(Some(&to))? == [entry("to", 1), entry("to", 2)]);
        let told = rows.journal_of(key(1))?;
        assert!(told.iter().all(|entry| entry.conversation == to) && told.len() == 1);
        assert_eq!(rows.journal_after(0, 9)?.len(), 3);
        assert!(rows.outbox_entry(key(3))? == Some(entry("other", 3)));
        Ok(())
    })
    .await;
    let nowhere = store.transact(Durability::Normal, |rows| {
        rows.move_rows(&conversation_id("to"), &conversation_id("nowhere"))
    });
    assert!(nowhere.await.is_err());
    assert!(read(&store, |rows| rows.message(key(1))).await.is_some());
}
