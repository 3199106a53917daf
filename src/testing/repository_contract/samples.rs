//! Values to store: each field different, each number the seed of one value.

use std::collections::BTreeMap;

use crate::domain::{
    conversation::{
        Context, Conversation, LastMessage, NewConversation, ServerConversation, Status,
    },
    cursor::{SyncCursor, SyncPosition},
    delivery::{DeliveryState, Reason},
    ids::{ClientMessageId, ConversationId, MessageId, UserId},
    journal::JournalEntry,
    message::{Completeness, Message, Overlay, Role},
    order::SortKey,
    outbox::{Action, ActionKind, OutboxEntry, SendMode},
    time::WallTime,
};

/// A conversation's id.
#[must_use]
pub fn conversation_id(name: &str) -> ConversationId {
    ConversationId::parse(name).unwrap()
}

/// The `n`th message's key; they ascend.
#[must_use]
pub fn key(n: u32) -> ClientMessageId {
    let mut entropy = [0; 10];
    entropy[..4].copy_from_slice(&n.to_be_bytes());
    ClientMessageId::mint(
        WallTime::from_millis(1_700_000_000_000 + i64::from(n)),
        entropy,
    )
}

/// A server's message id.
#[must_use]
pub fn server_id(name: &str) -> MessageId {
    MessageId::parse(name).unwrap()
}

/// A conversation of which only the id is known.
#[must_use]
pub fn bare_conversation(name: &str) -> Conversation {
    Conversation::new(ServerConversation::bare(conversation_id(name)))
}

/// A conversation with a value in every field.
#[must_use]
pub fn full_conversation(name: &str) -> Conversation {
    let at = |n| Some(WallTime::from_millis(n));
    Conversation {
        id: conversation_id(name),
        title: Some("mine 🦀".into()),
        archived: true,
        completing: true,
        draft: Some("unsent\0text".into()),
        server: full_server_side(),
        last_message: Some(LastMessage {
            id: key(7),
            role: Role::Other("narrator".into()),
            text: "last".into(),
            at: at(4),
            key: SortKey::server(7),
        }),
        activity_at: at(5),
        unread: u32::MAX,
        stored: u64::MAX,
        read_to: Some(SortKey::server(-3)),
        sync: SyncPosition {
            newest: Some(SyncCursor::new("newest")),
            oldest: Some(SyncCursor::new("")),
            listed: None,
        },
        version: u64::MAX - 1,
    }
}

fn full_server_side() -> ServerConversation {
    let at = |n| Some(WallTime::from_millis(n));
    let attribute = ("tags \"x\"".to_owned(), "a\nb\0".to_owned());
    ServerConversation {
        id: conversation_id("known to the server by another name"),
        persona: Some("coach".into()),
        status: Some(Status::new("pending_approval")),
        title: Some("theirs".into()),
        context: Some(Context {
            kind: "goal".into(),
            id: Some("g1".into()),
        }),
        created_at: at(-1),
        updated_at: at(2),
        last_message_at: at(3),
        participants: ["u1", "ü2"].map(|id| UserId::parse(id).unwrap()).into(),
        attributes: BTreeMap::from([attribute]),
        mark: None,
    }
}

/// A plain message from the server.
#[must_use]
pub fn message(conversation: &str, n: u32) -> Message {
    Message {
        id: key(n),
        conversation: conversation_id(conversation),
        server_id: None,
        role: Role::User,
        sender: None,
        own: false,
        text: format!("text {n}"),
        key: SortKey::server(i64::from(n)),
        state: DeliveryState::Sent,
        attempts: 0,
        left_above: None,
        created_at: None,
        answers: None,
        completeness: Completeness::Complete,
        deleted: false,
        overlay: None,
        unread: false,
        revision: 0,
        gap: None,
        version: 1,
    }
}

