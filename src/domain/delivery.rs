//! The life of a sent message: one state, one transition function.
//!
//! | from | event | to |
//! |---|---|---|
//! | Queued | transmit | Sending |
//! | Uncertain | transmit, same key | Sending (idempotent backends only) |
//! | Sending | applied | Sent |
//! | Sending | proved not applied | Queued |
//! | Sending | lost | Uncertain |
//! | Sending, Queued | rejected | Failed |
//! | Uncertain | proved not applied | Queued |
//! | Queued | expired, gone | Failed |
//! | Queued, Failed, Uncertain | cancel | Cancelled |
//! | Failed | retry | Queued |
//! | any state before Sent | found on the server | Sent |
//! | Sent | delivered, read | Delivered, Read |
//! | Delivered | read | Read |
//!
//! Anything else is a bug and answered with [`IllegalTransition`]. Delivery never regresses:
//! a late "delivered" on a read message is accepted and changes nothing.

use std::fmt;

/// Where a message stands between the user's tap and the reader's eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryState {
    /// On disk, waiting for its turn.
    Queued,
    /// On the wire; its attempt is recorded.
    Sending,
    /// Sent, outcome unknown: a reconciling read decides, never a guess.
    Uncertain,
    /// The server has it. Also the state of messages that came from the server.
    Sent,
    /// It reached a recipient's device, where the backend tells.
    Delivered,
    /// A recipient read it, where the backend tells.
    Read,
    /// Proved rejected, or expired: the text is kept, the user decides.
    Failed,
    /// The user took it back.
    Cancelled,
}

impl DeliveryState {
    /// Every state, in the order in which they are stored.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Uncertain,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Uncertain => "uncertain",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name [`Self::as_str`] prints.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Still owed to the server: a deadline or an input will move it on.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Sending | Self::Uncertain)
    }

    /// The server has it.
    #[must_use]
    pub const fn is_on_server(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Read)
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] where the table above has no row: a bug in the caller.
    // one match
    pub const fn after(self, event: DeliveryEvent) -> Result<Self, IllegalTransition> {
        use DeliveryEvent as E;
        match (self, event) {
            (Self::Queued, E::Transmit) | (Self::Uncertain, E::TransmitAgain) => Ok(Self::Sending),
            (Self::Sending, E::Applied) => Ok(Self::Sent),
            (Self::Sending | Self::Uncertain, E::ProvedNotApplied) => Ok(Self::Queued),
            (Self::Sending, E::Lost) => Ok(Self::Uncertain),
            (Self::Sending | Self::Queued, E::Rejected) => Ok(Self::Failed),
            (Self::Queued, E::Expired) => Ok(Self::Failed),
            (Self::Queued | Self::Failed | Self::Uncertain, E::CancelRequested) => {
                Ok(Self::Cancelled)
            }
            (Self::Failed, E::RetryRequested) => Ok(Self::Queued),
            (
                Self::Queued | Self::Sending | Self::Uncertain | Self::Failed | Self::Cancelled,
                E::FoundOnServer,
            ) => Ok(Self::Sent),
            (Self::Sent | Self::Delivered | Self::Read, E::FoundOnServer | E::Applied) => Ok(self),
            (Self::Sent, E::DeliveredToPeer) => Ok(Self::Delivered),
            (Self::Delivered | Self::Read, E::DeliveredToPeer) => Ok(self),
            (Self::Sent | Self::Delivered | Self::Read, E::ReadByPeer) => Ok(Self::Read),
            _ => Err(IllegalTransition { from: self, event }),
        }
    }
}

/// What can happen to a sent message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryEvent {
    /// An attempt is about to leave.
    Transmit,
    /// The same idempotency key is about to leave again.
    TransmitAgain,
    /// The server confirmed this attempt.
    Applied,
    /// The attempt's outcome will not be known.
    Lost,
    /// It is proved that the server does not have it.
    ProvedNotApplied,
    /// The server, or a local rule, turned it down for good.
    Rejected,
    /// It grew too old before it could be sent.
    Expired,
    /// The user asked to try again.
    RetryRequested,
    /// The user took it back.
    CancelRequested,
    /// A read of the server's history showed it.
    FoundOnServer,
    /// A recipient's device has it.
    DeliveredToPeer,
    /// A recipient read it.
    ReadByPeer,
}

/// A transition that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {from:?} message cannot take {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub from: DeliveryState,
    /// What was asked of it.
    pub event: DeliveryEvent,
}

/// Why a message waits or failed, in words and in a stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable code, as listed in the manual.
    pub code: String,
    /// Whether trying again can help.
    pub retryable: bool,
    /// How long the server asked us to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// One sentence without any content of the message.
    pub text: String,
}

impl Reason {
    /// A reason with no server-given wait.
    #[must_use]
    pub fn new(code: &str, retryable: bool, text: &str) -> Self {
        Self {
            code: code.to_owned(),
            retryable,
            retry_after_ms: None,
            text: text.to_owned(),
        }
    }

    /// The reason a failed call gives.
    #[must_use]
    pub fn of(error: &super::retry::ServiceError) -> Self {
        use super::retry::RetryClass;
        let retry_after_ms = match error.retry {
            RetryClass::After(wait) => Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            _ => None,
        };
        Self {
            code: error.code().to_owned(),
            retryable: error.retry != RetryClass::Never,
            retry_after_ms,
            text: error.detail.clone(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryEvent as E, DeliveryState as S};

    #[test]
    fn inv03_sent_never_steps_back() {
        for state in [S::Sent, S::Delivered, S::Read] {
            for event in [
                E::Lost,
                E::ProvedNotApplied,
                E::Rejected,
                E::Expired,
                E::CancelRequested,
                E::Transmit,
            ] {
                assert!(state.after(event).is_err(), "{state:?} {event:?}");
            }
        }
        assert_eq!(S::Read.after(E::DeliveredToPeer), Ok(S::Read));
    }

    #[test]
    fn uncertain_leaves_only_by_proof_or_by_the_user() {
        for event in [
            E::Rejected,
            E::Expired,
            E::Transmit,
            E::Lost,
            E::RetryRequested,
        ] {
            assert!(S::Uncertain.after(event).is_err(), "{event:?}");
        }
        assert_eq!(S::Uncertain.after(E::FoundOnServer), Ok(S::Sent));
        assert_eq!(S::Uncertain.after(E::ProvedNotApplied), Ok(S::Queued));
    }

    #[test]
    fn cancelled_still_binds_when_the_server_has_it() {
        assert_eq!(S::Cancelled.after(E::FoundOnServer), Ok(S::Sent));
    }

    #[test]
    fn names_round_trip() {
        for state in S::ALL {
            assert_eq!(S::parse(state.as_str()), Some(state));
        }
    }
}
