//! What the server's refusals mean: an `exception`, an answer that is none, an error of REST.

use std::time::Duration;

use serde_json::Value;

use super::packet::Arguments;
use crate::{
    adapters::{
        http::{Effect, HttpReply, status},
        json::Object,
        printable,
    },
    domain::{
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        time::WallTime,
    },
};

/// What a gateway says where its own code broke: no refusal, and nobody knows what was done.
const CRASHED: &str = "Internal server error";

/// What an `exception` tells.
#[derive(Debug, Default)]
pub(super) struct Complaint {
    code: Option<String>,
    crashed: bool,
    pattern: Option<String>,
    data: Option<Value>,
}

impl Complaint {
    /// Reads an exception in any form; what it does not tell stays open.
    pub(super) fn read(arguments: &Arguments) -> Self {
        let Some(object) = arguments.json(0).and_then(Object::parse) else {
            return Self::default();
        };
        let cause = object.object(&["cause"]).unwrap_or_default();
        let data = cause.raw(&["data"]);
        Self {
            code: code(&object),
            crashed: object.text(&["message"]).as_deref() == Some(CRASHED),
            pattern: cause.text(&["pattern"]),
            data: data.and_then(|data| serde_json::from_str(data).ok()),
        }
    }

    /// Whether it was thrown at this question.
    pub(super) fn fits(&self, event: &str, data: &Value) -> bool {
        let same = self.data.as_ref().is_none_or(|named| named == data);
        self.pattern.as_deref() == Some(event) && same
    }

    /// The failure it stands for.
    pub(super) fn error(&self) -> ServiceError {
        if self.crashed && self.code.is_none() {
            let detail = "the service broke over the request";
            return ServiceError::unknown(FailureKind::Unavailable, detail);
        }
        by_code(self.code.clone())
    }
}

/// The refusal in an answer that says it is not `ok`.
pub(super) fn in_answer(arguments: &Arguments) -> Option<ServiceError> {
    let object = Object::parse(arguments.json(0)?)?;
    if object.flag(&["ok"]) != Some(false) {
        return None;
    }
    let error = object.object(&["error"]);
    Some(by_code(
        error.as_ref().and_then(code).or_else(|| code(&object)),
    ))
}

/// A refusal over the socket: the request was heard and turned down.
fn by_code(code: Option<String>) -> ServiceError {
    use FailureKind as K;
    use RetryClass::{AfterReauth, Backoff, Never};
    let (kind, retry, detail) = match code.as_deref() {
        Some("AUTH_REQUIRED" | "AUTH_INVALID") => (
            K::SignInRequired,
            AfterReauth,
            "the service refused the token",
        ),
        Some("AUTH_INSUFFICIENT_PERMISSIONS") => {
            (K::NotAllowed, Never, "the service does not allow this")
        }
        Some("RESOURCE_NOT_FOUND") => (K::NotFound, Never, "the service does not know this"),
        Some("RESOURCE_CONFLICT") => (K::NotActive, Never, "this channel takes no more messages"),
        Some("RATE_LIMIT_EXCEEDED") => (K::RateLimited, Backoff, "the service asks to slow down"),
        Some("NETWORK_ERROR") => (K::Unavailable, Backoff, "the service is in trouble"),
        _ => (K::Invalid, Never, "the service refused the request"),
    };
    let mut error = ServiceError::new(kind, retry, Outcome::NotApplied, detail);
    error.server_code = code;
    error
}

/// The failure that a reply of REST stands for, in any of the three forms of its body.
pub(super) fn of_reply(reply: &HttpReply, effect: Effect, now: WallTime) -> ServiceError {
    let said = Object::parse(&reply.body).unwrap_or_default();
    let nested = said.object(&["error"]).unwrap_or_default();
    let code = code(&nested).or_else(|| code(&said));
    let mut error = status::refusal(reply, code, effect, now);
    if let (FailureKind::RateLimited, RetryClass::Backoff) = (&error.kind, error.retry) {
        let details = nested.object(&["details"]).unwrap_or_default();
        let seconds = details
            .count(&["retryAfter"])
            .and_then(|s| u64::try_from(s).ok());
        let seconds = seconds.or_else(|| until_reset(reply, now));
        error.retry = seconds.map_or(RetryClass::Backoff, |seconds| {
            RetryClass::After(Duration::from_secs(seconds.min(LONGEST_WAIT)))
        });
    }
    error
}

/// How long until the server counts anew, where it says so and nothing else; a moment that is past by
/// our clock says nothing.
fn until_reset(reply: &HttpReply, now: WallTime) -> Option<u64> {
    let at: i64 = reply.limit_reset.as_deref()?.trim().parse().ok()?;
    let left = at.checked_mul(1000)?.checked_sub(now.as_millis())?;
    u64::try_from(left)
        .ok()
        .filter(|left| *left > 0)
        .map(|left| left.div_ceil(1000))
}

/// A server that asks for more than a day means something else.
const LONGEST_WAIT: u64 = 24 * 60 * 60;

/// Whether a reply refuses the token: by its status, or by a 403 whose code says so.
pub(super) fn refuses_token(reply: &HttpReply) -> bool {
    if reply.is_unauthorized() {
        return true;
    }
    let coded = || {
        let said = Object::parse(&reply.body)?;
        code(&said.object(&["error"])?)
    };
    reply.status == 403
        && coded().is_some_and(|code| code == "AUTH_INVALID" || code == "AUTH_REQUIRED")
}

fn code(object: &Object<'_>) -> Option<String> {
    printable::code(&object.text(&["code"])?)
}

#[cfg(test)]
mod tests;
