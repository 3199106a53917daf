//! The chat of a dispute by its own two calls: all of it at once, oldest first, and one message in.
//! They know nothing of keys: with them, a send whose end is unknown is looked for before it goes
//! again.

use serde_json::json;

use super::{
    history,
    rest::payload,
    rows::{self, Row},
    service::SocketIoService,
};
use crate::{
    adapters::http::{Effect, HttpRequest, status},
    domain::{
        cursor::SyncCursor,
        ids::ConversationId,
        ports::HistoryPage,
        retry::{FailureKind, ServiceError},
    },
};

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
