//! The public error: what went wrong, said as what the app should do.

use std::time::Duration;

use crate::domain::{
    delivery::Reason,
    ids::ConversationId,
    ports::RepositoryError,
    retry::{FailureKind, Outcome, RetryClass, ServiceError},
    text::TextError,
};

/// Everything a call of this SDK can fail with.
///
/// [`Self::code`] is stable and listed in the manual; the wording is not. [`Self::is_retryable`]
/// answers "may I try again", [`Self::outcome`] "did it happen".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// Fix the named input.
    #[error("{text}")]
    InvalidInput {
        /// What to fix.
        field: &'static str,
        /// Stable code.
        code: &'static str,
        /// One sentence.
        text: String,
    },
    /// Ask the user to sign in.
    #[error("the session has ended: sign in again")]
    SignInRequired,
    /// The account may not do this.
    #[error("not allowed: {0}")]
    NotAllowed(String),
    /// There is no such thing.
    #[error("not found: {0}")]
    NotFound(String),
    /// It exists already.
    #[error("it exists already")]
    Conflict {
        /// The one that is there, where the server named it.
        existing: Option<ConversationId>,
    },
    /// Wait, then try again.
    #[error("too many requests: wait before trying again")]
    RateLimited {
        /// How long to wait, where the server said.
        retry_after: Option<Duration>,
    },
    /// The account's cap on active conversations is reached: complete or delete one.
    #[error("too many active conversations: complete or delete one first")]
    TooManyActive,
    /// No network; for calls that need one.
    #[error("{text}")]
    Offline {
        /// Stable code of the kind of network failure.
        code: &'static str,
        /// One sentence.
        text: String,
    },
    /// Free some space; nothing was stored.
    #[error("the disk is full: free some space, nothing was stored")]
    StorageFull,
    /// The store cannot be used.
    #[error("{text}")]
    StorageUnavailable {
        /// Stable code.
        code: &'static str,
        /// One sentence.
        text: String,
    },
    /// The client was shut down.
    #[error("the client is closed")]
    Closed,
    /// The service failed; try again later.
    #[error("{text}")]
    ServiceUnavailable {
        /// Stable code.
        code: &'static str,
        /// One sentence.
        text: String,
    },
    /// Nobody knows whether it happened; history will tell.
    #[error("the outcome is unknown: it is settled when the history can be read")]
    OutcomeUnknown,
    /// This backend cannot do that.
    #[error("{0}")]
    Unsupported(String),
    /// The conversation takes no messages any more.
    #[error("the conversation is not active: open or create another one")]
    NotActive,
    /// The server turned it down.
    #[error("{text}")]
    Rejected {
        /// Stable code.
        code: String,
        /// One sentence.
        text: String,
    },
    /// A bug of ours: report the code.
    #[error("internal error: {code}")]
    Internal {
        /// What broke.
        code: String,
    },
}

