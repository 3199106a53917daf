//! What went wrong, with its stable code and the exit code that stands for it.

use tidings::{
    ChatError, SendMessageError,
    config::ConfigError,
    domain::{delivery::Reason, ports::RepositoryError},
};

/// The process's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Usage; an undocumented setting too.
    Usage = 2,
    /// Sign-in required, or not allowed.
    Auth = 3,
    /// Network, gave up; an internal error and an interrupted wait too.
    GaveUp = 4,
    /// Rejected, by the server or by local validation.
    Rejected = 5,
    /// The store.
    Store = 6,
    /// Not found.
    NotFound = 7,
    /// `--timeout` ran out.
    TimedOut = 124,
}

/// An error as the command reports it.
#[derive(Clone)]
pub(crate) struct Failure {
    /// Stable code.
    pub(crate) code: String,
    /// One sentence.
    pub(crate) text: String,
    /// The input to fix.
    pub(crate) field: Option<&'static str>,
    /// How long the server asked us to wait.
    pub(crate) retry_after_ms: Option<u64>,
    /// Whether the same call may succeed later.
    pub(crate) retryable: bool,
    /// The text that was not sent; direct mode only.
    pub(crate) draft: Option<String>,
    /// The exit code it leads to.
    pub(crate) exit: Exit,
    /// It was printed already; only the exit code is still owed.
    pub(crate) reported: bool,
}

/// Prints neither the sentence, which may hold a server's words, nor the draft.
impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Failure({}, {:?})", self.code, self.exit)
    }
}

impl Failure {
    /// An error of the command's own.
    pub(crate) fn new(exit: Exit, code: &str, text: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            text: text.into(),
            field: None,
            retry_after_ms: None,
            retryable: false,
            draft: None,
            exit,
            reported: false,
        }
    }

    /// The command line cannot be meant so.
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", text)
    }

    /// There is no such message.
    pub(crate) fn no_message() -> Self {
        Self::new(
            Exit::NotFound,
            "not_found",
            "not found: there is no such message here",
        )
    }

    /// `--timeout` ran out.
    pub(crate) fn timed_out(text: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::new(Exit::TimedOut, "timeout", text)
        }
    }

    /// A defect of ours.
    pub(crate) fn internal() -> Self {
        let text = "internal error: please report it with the line on stderr";
        Self::new(Exit::GaveUp, "internal", text)
    }

    /// Only an exit code, everything having been said.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self {
            reported: true,
            ..Self::new(exit, "", "")
        }
    }

    /// Names the input to fix.
    pub(crate) fn field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// The failure a settled message's reason stands for.
    pub(crate) fn of_reason(reason: &Reason) -> Self {
        Self {
            retryable: reason.retryable,
            ..Self::from(ChatError::of_reason(reason))
        }
    }
}

const fn exit_of(error: &ChatError) -> Exit {
    match error {
        ChatError::SignInRequired | ChatError::NotAllowed(_) => Exit::Auth,
        ChatError::NotFound(_) => Exit::NotFound,
        ChatError::StorageFull | ChatError::StorageUnavailable { .. } => Exit::Store,
        ChatError::InvalidInput { .. }
        | ChatError::Conflict { .. }
        | ChatError::RateLimited { .. }
        | ChatError::TooManyActive
        | ChatError::Unsupported(_)
        | ChatError::NotActive
        | ChatError::Rejected { .. } => Exit::Rejected,
        _ => Exit::GaveUp,
    }
}

impl From<ChatError> for Failure {
    fn from(error: ChatError) -> Self {
        let wait = error.retry_after();
        let field = match error {
            ChatError::NotActive => Some("conversation"),
            _ => error.field(),
        };
        Self {
            field,
            retry_after_ms: wait.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            retryable: error.is_retryable() || error == ChatError::OutcomeUnknown,
            ..Self::new(exit_of(&error), error.code(), error.to_string())
        }
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        Self {
            exit: Exit::Store,
            ..Self::from(ChatError::from(error))
        }
    }
}

impl From<SendMessageError> for Failure {
    fn from(error: SendMessageError) -> Self {
        Self {
            draft: error.draft,
            ..Self::from(error.error)
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let code = match error {
            ConfigError::UnknownKey(_) => "config.unknown_key",
            ConfigError::BadValue { .. } => "config.bad_value",
            ConfigError::OutOfBounds { .. } => "config.out_of_bounds",
        };
        Self::new(Exit::Usage, code, error.to_string()).field("config")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_the_exit_code_of_the_contract() {
        let offline = ChatError::Offline {
            code: "network.unreachable",
            text: "no".into(),
        };
        for (error, code, exit) in [
            (offline, "network.unreachable", Exit::GaveUp),
            (
                ChatError::OutcomeUnknown,
                "send.outcome_unknown",
                Exit::GaveUp,
            ),
            (
                ChatError::NotActive,
                "conversation.not_active",
                Exit::Rejected,
            ),
            (
                ChatError::Unsupported("x".into()),
                "unsupported",
                Exit::Rejected,
            ),
            (
                ChatError::TooManyActive,
                "conversation.too_many_active",
                Exit::Rejected,
            ),
            (
                ChatError::RateLimited { retry_after: None },
                "rate_limited",
                Exit::Rejected,
            ),
            (ChatError::SignInRequired, "sign_in_required", Exit::Auth),
            (ChatError::NotAllowed("x".into()), "not_allowed", Exit::Auth),
            (ChatError::StorageFull, "store.full", Exit::Store),
            (ChatError::NotFound("x".into()), "not_found", Exit::NotFound),
        ] {
            let failure = Failure::from(error);
            assert_eq!((failure.code.as_str(), failure.exit), (code, exit));
        }
    }

    #[test]
    fn every_trouble_of_the_store_is_exit_6() {
        for error in [
            RepositoryError::Full,
            RepositoryError::Corrupt,
            RepositoryError::Newer,
            RepositoryError::Unavailable("locked".into()),
            RepositoryError::Internal("x".into()),
        ] {
            assert_eq!(Failure::from(error).exit, Exit::Store);
        }
    }
}
