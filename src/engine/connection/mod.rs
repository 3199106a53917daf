//! The connection of one conversation: a socket first, polling beside it whenever it is not live.
//!
//! | socket | input | socket after | and |
//! |---|---|---|---|
//! | idle | open | dialling | poll in 3 s should it not be live by then |
//! | dialling | dialled | greeting | catch up: frames are already received, so no gap |
//! | dialling | dial failed | waiting | poll within 250 ms |
//! | dialling | 400, 403, 404 | held | ask by request; the same answer closes, else poll and redial after ≥ 60 s |
//! | dialling, any | sign-in required | held | everything stops until the app signs in |
//! | greeting | ready | live | polling stops |
//! | greeting | deadline, no ready frame | waiting, or live where the backend has none | |
//! | live | silence | live, probing | any byte heard ends the probe |
//! | live | probe unanswered | dialling | shown as stale; poll within 250 ms |
//! | greeting, live | closed | waiting | poll within 250 ms |
//! | waiting | due, network up, foreground | dialling | |
//! | any | network changed | probing, or dialling | |
//! | any | suspend | idle | polling stops; resume dials |
//! | any | close | closed | polling stops |
//!
//! Polls ask the server, never the store. They run while the conversation is open and the socket
//! is not live, at a cadence that follows activity; a failed poll never ends them.

mod io;
mod policy;
mod poll;
mod resync;
mod signals;
mod status;

pub use io::{Input, Output, Status};
pub use policy::{ConnectionPolicy, PollPolicy};

use std::{collections::VecDeque, time::Duration};

use crate::{
    domain::{
        event::CloseReason,
        plant::planted,
        retry::{FailureKind, RetryClass, ServiceError},
        time::Tick,
    },
    engine::{draw::Draw, sooner},
};
use poll::Poll;
use resync::Resync;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Socket {
    /// None, and none planned.
    Idle,
    Dialling {
        generation: u64,
    },
    Greeting {
        generation: u64,
        deadline: Tick,
        ready_frame: bool,
    },
    Live {
        generation: u64,
        since: Tick,
        heard: Tick,
        probed: Option<Tick>,
    },
    /// Redial at the given time.
    Waiting {
        until: Tick,
    },
    /// A verdict is awaited, or a sign-in.
    Held,
}

/// Why nothing moves any more, where that is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Idle,
    Open,
    Suspended,
    SignInRequired,
    Closed,
}

/// A beside-the-dial poll waits this long for the socket.
const DIAL_GRACE: Duration = Duration::from_secs(3);
/// A socket without a ready frame counts as live this long after the upgrade.
const SILENT_GREETING: Duration = Duration::from_secs(1);
/// A refusal that a request does not confirm (a proxy's) is not redialled sooner.
const REFUSED_REDIAL: Duration = Duration::from_secs(60);

/// One conversation's connection.
#[derive(Clone, Debug)]
pub struct Connection {
    policy: ConnectionPolicy,
    draw: Draw,
    rest: Rest,
    socket_allowed: bool,
    socket: Socket,
    poll: Poll,
    /// Failures in a row since the socket was last stable.
    failures: u32,
    stale: bool,
    /// Nothing could be reached, as far as our own tries tell.
    offline: bool,
    /// The device says that it has no network.
    no_network: bool,
    foreground: bool,
    resync: Resync,
    reason: Option<String>,
    generation: u64,
    shown: Status,
    outputs: VecDeque<Output>,
}

