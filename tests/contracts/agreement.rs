//! Whatever is done to the stores, both say the same: the port has one meaning.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*};
use tidings::{
    adapters::{
        memory::MemoryRepository,
        sqlite::{Executor, SqliteOptions, SqliteRepository, Synchronous},
    },
    domain::{
        conversation::Conversation,
        delivery::DeliveryState,
        journal::JournalEntry,
        message::Message,
        order::SortKey,
        outbox::OutboxEntry,
        ports::{
            ChatRepository, Durability, RepositoryError, Rows,
            chat_repository::{ConversationFilter, RowResult},
        },
        search::{Search, query::Query},
        time::WallTime,
    },
    testing::repository_contract::samples,
};

/// One step, drawn from few names, keys and places so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    PutConversation(Conversation),
    RemoveConversation(&'static str),
    Insert(Message),
    Update(Message),
    Remove(u32),
    PutOutbox(OutboxEntry),
    RemoveOutbox(u32),
    Append(JournalEntry),
    NextOrder,
}

impl Step {
    fn apply(self, rows: &mut dyn Rows) -> RowResult<()> {
        match self {
            Self::PutConversation(conversation) => rows.put_conversation(&conversation),
            Self::RemoveConversation(name) => {
                rows.remove_conversation(&samples::conversation_id(name))
            }
            Self::Insert(message) => rows.insert_message(&message),
            Self::Update(message) => rows.update_message(&message),
            Self::Remove(n) => rows.remove_message(samples::key(n)),
            Self::PutOutbox(entry) => rows.put_outbox(&entry),
            Self::RemoveOutbox(n) => rows.remove_outbox(samples::key(n)),
            Self::Append(entry) => rows.append_journal(&entry),
            Self::NextOrder => rows.next_order().map(drop),
        }
    }
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES.as_slice())
}

fn conversation() -> impl Strategy<Value = Conversation> {
    let moment = prop::option::of((0..3_i64).prop_map(WallTime::from_millis));
    (name(), any::<bool>(), moment).prop_map(|(name, archived, activity_at)| Conversation {
        archived,
        activity_at,
        ..samples::full_conversation(name)
    })
}

/// Each key has one place in each half, so that no two rows stand at one place.
fn message() -> impl Strategy<Value = Message> {
    let server_id = prop::option::of(prop::sample::select(["s", "t"].as_slice()));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (name(), 1..6_u32, server_id, flags, 0..2_u32).prop_map(
        |(name, n, server_id, (own, placed, deleted, unread), attempts)| Message {
            server_id: server_id.map(samples::server_id),
            key: if placed {
                SortKey::server(i64::from(n))
            } else {
                SortKey::pending(i64::from(n))
            },
            own,
            deleted,
            unread,
            attempts,
            ..samples::message(name, n)
        },
    )
}

