//! What every failed service call must answer: may it be retried, and did it happen.

use std::{fmt, time::Duration};

use backon::BackoffBuilder;

use crate::domain::ids::ConversationId;

/// May the same call be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// Not as it is: the server, or our own check, turned it down for good.
    Never,
    /// Once, after a fresh token.
    AfterReauth,
    /// Later, by the usual delays.
    Backoff,
    /// Not before this much time has passed; the server said so.
    After(Duration),
}

/// Did the call take effect on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Proved that it did not.
    NotApplied,
    /// Nobody knows: bytes left, no answer came. Never treated as failed.
    Unknown,
    /// It did, this time or an earlier one.
    Applied,
}

/// What went wrong, in the terms the engines act on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureKind {
    /// No route, refused, name not found: the request never left.
    Unreachable,
    /// The server's certificate was not accepted; never bypassed.
    Certificate,
    /// Something between us and the server answered in its place (a login page, a redirect).
    CaptivePortal,
    /// A deadline passed.
    TimedOut,
    /// The connection broke while the call was under way.
    Interrupted,
    /// The token was refused, or there is none.
    SignInRequired,
    /// Signed in, yet not allowed.
    NotAllowed,
    /// The thing named does not exist.
    NotFound,
    /// It exists already.
    Conflict {
        /// The conversation that is there already, where the server named it.
        existing: Option<ConversationId>,
    },
    /// Too many requests.
    RateLimited,
    /// The account's cap on active conversations is reached.
    TooManyActive,
    /// The conversation takes no messages any more.
    NotActive,
    /// The server found the content wrong.
    Invalid,
    /// The server failed or is overloaded.
    Unavailable,
    /// An answer came that is not this protocol's.
    Protocol,
    /// This backend cannot do that.
    Unsupported,
    /// The cursor is no longer known to the server.
    CursorRefused,
}

/// A failed call on a port to a service.
///
/// Holds no body, token or address: `detail` is our own sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// What went wrong.
    pub kind: FailureKind,
    /// May it be tried again.
    pub retry: RetryClass,
    /// Did it happen.
    pub outcome: Outcome,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// The server's own machine code, where it sent one: bounded and printable.
    pub server_code: Option<String>,
    /// One sentence for a log or a person.
    pub detail: String,
}

impl ServiceError {
    /// A failure of which nothing more is known than kind, retry and outcome.
    #[must_use]
    pub fn new(kind: FailureKind, retry: RetryClass, outcome: Outcome, detail: &str) -> Self {
        Self {
            kind,
            retry,
            outcome,
            status: None,
            server_code: None,
            detail: detail.to_owned(),
        }
    }

    /// The request never left: safe to try again.
    #[must_use]
    pub fn unreachable(detail: &str) -> Self {
        Self::new(
            FailureKind::Unreachable,
            RetryClass::Backoff,
            Outcome::NotApplied,
            detail,
        )
    }

    /// Bytes may have left and no answer came.
    #[must_use]
    pub fn unknown(kind: FailureKind, detail: &str) -> Self {
        Self::new(kind, RetryClass::Backoff, Outcome::Unknown, detail)
    }

    /// This backend has no such operation.
    #[must_use]
    pub fn unsupported(operation: &str) -> Self {
        let detail = format!("this backend cannot {operation}");
        Self::new(
            FailureKind::Unsupported,
            RetryClass::Never,
            Outcome::NotApplied,
            &detail,
        )
    }

    /// The stable code of this failure, as listed in the manual.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.kind {
            FailureKind::Unreachable | FailureKind::Interrupted => "network.unreachable",
            FailureKind::Certificate => "network.certificate",
            FailureKind::CaptivePortal => "network.captive_portal",
            FailureKind::TimedOut => "network.timeout",
            FailureKind::SignInRequired => "sign_in_required",
            FailureKind::NotAllowed => "not_allowed",
            FailureKind::NotFound => "not_found",
            FailureKind::Conflict { .. } => "conflict",
            FailureKind::RateLimited => "rate_limited",
            FailureKind::TooManyActive => "conversation.too_many_active",
            FailureKind::NotActive => "conversation.not_active",
            FailureKind::Invalid => "rejected",
            FailureKind::Unavailable => "service.unavailable",
            FailureKind::Protocol => "service.protocol",
            FailureKind::Unsupported => "unsupported",
            FailureKind::CursorRefused => "sync.cursor_refused",
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.detail, self.code())
    }
}

impl std::error::Error for ServiceError {}

/// Delays between tries: base, doubled each time, capped, each drawn between zero and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffPolicy {
    /// The first delay before jitter.
    pub base: Duration,
    /// No delay before jitter is longer.
    pub max: Duration,
}

impl BackoffPolicy {
    /// The delay after the given number of failures in a row (1 = the first), before jitter.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        let delays = backon::ExponentialBuilder::new()
            .with_min_delay(self.base)
            .with_max_delay(self.max)
            .with_factor(2.0)
            .without_max_times();
        let step = usize::try_from(failures.saturating_sub(1).min(32)).unwrap_or(32);
        delays.build().nth(step).unwrap_or(self.max)
    }

    /// The jittered delay: `draw` in `0..=u32::MAX` picks the point between zero and the ceiling.
    #[must_use]
    pub fn delay(&self, failures: u32, draw: u32) -> Duration {
        self.ceiling(failures)
            .mul_f64(f64::from(draw) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_the_cap_and_jitter_stays_below() {
        let policy = BackoffPolicy {
            base: Duration::from_secs(2),
            max: Duration::from_secs(60),
        };
        let seconds: Vec<u64> = (1..=7).map(|n| policy.ceiling(n).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.delay(3, 0), Duration::ZERO);
        assert_eq!(policy.delay(3, u32::MAX), Duration::from_secs(8));
    }
}
