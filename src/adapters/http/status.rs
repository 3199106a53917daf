//! The one place where an HTTP status becomes a failure the engines can act on.
//!
//! | reply | kind | retry | a send's outcome |
//! |---|---|---|---|
//! | 3xx, 407, 511 | `CaptivePortal` | later | not applied: none of our servers redirects |
//! | a page instead of JSON, 2xx | `CaptivePortal` | later | unknown: something took the request |
//! | a page instead of JSON, 4xx (but 408, 413, 429) | `CaptivePortal` | later | not applied |
//! | 401 | `SignInRequired` | after a fresh token | not applied |
//! | 403 / 404, 410 / 409 | `NotAllowed` / `NotFound` / `Conflict` | never | not applied |
//! | 408 | `TimedOut` | later | unknown |
//! | 425 | `Unavailable` | later | not applied |
//! | 429 | `RateLimited` | when the server says, else later | not applied |
//! | other 4xx | `Invalid` | never | not applied |
//! | 5xx | `Unavailable` | when the server says, else later | unknown |
//! | anything else | `Protocol` | later | unknown |

use crate::{
    adapters::http::HttpReply,
    domain::{
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
        time::WallTime,
    },
};

/// Whether a request changes anything on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads: whatever happens, nothing was applied.
    Read,
    /// It may have taken effect once its bytes left.
    Write,
}

impl Effect {
    /// The outcome of a request whose bytes left and whose answer is missing or useless.
    #[must_use]
    pub const fn once_sent(self) -> Outcome {
        match self {
            Self::Read => Outcome::NotApplied,
            Self::Write => Outcome::Unknown,
        }
    }
}

/// The failure that a reply stands for, whose status or form is no success.
///
/// `code` is the server's machine code, where its body held one; its words are never looked at.
#[must_use]
pub fn refusal(
    reply: &HttpReply,
    code: Option<String>,
    effect: Effect,
    now: WallTime,
) -> ServiceError {
    let (kind, retry, outcome) = if is_portal(reply) {
        portal(reply, effect)
    } else {
        by_status(reply, effect, now)
    };
    let mut error = ServiceError::new(kind, retry, outcome, &sentence(reply));
    error.status = Some(reply.status);
    error.server_code = code;
    error
}

/// An answer that came with a success status, yet is not this protocol's.
#[must_use]
pub fn unreadable(reply: &HttpReply, effect: Effect) -> ServiceError {
    let kind = if reply.is_page() {
        FailureKind::CaptivePortal
    } else {
        FailureKind::Protocol
    };
    let detail = "the answer is not one of this service's";
    let mut error = ServiceError::new(kind, RetryClass::Backoff, effect.once_sent(), detail);
    error.status = Some(reply.status);
    error
}

fn is_portal(reply: &HttpReply) -> bool {
    match reply.status {
        300..=399 | 407 | 511 => true,
        // Front ends answer these with pages of their own, on the service's behalf.
        408 | 413 | 429 | 500..=599 => false,
        _ => reply.is_page(),
    }
}

const fn portal(reply: &HttpReply, effect: Effect) -> (FailureKind, RetryClass, Outcome) {
    let outcome = match reply.status {
        200..=299 => effect.once_sent(),
        _ => Outcome::NotApplied,
    };
    (FailureKind::CaptivePortal, RetryClass::Backoff, outcome)
}

fn by_status(
    reply: &HttpReply,
    effect: Effect,
    now: WallTime,
) -> (FailureKind, RetryClass, Outcome) {
    use FailureKind as K;
    use RetryClass::{AfterReauth, Backoff, Never};
    let not = Outcome::NotApplied;
    let hinted = || reply.retry_after(now).map_or(Backoff, RetryClass::After);
    match reply.status {
        401 => (K::SignInRequired, AfterReauth, not),
        403 => (K::NotAllowed, Never, not),
        404 | 410 => (K::NotFound, Never, not),
        408 => (K::TimedOut, Backoff, effect.once_sent()),
        409 => (K::Conflict { existing: None }, Never, not),
        425 => (K::Unavailable, Backoff, not),
        429 => (K::RateLimited, hinted(), not),
        400..=499 => (K::Invalid, Never, not),
        500..=599 => (K::Unavailable, hinted(), effect.once_sent()),
        _ => (K::Protocol, Backoff, effect.once_sent()),
    }
}