impl Connection {
    /// A connection nobody wants yet.
    #[must_use]
    pub fn new(policy: ConnectionPolicy, seed: u64) -> Self {
        Self {
            policy,
            draw: Draw::new(seed),
            rest: Rest::Idle,
            socket_allowed: policy.websocket,
            socket: Socket::Idle,
            poll: Poll::default(),
            failures: 0,
            stale: false,
            offline: false,
            no_network: false,
            foreground: true,
            resync: Resync::default(),
            reason: None,
            // Sockets of different lives of a conversation never share a number.
            generation: seed << 16,
            shown: Status::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input.
    // one match
    pub fn handle(&mut self, now: Tick, input: Input) {
        match input {
            Input::Open { socket } => self.open(now, socket),
            Input::Close => self.stop(Rest::Closed),
            Input::Dialled {
                generation,
                ready_frame,
            } => self.dialled(now, generation, ready_frame),
            Input::DialFailed { generation, error } => self.dial_failed(now, generation, &error),
            Input::Verified(verdict) => self.verified(now, verdict),
            Input::Ready { generation } => self.ready(now, generation),
            Input::Heard { generation } => self.heard(now, generation),
            Input::SocketClosed { generation, reason } => self.closed(now, generation, &reason),
            Input::Overdue => self.overdue(now),
            Input::Undecodable => self.resync.lost_frame(now),
            Input::CaughtUp(result) => self.caught_up(now, result),
            Input::Activity => self.activity(now),
            Input::Quiet(wait) => self.poll.hush(now + wait),
            Input::NetworkUp => self.network_up(now),
            Input::NetworkDown => self.network_down(now),
            Input::NetworkChanged => self.network_changed(now),
            Input::Foreground => self.came_back(now),
            Input::Background => self.foreground = false,
            Input::Suspend => self.suspend(),
            Input::SignInRequired => self.sign_in_required(),
            Input::Tick => {}
        }
        self.advance(now);
        self.show();
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Tick`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Tick> {
        let socket = match self.socket {
            Socket::Greeting { deadline, .. } => Some(deadline),
            Socket::Live { heard, probed, .. } => {
                Some(probed.unwrap_or_else(|| heard + self.silence()))
            }
            Socket::Waiting { until } => Some(until),
            Socket::Idle | Socket::Dialling { .. } | Socket::Held => None,
        };
        let socket = socket.filter(|_| self.rest == Rest::Open);
        let poll = self.poll.due().filter(|_| !self.polls_are_held());
        sooner(
            sooner(socket, poll),
            self.resync.due(self.poll.quiet_until()),
        )
    }

    /// The current status.
    #[must_use]
    pub const fn status(&self) -> &Status {
        &self.shown
    }

    /// Whether the socket carries both ways now.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.socket, Socket::Live { .. })
    }

    /// Whether this dial is the one under way.
    #[must_use]
    pub fn awaits(&self, generation: u64) -> bool {
        self.socket == Socket::Dialling { generation }
    }

    /// Whether a socket is on its way that may be live within moments.
    #[must_use]
    pub const fn is_dialling(&self) -> bool {
        matches!(
            self.socket,
            Socket::Dialling { .. } | Socket::Greeting { .. }
        )
    }

    /// Whether it holds or wants a socket.
    #[must_use]
    pub fn wants_socket(&self) -> bool {
        self.rest == Rest::Open && self.socket_allowed
    }

    /// Whether the conversation is wanted.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(
            self.rest,
            Rest::Open | Rest::Suspended | Rest::SignInRequired
        )
    }

    fn open(&mut self, now: Tick, socket: bool) {
        self.socket_allowed = socket && self.policy.websocket;
        if self.rest == Rest::Open {
            // A place for a socket became free, or was taken away.
            match (self.socket_allowed, self.socket) {
                (true, Socket::Idle) => self.dial(now),
                (false, _) => {
                    self.drop_socket();
                    if self.poll.due().is_none() && !self.poll.in_flight() {
                        self.poll.at(now);
                    }
                }
                _ => {}
            }
            return;
        }
        self.rest = Rest::Open;
        self.reason = None;
        self.poll.active(now);
        if self.socket_allowed {
            self.dial(now);
            self.poll.at(now + DIAL_GRACE);
        } else {
            self.poll.at(now);
        }
    }

    fn dial(&mut self, now: Tick) {
        self.generation += 1;
        let generation = self.generation;
        self.socket = Socket::Dialling { generation };
        self.outputs.push_back(Output::Dial { generation });
        if self.poll.due().is_none() && !self.poll.in_flight() {
            self.poll.at(now + DIAL_GRACE);
        }
    }

    fn dialled(&mut self, now: Tick, generation: u64, ready_frame: bool) {
        if self.socket != (Socket::Dialling { generation }) {
            self.outputs.push_back(Output::Hangup { generation });
            return;
        }
        let wait = if ready_frame {
            self.policy.ready_timeout
        } else {
            SILENT_GREETING
        };
        self.socket = Socket::Greeting {
            generation,
            deadline: now + wait,
            ready_frame,
        };
        self.reached();
        self.outputs.push_back(Output::CatchUp);
    }

    fn ready(&mut self, now: Tick, generation: u64) {
        if matches!(self.socket, Socket::Greeting { generation: g, .. } if g == generation) {
            self.socket = Socket::Live {
                generation,
                since: now,
                heard: now,
                probed: None,
            };
            self.stale = false;
            self.reason = None;
            self.stop_polling();
        }
    }

    fn heard(&mut self, now: Tick, generation: u64) {
        if let Socket::Live {
            generation: g,
            heard,
            probed,
            ..
        } = &mut self.socket
            && *g == generation
        {
            *heard = now;
            *probed = None;
        }
    }

    fn dial_failed(&mut self, now: Tick, generation: u64, error: &ServiceError) {
        if self.socket != (Socket::Dialling { generation }) {
            return;
        }
        self.reason = Some(error.code().to_owned());
        self.stale = false;
        match error.kind {
            FailureKind::SignInRequired => return self.sign_in_required(),
            FailureKind::NotFound
            | FailureKind::NotAllowed
            | FailureKind::Invalid
            | FailureKind::NotActive => {
                self.socket = Socket::Held;
                self.outputs.push_back(Output::Verify);
            }
            _ => {
                self.offline = is_offline(error);
                self.wait_to_redial(now, 1, error.retry);
            }
        }
        self.poll.begin(now);
    }

    fn verified(&mut self, now: Tick, verdict: Result<bool, ServiceError>) {
        if self.socket != Socket::Held || self.rest != Rest::Open {
            return;
        }
        match verdict {
            Ok(true) => {
                self.socket = Socket::Waiting {
                    until: now + REFUSED_REDIAL,
                }
            }
            Ok(false) => {
                self.reason = Some("conversation.not_active".to_owned());
                self.stop(Rest::Closed);
            }
            Err(error) => match error.kind {
                FailureKind::NotFound
                | FailureKind::NotAllowed
                | FailureKind::Invalid
                | FailureKind::NotActive => {
                    self.reason = Some(error.code().to_owned());
                    self.stop(Rest::Closed);
                }
                FailureKind::SignInRequired => self.sign_in_required(),
                _ => self.wait_to_redial(now, 1, error.retry),
            },
        }
    }

    fn closed(&mut self, now: Tick, generation: u64, reason: &CloseReason) {
        let ours = match self.socket {
            Socket::Greeting { generation: g, .. } => g == generation,
            Socket::Live {
                generation: g,
                since,
                ..
            } if g == generation => {
                if now.since(since) >= self.policy.stable {
                    self.failures = 0;
                }
                true
            }
            _ => false,
        };
        if !ours {
            return;
        }
        self.reason = Some(close_code(reason));
        self.wait_to_redial(now, weight(reason), RetryClass::Backoff);
        self.poll.begin(now);
    }

    /// Plans the redial; `weight` counts a failure more than once where a hurry would only hurt.
    fn wait_to_redial(&mut self, now: Tick, weight: u32, retry: RetryClass) {
        self.failures = self.failures.saturating_add(1);
        let max = self.policy.max_attempts;
        if !self.socket_allowed || (max > 0 && self.failures >= max) {
            self.socket = Socket::Idle;
            return;
        }
        let step = self.failures.saturating_add(weight - 1);
        let delay = match retry {
            RetryClass::After(wait) => wait,
            _ => self.policy.reconnect.delay(step, self.draw.jitter()),
        };
        self.socket = Socket::Waiting { until: now + delay };
    }

    fn caught_up(&mut self, now: Tick, result: Result<(), ServiceError>) {
        if self.rest != Rest::Open {
            return;
        }
        let retry = result.as_ref().err().map(|error| error.retry);
        if let Some(RetryClass::After(wait)) = retry {
            self.poll.hush(now + wait);
        }
        match &result {
            Ok(()) => {
                self.reached();
                self.resync.succeeded();
            }
            Err(error) if error.kind == FailureKind::SignInRequired => {
                return self.sign_in_required();
            }
            Err(error) => {
                self.reason = Some(error.code().to_owned());
                if !self.is_live() && is_offline(error) {
                    self.offline = true;
                }
            }
        }
        // The socket works, a read did not: read again until one does.
        if retry.is_some() && matches!(self.socket, Socket::Greeting { .. } | Socket::Live { .. }) {
            self.resync.failed(now);
        }
        if self.is_live() {
            return;
        }
        self.poll
            .done(now, result.is_ok(), retry, &self.policy.poll);
    }

    fn activity(&mut self, now: Tick) {
        self.poll.active(now);
        if self.rest == Rest::Open && !self.is_live() && self.poll.due().is_some() {
            self.poll.no_later_than(now, &self.policy.poll);
        }
    }

    /// Either the socket is dead, or what was expected got lost: then history has it.
    fn overdue(&mut self, now: Tick) {
        if self.is_live() {
            self.probe_now(now);
            self.resync.at_once(now);
        }
    }

    fn probe_now(&mut self, now: Tick) {
        if planted("never-probe") {
            return;
        }
        if let Socket::Live {
            generation, probed, ..
        } = &mut self.socket
            && probed.is_none()
        {
            *probed = Some(now + self.policy.probe_timeout);
            let generation = *generation;
            self.outputs.push_back(Output::Probe { generation });
        }
    }

    fn drop_socket(&mut self) {
        let open = match self.socket {
            Socket::Dialling { generation }
            | Socket::Greeting { generation, .. }
            | Socket::Live { generation, .. } => Some(generation),
            Socket::Idle | Socket::Waiting { .. } | Socket::Held => None,
        };
        if let Some(generation) = open {
            self.outputs.push_back(Output::Hangup { generation });
        }
        self.socket = Socket::Idle;
    }

    fn stop_polling(&mut self) {
        if self.poll.stop() {
            self.outputs.push_back(Output::Polling(false));
        }
    }

    fn silence(&self) -> Duration {
        if planted("never-probe") {
            return Duration::from_secs(1 << 20);
        }
        let wanted = if self.foreground {
            self.policy.probe_after
        } else {
            self.policy.keepalive_interval
        };
        wanted.max(self.policy.probe_floor)
    }

    fn advance(&mut self, now: Tick) {
        if self.rest != Rest::Open {
            return;
        }
        match self.socket {
            Socket::Greeting {
                generation,
                deadline,
                ready_frame,
            } if now >= deadline => {
                if ready_frame {
                    self.reason = Some("connection.no_ready_frame".to_owned());
                    self.stale = false;
                    self.drop_socket();
                    self.wait_to_redial(now, 1, RetryClass::Backoff);
                    self.poll.begin(now);
                } else {
                    self.ready(now, generation);
                }
            }
            Socket::Live {
                heard,
                probed,
                since,
                ..
            } => {
                if now.since(since) >= self.policy.stable {
                    self.failures = 0;
                }
                match probed {
                    Some(deadline) if now >= deadline => self.found_dead(now),
                    None if now >= heard + self.silence() => self.probe_now(now),
                    _ => {}
                }
            }
            Socket::Waiting { until } if now >= until => self.dial(now),
            _ => {}
        }
        if self.resync.start(now, self.poll.quiet_until()) {
            self.outputs.push_back(Output::CatchUp);
        }
        if self.poll.start(now, self.polls_are_held()) {
            if self.poll.begins() {
                self.outputs.push_back(Output::Polling(true));
            }
            self.outputs.push_back(Output::Poll);
        }
    }

    /// The peer did not answer the probe: whatever the socket says, it is dead.
    fn found_dead(&mut self, now: Tick) {
        self.stale = true;
        self.reason = Some("connection.silent".to_owned());
        self.drop_socket();
        self.dial(now);
        self.poll.at(now);
    }
}

/// Nothing of ours can be reached: there is no way, or something else answers on it.
fn is_offline(error: &ServiceError) -> bool {
    matches!(
        error.kind,
        FailureKind::Unreachable | FailureKind::CaptivePortal
    )
}

fn close_code(reason: &CloseReason) -> String {
    match reason {
        CloseReason::Local => "connection.closed".to_owned(),
        CloseReason::Code(code) => format!("connection.closed.{code}"),
        CloseReason::Broken => "connection.broken".to_owned(),
        CloseReason::Violation => "connection.violation".to_owned(),
    }
}

/// "Try later" and "you are wrong" are redialled later than a plain restart.
const fn weight(reason: &CloseReason) -> u32 {
    match reason {
        CloseReason::Code(1013) | CloseReason::Violation => 3,
        CloseReason::Code(1002 | 1003 | 1007..=1010 | 4000..=4999) => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
