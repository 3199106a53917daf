//! How many statements a question takes: what a list shows is in its rows, and asked for with them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rusqlite::{
    Connection,
    trace::{TraceEvent, TraceEventCodes},
};

use super::{migrate, rows::SqliteRows, spare::Ledger};
use crate::domain::{
    conversation::{Conversation, ServerConversation},
    ids::{ClientMessageId, ConversationId},
    message::Message,
    order::SortKey,
    ports::{Rows, chat_repository::ConversationFilter},
    rules::editor::{Editor, blank},
};

/// A store with so many conversations, two messages in each, the newer one unread.
fn filled(conversations: u32) -> Connection {
    let mut db = Connection::open_in_memory().expect("a database");
    migrate::run(&mut db).expect("the schema");
    let mut ledger = Ledger::default();
    let mut rows = SqliteRows::writing(&db, &mut ledger);
    for n in 0..conversations {
        let id = ConversationId::parse(&format!("c{n}")).expect("an id");
        let known = Conversation {
            archived: n % 2 == 1,
            ..Conversation::new(ServerConversation::bare(id.clone()))
        };
        rows.put_conversation(&known).expect("a conversation");
        let mut editor = Editor::open(&mut rows, &id).expect("open");
        for at in [2 * n, 2 * n + 1] {
            let key = ClientMessageId::from_bytes(u128::from(at).to_be_bytes());
            let row = Message {
                key: SortKey::server(i64::from(at)),
                unread: at % 2 == 1,
                ..blank(key, &id)
            };
            editor.insert(&row).expect("a message");
        }
        editor.finish().expect("stored");
    }
    drop(rows);
    db
}

/// The statements that listing runs, and what it lists.
fn listing(db: &mut Connection, include_archived: bool) -> (usize, Vec<Conversation>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let note = move |_: TraceEvent<'_>| {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    db.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note))
        .expect("a trace");
    let filter = ConversationFilter {
        include_archived,
        limit: 0,
    };
    let listed = SqliteRows::reading(db).conversations(filter);
    (count.load(Ordering::Relaxed), listed.expect("a list"))
}

#[test]
fn g13_a_list_takes_as_many_statements_for_five_hundred_conversations_as_for_one() {
    for (archived, shown) in [(false, 250), (true, 500)] {
        let (one, _) = listing(&mut filled(1), archived);
        let (many, list) = listing(&mut filled(500), archived);
        assert!(one > 0, "nothing was counted");
        assert_eq!((many, list.len()), (one, shown));
        let whole = |row: &Conversation| row.unread == 1 && row.last_message.is_some();
        assert!(list.iter().all(whole), "what a list shows was not read");
    }
}