fn sentence(reply: &HttpReply) -> String {
    let said = match reply.status {
        _ if is_portal(reply) => "something between here and the service answered in its place",
        401 => "the service refused the token",
        403 => "the service does not allow this",
        404 | 410 => "the service does not know this",
        409 => "the service has one already",
        429 => "the service asks to slow down",
        500..=599 | 408 | 425 => "the service is in trouble",
        400..=499 => "the service refused the request",
        _ => "the service gave an unexpected answer",
    };
    format!("{said} (HTTP {})", reply.status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn reply(status: u16) -> HttpReply {
        HttpReply {
            status,
            ..HttpReply::default()
        }
    }

    fn map(reply: &HttpReply, effect: Effect) -> ServiceError {
        refusal(reply, None, effect, WallTime::from_millis(0))
    }

    #[test]
    fn l87_every_status_has_one_mapping() {
        use FailureKind as K;
        use Outcome::{NotApplied, Unknown};
        use RetryClass::{AfterReauth, Backoff, Never};
        let table = [
            (302, K::CaptivePortal, Backoff, NotApplied),
            (400, K::Invalid, Never, NotApplied),
            (401, K::SignInRequired, AfterReauth, NotApplied),
            (403, K::NotAllowed, Never, NotApplied),
            (404, K::NotFound, Never, NotApplied),
            (407, K::CaptivePortal, Backoff, NotApplied),
            (408, K::TimedOut, Backoff, Unknown),
            (409, K::Conflict { existing: None }, Never, NotApplied),
            (410, K::NotFound, Never, NotApplied),
            (413, K::Invalid, Never, NotApplied),
            (422, K::Invalid, Never, NotApplied),
            (425, K::Unavailable, Backoff, NotApplied),
            (429, K::RateLimited, Backoff, NotApplied),
            (500, K::Unavailable, Backoff, Unknown),
            (511, K::CaptivePortal, Backoff, NotApplied),
            (599, K::Unavailable, Backoff, Unknown),
            (700, K::Protocol, Backoff, Unknown),
        ];
        for (status, kind, retry, outcome) in table {
            let error = map(&reply(status), Effect::Write);
            assert_eq!(error.status, Some(status));
            assert_eq!(
                (error.kind, error.retry, error.outcome),
                (kind, retry, outcome)
            );
        }
    }

    #[test]
    fn f26_a_read_is_never_uncertain() {
        for status in [408, 500, 503, 200, 700] {
            assert_eq!(
                map(&reply(status), Effect::Read).outcome,
                Outcome::NotApplied
            );
        }
    }

    #[test]
    fn f12_a_page_never_signs_out_and_never_deletes() {
        for status in [400, 401, 403, 404] {
            let page = HttpReply {
                body: "<html>sign in to the hotel</html>".into(),
                ..reply(status)
            };
            assert!(!page.is_unauthorized());
            let error = map(&page, Effect::Write);
            assert_eq!(error.kind, FailureKind::CaptivePortal, "{status}");
            assert_eq!(error.outcome, Outcome::NotApplied);
        }
    }

    #[test]
    fn f12_a_page_with_a_success_status_leaves_a_send_unknown() {
        let page = HttpReply {
            content_type: Some("text/HTML; charset=utf-8".into()),
            ..reply(200)
        };
        assert_eq!(map(&page, Effect::Write).outcome, Outcome::Unknown);
        assert_eq!(
            unreadable(&page, Effect::Write).kind,
            FailureKind::CaptivePortal
        );
    }

    #[test]
    fn f26_the_servers_hint_is_obeyed_on_429_and_503() {
        for status in [429, 503] {
            let hinted = HttpReply {
                retry_after: Some("9".into()),
                ..reply(status)
            };
            let retry = map(&hinted, Effect::Write).retry;
            assert_eq!(retry, RetryClass::After(Duration::from_secs(9)));
        }
    }
}