fn entry() -> impl Strategy<Value = OutboxEntry> {
    let state = prop::sample::select(DeliveryState::ALL.as_slice());
    (name(), 1..6_u32, state, any::<bool>()).prop_map(|(name, n, state, parked)| OutboxEntry {
        state,
        parked,
        ..samples::entry(name, n)
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => conversation().prop_map(Step::PutConversation),
        1 => name().prop_map(Step::RemoveConversation),
        4 => message().prop_map(Step::Insert),
        4 => message().prop_map(Step::Update),
        1 => (1..6_u32).prop_map(Step::Remove),
        3 => entry().prop_map(Step::PutOutbox),
        1 => (1..6_u32).prop_map(Step::RemoveOutbox),
        2 => (name(), 1..6_u32).prop_map(|(name, n)| Step::Append(samples::journal_entry(name, n))),
        1 => Just(Step::NextOrder),
    ]
}

/// A transaction: its steps, and whether it gives up at the end.
fn transactions() -> impl Strategy<Value = Vec<(Vec<Step>, bool)>> {
    vec((vec(step(), 1..8), prop::bool::weighted(0.2)), 1..12)
}

/// Everything that can be asked, as text.
fn everything(rows: &mut dyn Rows) -> RowResult<String> {
    let list = |include_archived, limit| ConversationFilter {
        include_archived,
        limit,
    };
    let mut told = String::new();
    let mut tell = |name: &str, answer: String| told += &format!("{name}: {answer}\n");
    for filter in [list(true, 0), list(false, 0), list(true, 2), list(false, 1)] {
        tell("conversations", names(&rows.conversations(filter)?));
    }
    for name in NAMES {
        let id = samples::conversation_id(name);
        for deleted in [true, false] {
            let middle = Some(SortKey::server(3));
            tell("page", format!("{:?}", rows.page(&id, None, 2, deleted)?));
            tell(
                "before",
                format!("{:?}", rows.page(&id, middle, 9, deleted)?),
            );
        }
        tell(
            "after",
            format!("{:?}", rows.page_after(&id, SortKey::server(2), 3)?),
        );
        tell("unplaced", format!("{:?}", rows.unplaced(&id)?));
        tell(
            "unread",
            format!("{:?}", rows.unread_up_to(&id, SortKey::pending(3))?),
        );
        for key in [None, Some(SortKey::server(3)), Some(SortKey::pending(2))] {
            tell("above", format!("{:?}", rows.server_key_above(&id, key)?));
            tell("below", format!("{:?}", rows.server_key_below(&id, key)?));
        }
        let known = rows.message_by_server_id(&id, &samples::server_id("s"))?;
        tell("known", format!("{known:?}"));
        tell("outbox", format!("{:?}", rows.outbox(Some(&id))?));
    }
    for n in 1..6 {
        tell("message", format!("{:?}", rows.message(samples::key(n))?));
        tell(
            "journal",
            format!("{:?}", rows.journal_of(samples::key(n))?),
        );
    }
    tell("heads", format!("{:?}", rows.outbox_heads()?));
    tell("outbox", format!("{:?}", rows.outbox(None)?));
    tell("journal", format!("{:?}", rows.journal_after(0, 99)?));
    tell("head", rows.journal_head()?.to_string());
    for (query, conversation) in [("TÉX", None), ("\"text 3\"", None), ("text", Some("a"))] {
        let found = rows.search(&Search {
            query: Query::parse(query),
            conversation: conversation.map(samples::conversation_id),
            before: None,
            limit: 99,
        })?;
        let messages = found.messages.iter().map(|(_, row)| row);
        tell(query, format!("{:?}", messages.collect::<Vec<_>>()));
    }
    Ok(told)
}

fn names(list: &[Conversation]) -> String {
    let names: Vec<&str> = list.iter().map(|one| one.id.as_str()).collect();
    names.join(" ")
}

type Store = Arc<dyn ChatRepository>;

/// Which steps were refused, and everything the store says afterwards.
async fn run(store: &Store, steps: Vec<Step>, gives_up: bool) -> (RowResult<Vec<bool>>, String) {
    let outcome = store.transact(Durability::Normal, move |rows| {
        let outcomes = steps.into_iter().map(|step| step.apply(rows).is_ok());
        let outcomes = outcomes.collect();
        if gives_up {
            return Err(RepositoryError::Full);
        }
        Ok(outcomes)
    });
    let outcome = outcome.await;
    let told = store.view(everything).await;
    (outcome, told.expect("a view"))
}

fn sqlite(home: &tempfile::TempDir, indexed: bool) -> Store {
    let options = SqliteOptions {
        executor: Executor::Inline,
        synchronous: Synchronous::Off,
        ..SqliteOptions::new(home.path().join("chat.db"))
    };
    let store = SqliteRepository::open(options).expect("a store");
    if indexed {
        store.index_at_once();
    }
    store
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn memory_and_sqlite_agree_on_everything(
        transactions in transactions(),
        indexed in any::<bool>(),
    ) {
        let home = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let (left, right): (Store, Store) = (Arc::new(MemoryRepository::new()), sqlite(&home, indexed));
            for (steps, gives_up) in transactions {
                let said = run(&left, steps.clone(), gives_up).await;
                let also = run(&right, steps, gives_up).await;
                prop_assert_eq!(said.0, also.0);
                prop_assert_eq!(said.1, also.1);
            }
            right.close().await;
            Ok(())
        })?;
    }
}
