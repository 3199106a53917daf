//! The chat of a dispute by its own two calls: all of it at once, oldest first, and one message in.
//! They know nothing of keys: with them, a send whose end is unknown is looked for before it goes
//! again.

use std::fmt;

use serde_json::json;

use super::{
    history,
    rest::payload,
    rows::{self, Row},
    service::SocketIoService,
};
use crate::{
    adapters::{
        http::{Effect, HttpRequest, status},
        json::Object,
    },
    domain::{
        cursor::SyncCursor,
        ids::{ConversationId, MessageId},
        ports::HistoryPage,
        retry::{FailureKind, ServiceError},
    },
};

/// What is known of a dispute beside its messages. Prints no evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DisputeFacts {
    /// What became of it, in the server's word.
    pub status: Option<String>,
    /// Whether the money is held meanwhile.
    pub funds_frozen: Option<bool>,
    /// What its messages carry as evidence, in their order.
    pub evidence: Vec<Evidence>,
}

/// What a message of a dispute carries as evidence.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The message.
    pub message: MessageId,
    /// What kind it is of: `gps`, or any other, since kinds are the server's.
    pub kind: String,
    /// All of it, as the JSON object that the server wrote.
    pub json: String,
}

/// Prints no place of anybody's.
impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// The longest evidence that is passed on.
const LONGEST_EVIDENCE: usize = 64 * 1024;

/// The kind of their contexts.
const KIND: &str = "Dispute";

/// There is nothing behind the whole.
const WHOLE: &str = "whole";

impl SocketIoService {
    /// The dispute that a conversation is about, where its own calls are to be used.
    pub(super) fn dispute(&self, id: &ConversationId) -> Option<String> {
        let context = rows::context_of(id).filter(|context| context.kind == KIND);
        context.filter(|_| self.config.dispute_calls)?.id
    }

    /// What is known of a dispute beside its messages: its state, and the evidence.
    ///
    /// # Errors
    /// `Unsupported` for a conversation about anything else, and without
    /// [`dispute_calls`](super::SocketIoConfig::dispute_calls); else [`ServiceError`] as of any read.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn dispute_facts(
        &self,
        conversation: &ConversationId,
    ) -> Result<DisputeFacts, ServiceError> {
        let Some(dispute) = self.dispute(conversation) else {
            return Err(ServiceError::unsupported("look at a dispute's facts"));
        };
        let request = HttpRequest::get(self.rest(&["disputes", &dispute, "chat"])?);
        let reply = self.succeed(request).await?;
        let read = payload(&reply).and_then(|data| facts(&data));
        read.ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }

    pub(super) async fn dispute_page(
        &self,
        id: &ConversationId,
        dispute: &str,
    ) -> Result<HistoryPage, ServiceError> {
        let request = HttpRequest::get(self.rest(&["disputes", dispute, "chat"])?);
        let reply = match self.succeed(request).await {
            // Nobody has written yet.
            Err(error) if error.kind == FailureKind::NotFound => return Ok(history::nothing()),
            other => other?,
        };
        let me = self.directory.me();
        let read = payload(&reply).and_then(|data| rows::rows(&data, &["messages"], me.as_ref()));
        let (rows, skipped) = read.ok_or_else(|| status::unreadable(&reply, Effect::Read))?;
        for row in &rows {
            self.directory.see(id, row);
        }
        Ok(HistoryPage {
            messages: rows.into_iter().map(|row| row.message).collect(),
            newer: SyncCursor::new(WHOLE),
            skipped,
            ..history::nothing()
        })
    }

    pub(super) async fn post_to_dispute(
        &self,
        dispute: &str,
        text: &str,
    ) -> Result<Option<Row>, ServiceError> {
        let path = ["disputes", dispute, "chat", "messages"];
        let posted = self.post(&path, json!({ "content": text })).await;
        let reply = posted.map_err(over)?;
        let row = payload(&reply).and_then(|said| rows::row(&said, None));
        row.map(Some)
            .ok_or_else(|| status::unreadable(&reply, Effect::Write))
    }
}

fn facts(data: &Object<'_>) -> Option<DisputeFacts> {
    let rows = data.list(&["messages"])?;
    let rows = rows.items.iter().filter_map(|raw| Object::parse(raw));
    Some(DisputeFacts {
        status: data.text(&["disputeStatus", "dispute_status"]),
        funds_frozen: data.flag(&["fundsFrozen", "funds_frozen"]),
        evidence: rows.filter_map(|row| evidence(&row)).collect(),
    })
}

fn evidence(row: &Object<'_>) -> Option<Evidence> {
    let json = row.raw(&["evidence"])?;
    let kind = Object::parse(json)?.text(&["type"]).unwrap_or_default();
    let message = MessageId::parse(&row.id(&["id", "messageId", "message_id"])?)?;
    (json.len() <= LONGEST_EVIDENCE).then(|| Evidence {
        message,
        kind,
        json: json.to_owned(),
    })
}

/// What conflicts with a new message is that the dispute is resolved.
fn over(error: ServiceError) -> ServiceError {
    match error.kind {
        FailureKind::Conflict { .. } => ServiceError {
            kind: FailureKind::NotActive,
            ..error
        },
        _ => error,
    }
}
