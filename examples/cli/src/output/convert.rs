//! From the SDK's values to the lines of the contract.

use tidings::{
    ChatError,
    domain::{
        conversation::{Context, Conversation, LastMessage},
        delivery::Reason,
        event::ClientEvent,
        journal::JournalEntry,
        message::{Completeness, Message, Overlay},
        outbox::OutboxEntry,
        time::WallTime,
        timeline::TimelineDiff,
    },
};

use super::records::{
    AcceptedRecord, ConnectionRecord, ContextRecord, ConversationRecord, CooldownRecord,
    DeliveryRecord, ErrorRecord, LaggedRecord, LastMessageRecord, MessageRecord, NoticeRecord,
    PresenceRecord, ReasonRecord, ReceiptRecord, Record, SalvagedRecord, StreamRecord, SyncRecord,
    TimelineRecord, TypingRecord, UnknownEventRecord,
};
use crate::failure::{Exit, Failure};

fn text_of(time: Option<WallTime>) -> Option<String> {
    time.map(|time| time.to_string())
}

impl From<&Context> for ContextRecord {
    fn from(context: &Context) -> Self {
        Self {
            kind: context.kind.clone(),
            id: context.id.clone(),
        }
    }
}

impl From<&LastMessage> for LastMessageRecord {
    fn from(last: &LastMessage) -> Self {
        Self {
            id: last.id.to_string(),
            role: last.role.as_str().to_owned(),
            text: last.text.clone(),
            at: text_of(last.at),
        }
    }
}

impl From<&Conversation> for ConversationRecord {
    fn from(row: &Conversation) -> Self {
        let server = &row.server;
        Self {
            id: row.id.to_string(),
            conversation: row.id.to_string(),
            at: text_of(row.activity_at),
            title: row.display_title(),
            persona: server.persona.clone(),
            status: row.status().map(str::to_owned),
            context: server.context.as_ref().map(ContextRecord::from),
            unread: row.unread,
            last_message: row.last_message.as_ref().map(LastMessageRecord::from),
            archived: row.is_archived(),
            participants: server
                .participants
                .iter()
                .map(ToString::to_string)
                .collect(),
            draft: row.draft.clone(),
            existed: None,
        }
    }
}

impl MessageRecord {
    /// A message at its 0-based place in the conversation as stored.
    pub(crate) fn new(position: Option<u64>, row: &Message) -> Self {
        Self {
            id: row.id.to_string(),
            server_id: row.server_id.as_ref().map(ToString::to_string),
            conversation: row.conversation.to_string(),
            at: text_of(row.created_at),
            role: row.role.as_str().to_owned(),
            sender: row.sender.as_ref().map(ToString::to_string),
            text: row.text.clone(),
            state: row.state.as_str(),
            position,
            created_at: text_of(row.created_at),
            deleted: row.deleted,
            pending: row.overlay.map(|overlay| match overlay {
                Overlay::Edited => "edit",
                Overlay::Deleted => "delete",
            }),
            incomplete: row.completeness != Completeness::Complete,
            gap_after: row.gap.is_some(),
            snippet: None,
            marks: Vec::new(),
            cursor: None,
        }
    }
}

impl From<&Message> for AcceptedRecord {
    fn from(row: &Message) -> Self {
        Self {
            id: row.id.to_string(),
            conversation: row.conversation.to_string(),
            at: text_of(row.created_at),
        }
    }
}

impl From<&Reason> for ReasonRecord {
    fn from(reason: &Reason) -> Self {
        Self {
            code: reason.code.clone(),
            retryable: reason.retryable,
            retry_after_ms: reason.retry_after_ms,
            text: reason.text.clone(),
        }
    }
}

impl From<&JournalEntry> for DeliveryRecord {
    fn from(entry: &JournalEntry) -> Self {
        Self {
            id: entry.message.to_string(),
            action: entry.kind.as_str(),
            conversation: entry.conversation.to_string(),
            at: entry.at.to_string(),
            state: entry.state.as_str(),
            server_id: entry.server_id.as_ref().map(ToString::to_string),
            attempt: entry.attempt,
            next_attempt_at: text_of(entry.next_attempt_at),
            reason: entry.reason.as_ref().map(ReasonRecord::from),
        }
    }
}

impl From<&OutboxEntry> for DeliveryRecord {
    fn from(entry: &OutboxEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            action: entry.kind().as_str(),
            conversation: entry.conversation.to_string(),
            at: entry.accepted_at.to_string(),
            state: entry.state.as_str(),
            server_id: None,
            attempt: entry.attempt,
            next_attempt_at: text_of(entry.next_attempt_at),
            reason: entry.reason.as_ref().map(ReasonRecord::from),
        }
    }
}

impl From<&Failure> for ErrorRecord {
    fn from(failure: &Failure) -> Self {
        Self {
            code: failure.code.clone(),
            text: failure.text.clone(),
            field: failure.field,
            retryable: failure.retryable,
            retry_after_ms: failure.retry_after_ms,
            draft: failure.draft.clone(),
        }
    }
}

