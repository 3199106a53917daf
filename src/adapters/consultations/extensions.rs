//! What the reference backend adds to this protocol: stop, edit, delete and a read marker.
//!
//! Only used where the configuration says that the server has them.

use http::Method;
use serde_json::json;
use url::Url;

use crate::{
    adapters::{
        consultations::{envelope::Envelope, service::ConsultationsService, wire},
        http::{Effect, HttpRequest, status},
    },
    domain::{
        cursor::HistoryRange,
        ids::{ConversationId, MessageId},
        message::ServerMessage,
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// How many pages back a message is looked for to learn its number.
const MOST_PAGES: usize = 10;

impl ConsultationsService {
    pub(super) async fn post_stop(&self, id: &ConversationId) -> Result<(), ServiceError> {
        self.needs_extensions("stop an answer")?;
        let request = HttpRequest::post(self.rest(id, &["stop"])?, None);
        self.succeed(request).await.map(|_| ())
    }

    pub(super) async fn patch_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
        text: &str,
    ) -> Result<ServerMessage, ServiceError> {
        self.needs_extensions("edit a message")?;
        let body = json!({ "content": text }).to_string();
        let url = self.message_url(id, message)?;
        let reply = self
            .succeed(HttpRequest::write(Method::PATCH, url, Some(body)))
            .await?;
        let read = Envelope::open(&reply.body).and_then(|e| wire::message(&e.data, None));
        read.ok_or_else(|| status::unreadable(&reply, Effect::Write))
    }

    pub(super) async fn remove_message(
        &self,
        id: &ConversationId,
        message: &MessageId,
    ) -> Result<(), ServiceError> {
        self.needs_extensions("delete a message")?;
        let request = HttpRequest::write(Method::DELETE, self.message_url(id, message)?, None);
        match self.succeed(request).await {
            Err(error) if error.kind != FailureKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The server's marker is a number: it is looked up, from the newest message backwards.
    pub(super) async fn put_read_marker(
        &self,
        id: &ConversationId,
        up_to: &MessageId,
    ) -> Result<(), ServiceError> {
        self.needs_extensions("mark as read")?;
        let sequence = self.sequence_of(id, up_to).await?;
        let body = json!({ "up_to_seq": sequence }).to_string();
        let url = self.rest(id, &["read"])?;
        let request = HttpRequest::write(Method::PUT, url, Some(body));
        self.succeed(request).await.map(|_| ())
    }

    async fn sequence_of(
        &self,
        id: &ConversationId,
        wanted: &MessageId,
    ) -> Result<i64, ServiceError> {
        let mut range = HistoryRange::Newest;
        for _ in 0..MOST_PAGES {
            let page = self.history_page(id, &range, self.config.page).await?;
            let found = page.messages.iter().find(|m| m.id == *wanted);
            if let Some(sequence) = found.and_then(|m| m.sequence) {
                return Ok(sequence);
            }
            let Some(older) = page.older else { break };
            range = HistoryRange::Before(older);
        }
        Err(refused(
            FailureKind::NotFound,
            "the message to mark is not in the history",
        ))
    }

    fn message_url(&self, id: &ConversationId, message: &MessageId) -> Result<Url, ServiceError> {
        self.rest(id, &["messages", message.as_str()])
    }

    fn needs_extensions(&self, verb: &str) -> Result<(), ServiceError> {
        match self.config.extensions {
            true => Ok(()),
            false => Err(ServiceError::unsupported(verb)),
        }
    }
}

fn refused(kind: FailureKind, detail: &str) -> ServiceError {
    ServiceError::new(kind, RetryClass::Never, Outcome::NotApplied, detail)
}
