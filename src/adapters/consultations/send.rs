//! Sending by a request of its own, and the three ways in which the server says "finished chat".

use serde_json::json;

use crate::{
    adapters::{
        consultations::{
            envelope::{Complaint, Envelope},
            service::{ConsultationsService, finished},
            wire,
        },
        http::{Effect, HttpReply, HttpRequest, status},
        json::Object,
    },
    domain::{
        event::SendReceipt,
        ids::ConversationId,
        message::{Role, ServerMessage},
        ports::Outgoing,
        retry::{FailureKind, ServiceError},
    },
};

impl ConsultationsService {
    pub(super) async fn post_message(
        &self,
        outgoing: &Outgoing,
    ) -> Result<SendReceipt, ServiceError> {
        let url = self.rest(&outgoing.conversation, &["messages"])?;
        let body = json!({ "content": outgoing.text }).to_string();
        let mut request = HttpRequest::post(url, Some(body)).within(self.config.attempt_timeout);
        if self.config.extensions {
            request = request.header("idempotency-key", &outgoing.id.to_string());
        }
        let reply = self.call(request).await?;
        if reply.is_success() && !reply.is_page() {
            return receipt(&reply).ok_or_else(|| status::unreadable(&reply, Effect::Write));
        }
        let complaint = Complaint::read(&reply.body);
        let error = self.refusal(&reply, &complaint, Effect::Write);
        Err(self.finished_or(error, &outgoing.conversation).await)
    }

    /// Servers of one version say 400 to a finished conversation, those of another 403, and not
    /// all of them with a code: then the conversation's own status tells which it was.
    async fn finished_or(&self, mut error: ServiceError, id: &ConversationId) -> ServiceError {
        let ambiguous = matches!(error.kind, FailureKind::Invalid | FailureKind::NotAllowed)
            && matches!(error.status, Some(400 | 403));
        if !ambiguous {
            return error;
        }
        let status = self
            .fetch(id)
            .await
            .ok()
            .and_then(|f| f.conversation.status);
        if status.is_some_and(|status| !status.is_writable()) {
            finished(&mut error);
        }
        error
    }
}

/// Reads the answer to a send; `None` where it is not this protocol's, so that nobody knows.
fn receipt(reply: &HttpReply) -> Option<SendReceipt> {
    if reply.body.trim().is_empty() {
        return Some(SendReceipt::default());
    }
    let envelope = Envelope::open(&reply.body)?;
    let data = &envelope.data;
    let row = |names: &[&str], role| wire::message(&data.object(names)?, Some(role));
    let sent = row(&["user_message", "message"], Role::User);
    let answer =
        row(&["assistant_message", "response"], Role::Assistant).or_else(|| first_answer(data));
    let read = if sent.is_none() && answer.is_none() {
        bare(data)
    } else {
        SendReceipt {
            message: sent,
            answer,
        }
    };
    let known = envelope.wrapped || read != SendReceipt::default();
    (known && envelope.success != Some(false)).then_some(read)
}

fn first_answer(data: &Object<'_>) -> Option<ServerMessage> {
    let (answers, _) = wire::messages(data, &["assistant_messages"]);
    answers.into_iter().next()
}

/// A message without a wrapper: the user's own, unless it says otherwise.
fn bare(data: &Object<'_>) -> SendReceipt {
    let mut receipt = SendReceipt::default();
    match wire::message(data, Some(Role::User)) {
        Some(answer) if answer.role == Role::Assistant => receipt.answer = Some(answer),
        other => receipt.message = other,
    }
    receipt
}
