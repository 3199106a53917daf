//! The one error that crosses: what to do about it, and the stable code.

use tidings::{
    SendMessageError,
    domain::{ports::RepositoryError, retry::Outcome},
};

/// What an app does about a failure; the code says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ErrorKind {
    /// Fix the named input.
    InvalidInput,
    /// Ask the user to sign in.
    SignInRequired,
    /// The account may not do this.
    NotAllowed,
    /// There is no such thing.
    NotFound,
    /// It exists already.
    Conflict,
    /// Wait, then try again.
    RateLimited,
    /// The account's cap on active conversations is reached.
    TooManyActive,
    /// No network.
    Offline,
    /// Free some space; nothing was stored.
    StorageFull,
    /// The store cannot be used.
    StorageUnavailable,
    /// The client was shut down.
    Closed,
    /// The service failed.
    ServiceUnavailable,
    /// Nobody knows whether it happened; history will tell.
    OutcomeUnknown,
    /// This backend cannot do that.
    Unsupported,
    /// The conversation takes no messages any more.
    NotActive,
    /// The server turned it down.
    Rejected,
    /// The caller cancelled the wait.
    Cancelled,
    /// A bug, of the SDK or of what the app gave it: report it.
    Internal,
}

/// All that is known of a failure.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// What to do about it.
    pub kind: ErrorKind,
    /// The stable code, as the manual lists it.
    pub code: String,
    /// One sentence for a person; not stable.
    pub sentence: String,
    /// The input to fix, where there is one.
    pub field: Option<String>,
    /// How long the server asked to wait, in milliseconds.
    pub retry_after_ms: Option<i64>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Whether nobody knows if it took effect.
    pub outcome_unknown: bool,
    /// The text that was not sent, where the send was direct.
    pub draft: Option<String>,
    /// The conversation that exists already, where the server named it.
    pub existing: Option<String>,
}

/// Prints no draft.
impl std::fmt::Debug for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Problem")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum ChatError {
    /// The one way to fail.
    #[error("{} ({})", problem.sentence, problem.code)]
    Failed {
        /// What is known of it.
        // Behind a pointer: whatever may fail carries room for it.
        problem: Box<Problem>,
    },
}

impl ChatError {
    /// What is known of the failure.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        let Self::Failed { problem } = self;
        problem
    }

    fn new(kind: ErrorKind, code: &str, sentence: &str) -> Self {
        let problem = Problem {
            kind,
            code: code.to_owned(),
            sentence: sentence.to_owned(),
            field: None,
            retry_after_ms: None,
            retryable: false,
            outcome_unknown: false,
            draft: None,
            existing: None,
        };
        problem.into()
    }

    pub(crate) fn cancelled() -> Self {
        let sentence = "the wait was cancelled: what was accepted goes on";
        Self::new(ErrorKind::Cancelled, "cancelled", sentence)
    }

    pub(crate) fn closed() -> Self {
        tidings::ChatError::Closed.into()
    }

    pub(crate) fn internal(what: &str) -> Self {
        tidings::ChatError::Internal {
            code: what.to_owned(),
        }
        .into()
    }

    pub(crate) fn invalid(field: &'static str, sentence: &str) -> Self {
        tidings::ChatError::InvalidInput {
            field,
            code: "invalid_input",
            text: sentence.to_owned(),
        }
        .into()
    }
}

impl From<Problem> for ChatError {
    fn from(problem: Problem) -> Self {
        Self::Failed {
            problem: Box::new(problem),
        }
    }
}

const fn kind(error: &tidings::ChatError) -> ErrorKind {
    use tidings::ChatError as E;
    match error {
        E::InvalidInput { .. } => ErrorKind::InvalidInput,
        E::SignInRequired => ErrorKind::SignInRequired,
        E::NotAllowed(_) => ErrorKind::NotAllowed,
        E::NotFound(_) => ErrorKind::NotFound,
        E::Conflict { .. } => ErrorKind::Conflict,
        E::RateLimited { .. } => ErrorKind::RateLimited,
        E::TooManyActive => ErrorKind::TooManyActive,
        E::Offline { .. } => ErrorKind::Offline,
        E::StorageFull => ErrorKind::StorageFull,
        E::StorageUnavailable { .. } => ErrorKind::StorageUnavailable,
        E::Closed => ErrorKind::Closed,
        E::ServiceUnavailable { .. } => ErrorKind::ServiceUnavailable,
        E::OutcomeUnknown => ErrorKind::OutcomeUnknown,
        E::Unsupported(_) => ErrorKind::Unsupported,
        E::NotActive => ErrorKind::NotActive,
        E::Rejected { .. } => ErrorKind::Rejected,
        _ => ErrorKind::Internal,
    }
}

impl From<tidings::ChatError> for ChatError {
    fn from(error: tidings::ChatError) -> Self {
        let retry_after = error.retry_after();
        let problem = Problem {
            kind: kind(&error),
            code: error.code().to_owned(),
            sentence: error.to_string(),
            field: error.field().map(str::to_owned),
            retry_after_ms: retry_after.map(crate::records::millis),
            retryable: error.is_retryable(),
            outcome_unknown: error.outcome() == Outcome::Unknown,
            draft: None,
            existing: match error {
                tidings::ChatError::Conflict { existing } => existing.map(|id| id.to_string()),
                _ => None,
            },
        };
        problem.into()
    }
}

impl From<SendMessageError> for ChatError {
    fn from(failed: SendMessageError) -> Self {
        let Self::Failed { mut problem } = failed.error.into();
        problem.draft = failed.draft;
        Self::Failed { problem }
    }
}

impl From<RepositoryError> for ChatError {
    fn from(error: RepositoryError) -> Self {
        tidings::ChatError::from(error).into()
    }
}

/// What the app's own code threw, where it declared nothing of the kind.
impl From<uniffi::UnexpectedUniFFICallbackError> for ChatError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        // Its text is the app's, and may hold anything.
        Self::internal("callback_threw")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_crosses_and_is_not_printed() {
        let failed = SendMessageError {
            error: tidings::ChatError::RateLimited {
                retry_after: Some(std::time::Duration::from_secs(3)),
            },
            draft: Some("dear diary".to_owned()),
        };
        let error = ChatError::from(failed);
        assert_eq!(error.problem().draft.as_deref(), Some("dear diary"));
        assert_eq!(error.problem().retry_after_ms, Some(3000));
        assert!(error.problem().retryable);
        assert!(!format!("{error:?} {error}").contains("diary"));
    }

    #[test]
    fn unknown_outcome_stays_unknown() {
        let error = ChatError::from(tidings::ChatError::OutcomeUnknown);
        assert!(error.problem().outcome_unknown);
        assert_eq!(error.problem().kind, ErrorKind::OutcomeUnknown);
    }
}
