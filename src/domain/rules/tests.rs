//! The rules, over the store that keeps everything in maps.

mod acting;
mod answering;
mod changing;
mod finding_back;
mod merging;
mod settling;

use std::time::Duration;

use crate::{
    adapters::memory::MemoryRepository,
    domain::{
        conversation::Conversation,
        cursor::{Gap, SyncCursor},
        delivery::{DeliveryState, Reason},
        event::SendReceipt,
        ids::{ClientMessageId, ConversationId, MessageId},
        journal::JournalEntry,
        message::{Message, Role, ServerMessage},
        outbox::SendMode,
        ports::{ChatRepository, Durability, Rows, chat_repository::RowResult},
        rules::{
            accept::{self, Accept},
            attempt,
            editor::Editor,
            merge::{self, Merge, Merged, Placement},
            settle::{self, Settled, Settlement},
        },
        time::WallTime,
    },
};

const NOW: WallTime = WallTime::from_millis(1_800_000_000_000);

fn key(n: u32) -> ClientMessageId {
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&n.to_be_bytes());
    ClientMessageId::mint(NOW, entropy)
}

fn chat() -> ConversationId {
    ConversationId::parse("c1").expect("a name")
}

fn theirs(name: &str, text: &str) -> ServerMessage {
    row(name, Role::Assistant, text)
}

fn mine(name: &str, text: &str) -> ServerMessage {
    row(name, Role::User, text)
}

fn row(name: &str, role: Role, text: &str) -> ServerMessage {
    ServerMessage {
        id: MessageId::parse(name).expect("a name"),
        client_id: None,
        own: role == Role::User,
        role,
        sender: None,
        text: text.to_owned(),
        created_at: None,
        sequence: None,
        revision: 0,
        deleted: false,
    }
}

/// A store, and keys from 1,000 on for what the server brings.
struct Desk {
    store: MemoryRepository,
    minted: u32,
}

impl Desk {
    fn new() -> Self {
        Self {
            store: MemoryRepository::new(),
            minted: 1_000,
        }
    }

    fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
    ) -> T {
        use futures_util::FutureExt;
        let store: &dyn ChatRepository = &self.store;
        let done = store.transact(Durability::Normal, job).now_or_never();
        done.expect("a store in memory waits for nothing")
            .expect("a rule that holds")
    }

    /// Accepts an own message.
    fn accept(&self, n: u32, text: &str, mode: SendMode) -> ClientMessageId {
        let request = Accept {
            id: key(n),
            conversation: chat(),
            text: text.to_owned(),
            mode,
            now: NOW,
            expiry: Duration::from_secs(60),
        };
        self.write(move |rows| accept::accept(rows, request)).id
    }

    /// Accepts an own message and puts it on the wire.
    fn send(&self, n: u32, text: &str) -> ClientMessageId {
        let id = self.accept(n, text, SendMode::Durable);
        self.transmit(id);
        id
    }

    fn transmit(&self, id: ClientMessageId) {
        let left = self.write(move |rows| attempt::record_attempt(rows, id, None, NOW));
        assert!(left.is_some());
    }

    fn settle(&mut self, id: ClientMessageId, settlement: Settlement) -> Settled {
        self.minted += 100;
        let mut next = self.minted;
        self.write(move |rows| {
            let mut mint = || {
                next += 1;
                key(next)
            };
            settle::settle(rows, id, settlement, Placement::Live, NOW, &mut mint)
        })
    }

    /// The confirmation over a socket: it carries nothing.
    fn acknowledged(&mut self, id: ClientMessageId) {
        self.settle(id, Settlement::Applied(SendReceipt::default()));
    }

    fn merge(&mut self, page: &[ServerMessage], placement: Placement) -> Merged {
        self.minted += 100;
        let (mut next, page) = (self.minted, page.to_vec());
        self.write(move |rows| {
            let mut mint = || {
                next += 1;
                key(next)
            };
            let mut editor = Editor::open(rows, &chat())?;
            let request = Merge {
                page: &page,
                placement,
                proof: None,
                now: NOW,
            };
            let merged = merge::merge(&mut editor, request, &mut mint)?;
            editor.finish()?;
            Ok(merged)
        })
    }

    fn read(&mut self, page: &[ServerMessage]) -> Merged {
        self.merge(page, Placement::Newer)
    }

    /// The history is stored as far as this cursor.
    fn has_read_to(&self, cursor: &'static str) {
        self.write(move |rows| {
            let mut editor = Editor::open(rows, &chat())?;
            editor.conversation_mut().sync.newest = Some(SyncCursor::new(cursor));
            editor.finish()
        });
    }

    fn push(&mut self, row: ServerMessage) -> Merged {
        self.merge(&[row], Placement::Live)
    }

    fn rows(&self) -> Vec<Message> {
        self.write(|rows| rows.page(&chat(), None, 1_000, true))
    }

    fn texts(&self) -> Vec<String> {
        self.rows().into_iter().map(|row| row.text).collect()
    }

    fn message(&self, id: ClientMessageId) -> Option<Message> {
        self.write(move |rows| rows.message(id))
    }

    fn state(&self, id: ClientMessageId) -> DeliveryState {
        self.message(id).expect("the row").state
    }

    fn conversation(&self) -> Conversation {
        self.write(|rows| rows.conversation(&chat()))
            .expect("the conversation")
    }

    fn journal(&self, id: ClientMessageId) -> Vec<JournalEntry> {
        self.write(move |rows| rows.journal_of(id))
    }
}

fn because() -> Reason {
    Reason::new("network.timeout", true, "no answer")
}

fn lost() -> Settlement {
    Settlement::Lost {
        reason: because(),
        next_attempt_at: None,
    }
}

fn not_applied() -> Settlement {
    Settlement::NotApplied {
        reason: because(),
        next_attempt_at: Some(NOW),
    }
}
