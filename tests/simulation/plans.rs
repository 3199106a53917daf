//! What becomes of a request on its way: it is refused, lost, late, slow, or done and not told.

use std::time::Duration;

use tidings::domain::retry::{FailureKind, Outcome, RetryClass, ServiceError};

use crate::{
    faults::Fault,
    reached::{Marker, reached},
    world::State,
};

/// The deadline of a request, as an adapter would set it.
pub(crate) const REQUEST: Duration = Duration::from_secs(30);

/// What becomes of a request.
pub(crate) struct Plan {
    /// When it is at the server; `None` where it never is.
    pub(crate) there: Option<Duration>,
    /// How long after that, or from the start, the client knows.
    pub(crate) back: Duration,
    /// What the client is told in place of an answer.
    pub(crate) error: Option<ServiceError>,
}

impl Plan {
    const fn refused(after: Duration, error: ServiceError) -> Self {
        Self {
            there: None,
            back: after,
            error: Some(error),
        }
    }
}

pub(crate) fn status(
    kind: FailureKind,
    retry: RetryClass,
    outcome: Outcome,
    code: u16,
) -> ServiceError {
    ServiceError {
        status: Some(code),
        ..ServiceError::new(kind, retry, outcome, "the server said no")
    }
}

pub(crate) fn lost() -> ServiceError {
    ServiceError::unknown(FailureKind::TimedOut, "no answer came")
}

impl State {
    /// "F-28": after the client's deadline; within the grace period, seldom beyond it.
    pub(crate) fn late(&mut self) -> Duration {
        let beyond = self.net.per_mille(120);
        let more = if beyond {
            self.net.millis(11_000, 40_000)
        } else {
            self.net.millis(100, 8_000)
        };
        REQUEST + more
    }

    fn plan_common(&mut self, device: usize) -> Option<Plan> {
        let soon = self.net.millis(3, 60);
        if !self.devices[device].online || self.occurs(Fault::Refused) {
            return Some(Plan::refused(soon, ServiceError::unreachable("refused")));
        }
        if self.occurs(Fault::RateLimit) {
            let wait = self.net.millis(1_000, 40_000);
            let retry = if self.net.per_mille(500) {
                RetryClass::After(wait)
            } else {
                RetryClass::Backoff
            };
            reached(Marker::rate_limited);
            let error = status(FailureKind::RateLimited, retry, Outcome::NotApplied, 429);
            return Some(Plan::refused(soon, error));
        }
        if self.occurs(Fault::Unauthorized) {
            let error = status(
                FailureKind::SignInRequired,
                RetryClass::AfterReauth,
                Outcome::NotApplied,
                401,
            );
            return Some(Plan::refused(soon, error));
        }
        None
    }

    pub(crate) fn plan_send(&mut self, device: usize) -> Plan {
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        let (there, back) = (self.net.millis(5, 120), self.net.millis(5, 120));
        if self.occurs(Fault::Rejected) {
            let error = status(
                FailureKind::Invalid,
                RetryClass::Never,
                Outcome::NotApplied,
                422,
            );
            return Plan::refused(there + back, error);
        }
        if self.occurs(Fault::DropRequest) {
            let back = self.net.millis(500, 30_000);
            return Plan {
                there: None,
                back,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::DropAnswer) {
            let back = self.net.millis(500, 29_000);
            return Plan {
                there: Some(there),
                back,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::LateApply) {
            let there = self.late();
            self.note(format_args!("the request is late by {there:?}"));
            return Plan {
                there: Some(there),
                back: REQUEST,
                error: Some(lost()),
            };
        }
        if self.occurs(Fault::ServerError) {
            let error = ServiceError::unknown(FailureKind::Unavailable, "502");
            let applied = self.net.per_mille(500);
            return Plan {
                there: applied.then_some(there),
                back: there + back,
                error: Some(error),
            };
        }
        let slow = if self.occurs(Fault::Delay) {
            self.net.millis(500, 20_000)
        } else {
            Duration::ZERO
        };
        Plan {
            there: Some(there + slow),
            back,
            error: None,
        }
    }

    /// When a read is served, when it is back; or the error and when.
    pub(crate) fn plan_read(&mut self, device: usize) -> Plan {
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        let (there, back) = (self.net.millis(5, 100), self.net.millis(5, 100));
        if self.occurs(Fault::ReadFails) {
            let (kind, after) = if self.net.per_mille(500) {
                (FailureKind::Unavailable, there + back)
            } else {
                (FailureKind::TimedOut, self.net.millis(2_000, 30_000))
            };
            let error =
                ServiceError::new(kind, RetryClass::Backoff, Outcome::NotApplied, "no page");
            return Plan::refused(after, error);
        }
        let slow = if self.occurs(Fault::Delay) {
            self.net.millis(500, 8_000)
        } else {
            Duration::ZERO
        };
        Plan {
            there: Some(there + slow),
            back,
            error: None,
        }
    }

    pub(crate) fn plan_dial(&mut self, device: usize) -> Plan {
        let soon = self.net.millis(3, 60);
        if let Some(plan) = self.plan_common(device) {
            return plan;
        }
        if self.occurs(Fault::DialRefused) {
            let code = if self.net.per_mille(500) {
                (FailureKind::NotAllowed, 403)
            } else {
                (FailureKind::NotFound, 404)
            };
            return Plan::refused(
                soon,
                status(code.0, RetryClass::Never, Outcome::NotApplied, code.1),
            );
        }
        if self.occurs(Fault::DialFails) {
            return match self.net.below(3) {
                0 => Plan::refused(soon, ServiceError::unreachable("refused")),
                1 => {
                    let error = status(
                        FailureKind::Unavailable,
                        RetryClass::Backoff,
                        Outcome::NotApplied,
                        503,
                    );
                    Plan::refused(soon, error)
                }
                _ => Plan::refused(Duration::from_secs(3600), lost()),
            };
        }
        Plan {
            there: Some(self.net.millis(10, 400)),
            back: Duration::ZERO,
            error: None,
        }
    }
}