/// A message with a value in every field.
#[must_use]
pub fn full_message(conversation: &str, n: u32) -> Message {
    Message {
        server_id: Some(server_id(&format!(" s-{n} "))),
        role: Role::Other("narrator".into()),
        sender: UserId::parse("someone"),
        own: true,
        key: SortKey::pending(i64::from(n)),
        state: DeliveryState::Uncertain,
        attempts: u32::MAX,
        left_above: Some(SortKey::server(i64::from(n) - 1)),
        created_at: Some(WallTime::from_millis(-1)),
        answers: Some(key(n + 1_000)),
        completeness: Completeness::Stopped,
        deleted: true,
        overlay: Some(Overlay::Deleted),
        unread: true,
        revision: u64::MAX,
        version: u64::MAX - 1,
        ..message(conversation, n)
    }
}

/// An outbox entry that waits for its turn.
#[must_use]
pub fn entry(conversation: &str, n: u32) -> OutboxEntry {
    OutboxEntry {
        id: key(n),
        conversation: conversation_id(conversation),
        action: Action::Send {
            text: format!("text {n}"),
        },
        mode: SendMode::Durable,
        state: DeliveryState::Queued,
        order: i64::from(n),
        attempt: 0,
        failures: 0,
        accepted_at: WallTime::from_millis(1),
        expires_at: WallTime::from_millis(2),
        next_attempt_at: None,
        reason: None,
        wire_id: None,
        parked: false,
    }
}

/// An outbox entry with a value in every field.
#[must_use]
pub fn full_entry(conversation: &str, n: u32) -> OutboxEntry {
    OutboxEntry {
        action: Action::Send {
            text: "to\0send 🦀".into(),
        },
        mode: SendMode::Direct,
        state: DeliveryState::Failed,
        attempt: u32::MAX,
        failures: 3,
        next_attempt_at: Some(WallTime::from_millis(i64::MAX)),
        reason: Some(reason()),
        wire_id: Some("wire".into()),
        parked: true,
        ..entry(conversation, n)
    }
}

/// One action of each kind, with a value in every field.
#[must_use]
pub fn actions() -> Vec<Action> {
    let beneath = || "what was\0there".to_owned();
    let context = Context {
        kind: "goal".into(),
        id: Some("g\"1".into()),
    };
    let new = NewConversation {
        key: Some(key(99)),
        persona: Some("coach".into()),
        context: Some(context),
        attributes: BTreeMap::from([("a".to_owned(), "b\n".to_owned())]),
    };
    vec![
        Action::Send {
            text: "to\0send 🦀".into(),
        },
        Action::Create(new),
        Action::Create(NewConversation::default()),
        Action::Complete,
        Action::Edit {
            message: key(50),
            text: "new 🦀".into(),
            beneath: beneath(),
        },
        Action::Delete {
            message: key(50),
            beneath: beneath(),
        },
        Action::MarkRead {
            up_to: server_id(" s-1 "),
        },
        shelf(true, false),
        shelf(false, true),
        shelf(true, true),
        Action::Stop { question: None },
        Action::Stop {
            question: Some(key(51)),
        },
    ]
}

/// Hiding a conversation, or showing it again.
#[must_use]
pub const fn shelf(archived: bool, beneath: bool) -> Action {
    Action::Archive { archived, beneath }
}

/// A reason with a value in every field.
#[must_use]
pub fn reason() -> Reason {
    Reason {
        retry_after_ms: Some(u64::MAX),
        ..Reason::new("rate_limited", true, "too many at once")
    }
}

/// A journal entry as it is before it is stored.
#[must_use]
pub fn journal_entry(conversation: &str, n: u32) -> JournalEntry {
    JournalEntry {
        sequence: 0,
        message: key(n),
        kind: ActionKind::Send,
        conversation: conversation_id(conversation),
        at: WallTime::from_millis(9),
        state: DeliveryState::Queued,
        attempt: 0,
        next_attempt_at: None,
        server_id: None,
        reason: None,
    }
}

/// A journal entry with a value in every field, before it is stored.
#[must_use]
pub fn full_journal_entry(conversation: &str, n: u32) -> JournalEntry {
    JournalEntry {
        kind: ActionKind::Archive,
        state: DeliveryState::Cancelled,
        attempt: 4,
        next_attempt_at: Some(WallTime::from_millis(5)),
        server_id: Some(server_id("there")),
        reason: Some(reason()),
        ..journal_entry(conversation, n)
    }
}
