//! What an auditor reads: every message with its text, those that were deleted too.
//!
//! It is read and shown, and nothing of it is stored: on the device a deleted message is a tombstone
//! for everybody, and what a user took away does not come back with an auditor's phone.

use super::{
    history,
    rest::payload,
    rows::{self, AuditRow},
    service::SocketIoService,
};
use crate::{
    adapters::http::{Effect, HttpRequest, status},
    domain::{
        ids::{ConversationId, MessageId},
        retry::ServiceError,
    },
};

/// A part of a channel's history as auditors see it, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPage {
    /// The messages.
    pub messages: Vec<AuditRow>,
    /// Ask for what is before this one; `None` at the beginning.
    pub before: Option<MessageId>,
    /// Rows that could not be read.
    pub skipped: usize,
}

impl SocketIoService {
    /// Reads messages with their texts, whether or not they were deleted: the newest, or those before
    /// one; at most `limit`, and at most a page of the server's.
    ///
    /// # Errors
    /// `Unsupported` without [`audit`](super::SocketIoConfig::audit); `NotAllowed` where the server
    /// does not let this account; else [`ServiceError`] as of any read.
    ///
    /// # Cancel safety
    /// Nothing is changed.
    pub async fn audit(
        &self,
        conversation: &ConversationId,
        before: Option<&MessageId>,
        limit: usize,
    ) -> Result<AuditPage, ServiceError> {
        if !self.config.audit {
            return Err(ServiceError::unsupported("read what was deleted"));
        }
        let Some(channel) = self.channel_id(conversation).await? else {
            return Ok(AuditPage {
                messages: Vec::new(),
                before: None,
                skipped: 0,
            });
        };
        let limit = limit.clamp(1, self.config.page.max(1));
        let mut url = self.rest(&["channels", &channel, "messages"])?;
        url.query_pairs_mut()
            .append_pair("audit", "true")
            .append_pair("limit", &limit.to_string())
            .extend_pairs(before.map(|id| ("before", id.as_str())));
        let reply = match self.succeed(HttpRequest::get(url)).await {
            Err(error) if error.status == Some(410) => return Err(history::cursor_refused()),
            other => other?,
        };
        let me = self.directory.me();
        let read = payload(&reply).and_then(|data| rows::audited(&data, me.as_ref(), limit));
        read.ok_or_else(|| status::unreadable(&reply, Effect::Read))
    }
}