/// The lines of one change; `base` is the stored place of the first row shown.
pub(crate) fn timeline(conversation: &str, base: u64, change: &TimelineDiff) -> Vec<Record> {
    let line = |change, position: usize, row: &Message| {
        let message = MessageRecord::new(Some(base + position as u64), row);
        Record::Timeline(TimelineRecord {
            conversation: conversation.to_owned(),
            at: message.at.clone(),
            change,
            position,
            message: Some(message),
        })
    };
    match change {
        TimelineDiff::Insert { index, item } => vec![line("insert", *index, item)],
        TimelineDiff::Update { index, item } => vec![line("update", *index, item)],
        TimelineDiff::Remove { index, item } => vec![line("remove", *index, item)],
        TimelineDiff::Reset { items } => {
            let reset = Record::Timeline(TimelineRecord {
                conversation: conversation.to_owned(),
                at: None,
                change: "reset",
                position: 0,
                message: None,
            });
            let rows = items.iter().enumerate();
            let inserts = rows.map(|(place, row)| line("insert", place, row));
            std::iter::once(reset).chain(inserts).collect()
        }
    }
}

/// The line of a passing event; `now` stands for the time where the event has none.
pub(crate) fn event(event: ClientEvent, now: WallTime) -> Option<Record> {
    let at = now.to_string();
    Some(match event {
        ClientEvent::Connection {
            conversation,
            status,
        } => Record::Connection(ConnectionRecord {
            conversation: conversation.to_string(),
            at,
            state: status.state.as_str(),
            transport: status.transport.as_str(),
            retry_at: text_of(status.retry_at),
            reason: status.reason,
        }),
        ClientEvent::Stream {
            conversation,
            id,
            phase,
            offset,
            text,
        } => Record::Stream(StreamRecord {
            id: id.to_string(),
            conversation: conversation.to_string(),
            at,
            phase: phase.as_str(),
            offset,
            text,
        }),
        ClientEvent::Sync {
            conversation,
            phase,
            fetched,
        } => Record::Sync(SyncRecord {
            conversation: conversation.to_string(),
            at,
            phase: phase.as_str(),
            fetched,
        }),
        ClientEvent::Cooldown { until, scope } => Record::Cooldown(CooldownRecord {
            at,
            until: until.to_string(),
            scope,
        }),
        ClientEvent::Unknown { conversation, name } => Record::UnknownEvent(UnknownEventRecord {
            conversation: conversation.to_string(),
            at,
            name,
        }),
        other => return people_or_trouble(other, at),
    })
}

fn people_or_trouble(event: ClientEvent, at: String) -> Option<Record> {
    Some(match event {
        ClientEvent::Typing {
            conversation,
            user,
            active,
        } => Record::Typing(TypingRecord {
            conversation: conversation.to_string(),
            at,
            user: user.map(|user| user.to_string()),
            active,
        }),
        ClientEvent::Presence {
            conversation,
            user,
            online,
            last_seen,
        } => Record::Presence(PresenceRecord {
            conversation: conversation.to_string(),
            at,
            user: user.to_string(),
            online,
            last_seen: text_of(last_seen),
        }),
        ClientEvent::Receipt {
            conversation,
            user,
            up_to,
            read,
        } => Record::Receipt(ReceiptRecord {
            conversation: conversation.to_string(),
            at,
            user: user.to_string(),
            up_to: up_to.to_string(),
            kind: if read { "read" } else { "delivered" },
        }),
        ClientEvent::DraftRestored { conversation, id } => {
            Record::Draft(notice(&conversation.to_string(), &id.to_string(), at))
        }
        ClientEvent::SendTroubled { conversation, id } => {
            Record::Troubled(notice(&conversation.to_string(), &id.to_string(), at))
        }
        ClientEvent::Discontinuity { missed } => Record::Lagged(LaggedRecord { at, missed }),
        ClientEvent::SignInRequired => Record::Error((&sign_in_required()).into()),
        ClientEvent::StoreTroubled { code } => {
            let text = "the store cannot be written: nothing more is taken in until it can";
            Record::Error((&Failure::new(Exit::Store, code, text)).into())
        }
        ClientEvent::StoreSalvaged {
            kept,
            unsent,
            drafts,
            lost,
        } => Record::Salvaged(SalvagedRecord {
            at,
            kept: (!kept.is_empty()).then_some(kept),
            unsent,
            drafts,
            lost,
        }),
        _ => return None,
    })
}

fn notice(conversation: &str, id: &str, at: String) -> NoticeRecord {
    NoticeRecord {
        conversation: conversation.to_owned(),
        at,
        id: id.to_owned(),
    }
}

/// The failure that the event of the same name stands for.
pub(crate) fn sign_in_required() -> Failure {
    ChatError::SignInRequired.into()
}
