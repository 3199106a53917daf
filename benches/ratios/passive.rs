//! What a process takes that watches a store which another one owns, as a notification extension
//! does: its resident memory, code and all, in a process of its own.

use std::{path::Path, sync::Arc};

use tidings::{
    ChatClient, Config,
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::{
        conversation::ServerConversation,
        ids::ConversationId,
        message::Message,
        ports::{ChatRepository, Durability, chat_repository::ConversationFilter},
        rules::{
            conversations,
            editor::Editor,
            merge::{Merge, Placement, merge},
        },
    },
};

use crate::{
    child::{self, Other},
    device,
    memory::Resident,
    report::Finding,
    store::{self, at, history_row, key, runtime},
};

const CONVERSATIONS: usize = 200;
/// In each conversation.
const MESSAGES: usize = 50;
/// What a notification extension has in all is 24 MB on the oldest systems; half is the app's.
const BOUND: f64 = (12 << 20) as f64;

/// Resident memory of a passive process that has listed all, shows one conversation and has seen a
/// message come into it from the owner.
pub(crate) fn watching() -> Vec<Finding> {
    let home = store::directory();
    let path = home.path().join("chat.db");
    let runtime = runtime();
    let owner = open(&path, false);
    runtime.block_on(fill(&owner));
    runtime.block_on(owner.became_owner());
    let mut other = Other::start(&["passive", path.to_str().unwrap()]);
    assert_eq!(other.ask(), MESSAGES as f64, "what was there is shown");
    runtime.block_on(put(&owner, 0, CONVERSATIONS * MESSAGES));
    assert_eq!(other.ask(), (MESSAGES + 1) as f64, "what came is shown");
    let (now, highest, bare) = (other.ask(), other.ask(), other.ask());
    drop(other);
    runtime.block_on(owner.close());
    // Only Linux tells.
    if now.is_nan() {
        return Vec::new();
    }
    let found = Finding::at_most("passive_memory", now, BOUND, 1)
        .note("highest", highest)
        .note("before", bare)
        .note("conversations", CONVERSATIONS as f64);
    vec![found]
}

fn open(path: &Path, passive: bool) -> Arc<dyn ChatRepository> {
    let options = SqliteOptions {
        shared: true,
        passive,
        ..SqliteOptions::new(path)
    };
    SqliteRepository::open(options).unwrap()
}

fn name(number: usize) -> ConversationId {
    ConversationId::parse(&format!("c0ffee00-0000-4000-8000-{number:012x}")).unwrap()
}

async fn fill(store: &Arc<dyn ChatRepository>) {
    for number in 0..CONVERSATIONS {
        let said = ServerConversation::bare(name(number));
        let known = store.transact(Durability::Normal, move |rows| {
            conversations::upsert(rows, said, at(0)).map(drop)
        });
        known.await.unwrap();
        for message in 0..MESSAGES {
            put(store, number, number * MESSAGES + message).await;
        }
    }
}

/// One message of somebody else's.
async fn put(store: &Arc<dyn ChatRepository>, conversation: usize, number: usize) {
    let page = [history_row(number)];
    let job = store.transact(Durability::Normal, move |rows| {
        let mut editor = Editor::open(rows, &name(conversation))?;
        let request = Merge {
            page: &page,
            placement: Placement::Live,
            proof: None,
            now: at(number),
        };
        merge(&mut editor, request, &mut || key(number))?;
        editor.finish().map(drop)
    });
    job.await.unwrap();
}

/// The child: shows what is there, waits for what comes, and tells what it takes.
pub(crate) fn client(path: &str) {
    let bare = resident(|taken| taken.now);
    runtime().block_on(async {
        let origin = "http://127.0.0.1:9";
        let client = device::client(origin, Config::default(), open(Path::new(path), true)).await;
        let all = ConversationFilter {
            include_archived: true,
            limit: 0,
        };
        let listed = client.conversations(all).await.unwrap();
        assert_eq!(listed.len(), CONVERSATIONS);
        drop(listed);
        let shown = shown(&client).await;
        assert!(!client.is_owner());
        println!("{}", shown.len());
        child::wait();
        println!("{}", resident(|taken| taken.now));
        child::wait();
        println!("{}", resident(|taken| taken.highest));
        child::wait();
        println!("{bare}");
        child::wait();
    });
}

/// The rows of the first conversation, once with those that are there and once with one more.
async fn shown(client: &ChatClient) -> Vec<Message> {
    let mut timeline = client.observe_timeline(name(0), MESSAGES + 1);
    let mut rows: Vec<Message> = Vec::new();
    child::wait();
    for wanted in [MESSAGES, MESSAGES + 1] {
        while rows.len() < wanted {
            for change in device::soon("a change", timeline.next()).await.unwrap() {
                change.apply(&mut rows).unwrap();
            }
        }
        if wanted == MESSAGES {
            println!("{}", rows.len());
            child::wait();
        }
    }
    rows
}

fn resident(part: impl Fn(Resident) -> u64) -> f64 {
    Resident::read().map_or(f64::NAN, |taken| part(taken) as f64)
}