impl ChatError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::InvalidInput { code, .. }
            | Self::Offline { code, .. }
            | Self::StorageUnavailable { code, .. }
            | Self::ServiceUnavailable { code, .. } => code,
            Self::SignInRequired => "sign_in_required",
            Self::NotAllowed(_) => "not_allowed",
            Self::NotFound(_) => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::RateLimited { .. } => "rate_limited",
            Self::TooManyActive => "conversation.too_many_active",
            Self::StorageFull => "store.full",
            Self::Closed => "closed",
            Self::OutcomeUnknown => "send.outcome_unknown",
            Self::Unsupported(_) => "unsupported",
            Self::NotActive => "conversation.not_active",
            Self::Rejected { code, .. } => code,
            Self::Internal { .. } => "internal",
        }
    }

    /// The input to fix, where there is one.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidInput { field, .. } => Some(field),
            _ => None,
        }
    }

    /// How long the server asked us to wait.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Offline { .. }
            | Self::StorageFull
            | Self::ServiceUnavailable { .. } => true,
            // What is not ours, or not for this key, stays so.
            Self::StorageUnavailable { code, .. } => matches!(
                *code,
                "store.unavailable" | "store.locked" | "store.corrupt"
            ),
            _ => false,
        }
    }

    /// Whether it took effect.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::OutcomeUnknown => Outcome::Unknown,
            _ => Outcome::NotApplied,
        }
    }

    /// The error a settled message's reason stands for.
    #[must_use]
    pub fn of_reason(reason: &Reason) -> Self {
        let text = reason.text.clone();
        match reason.code.as_str() {
            "sign_in_required" => Self::SignInRequired,
            "not_allowed" => Self::NotAllowed(text),
            "not_found" => Self::NotFound(text),
            "conversation.not_active" => Self::NotActive,
            "conversation.too_many_active" => Self::TooManyActive,
            "send.outcome_unknown" => Self::OutcomeUnknown,
            "rate_limited" => Self::RateLimited {
                retry_after: reason.retry_after_ms.map(Duration::from_millis),
            },
            "network.unreachable" => Self::Offline {
                code: "network.unreachable",
                text,
            },
            "network.timeout" => Self::Offline {
                code: "network.timeout",
                text,
            },
            "network.certificate" => Self::Offline {
                code: "network.certificate",
                text,
            },
            "network.captive_portal" => Self::Offline {
                code: "network.captive_portal",
                text,
            },
            "service.unavailable" => Self::ServiceUnavailable {
                code: "service.unavailable",
                text,
            },
            "service.protocol" => Self::ServiceUnavailable {
                code: "service.protocol",
                text,
            },
            code => Self::Rejected {
                code: code.to_owned(),
                text,
            },
        }
    }
}

impl From<ServiceError> for ChatError {
    fn from(error: ServiceError) -> Self {
        let code = error.code();
        let text = error.detail;
        match error.kind {
            FailureKind::Unreachable
            | FailureKind::Certificate
            | FailureKind::CaptivePortal
            | FailureKind::TimedOut
            | FailureKind::Interrupted => Self::Offline { code, text },
            FailureKind::SignInRequired => Self::SignInRequired,
            FailureKind::NotAllowed => Self::NotAllowed(text),
            FailureKind::NotFound => Self::NotFound(text),
            FailureKind::Conflict { existing } => Self::Conflict { existing },
            FailureKind::RateLimited => Self::RateLimited {
                retry_after: match error.retry {
                    RetryClass::After(wait) => Some(wait),
                    _ => None,
                },
            },
            FailureKind::TooManyActive => Self::TooManyActive,
            FailureKind::NotActive => Self::NotActive,
            FailureKind::Invalid => Self::Rejected {
                code: code.to_owned(),
                text,
            },
            FailureKind::Unavailable | FailureKind::Protocol | FailureKind::CursorRefused => {
                Self::ServiceUnavailable { code, text }
            }
            FailureKind::Unsupported => Self::Unsupported(text),
        }
    }
}

impl From<RepositoryError> for ChatError {
    fn from(error: RepositoryError) -> Self {
        let code = error.code();
        match error {
            RepositoryError::Full => Self::StorageFull,
            RepositoryError::Unavailable(_)
            | RepositoryError::Corrupt
            | RepositoryError::Foreign
            | RepositoryError::Newer
            | RepositoryError::Locked
            | RepositoryError::NoKey
            | RepositoryError::WrongKey
            | RepositoryError::NoCipher => Self::StorageUnavailable {
                code,
                text: error.to_string(),
            },
            RepositoryError::Closed => Self::Closed,
            RepositoryError::Internal(what) => Self::Internal { code: what },
        }
    }
}

impl From<TextError> for ChatError {
    fn from(error: TextError) -> Self {
        let code = match error {
            TextError::Blank => "send.blank",
            TextError::TooLong { .. } => "send.too_long",
        };
        Self::InvalidInput {
            field: "text",
            code,
            text: error.to_string(),
        }
    }
}

/// A send that was not accepted; the text comes back where the mode is direct.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct SendMessageError {
    /// Why.
    #[source]
    pub error: ChatError,
    /// The text that was not sent.
    pub draft: Option<String>,
}

/// Prints no text.
impl std::fmt::Debug for SendMessageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendMessageError")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<E: Into<ChatError>> From<E> for SendMessageError {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            draft: None,
        }
    }
}
