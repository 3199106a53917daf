//! Every row of the connection's table, on a hand-moved clock.

mod policy;
mod polls;
mod sockets;
mod trouble;

use policy::policy;

use std::time::Duration;

use super::{Connection, ConnectionPolicy, Input, Output, PollPolicy, Resync, Status};
use crate::domain::{
    connection::{ConnectionState, Light, Transport},
    event::CloseReason,
    retry::{BackoffPolicy, FailureKind, Outcome, RetryClass, ServiceError},
    time::Tick,
};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A connection, its clock, and what becomes of its reads.
struct Line {
    connection: Connection,
    now: Duration,
    generation: u64,
    /// How polls and catch-ups end, at once; `None` leaves them under way.
    reads: Option<Result<(), ServiceError>>,
    said: Vec<(Duration, Output)>,
}

impl Line {
    fn new(policy: ConnectionPolicy) -> Self {
        Self {
            connection: Connection::new(policy, 7),
            now: Duration::ZERO,
            generation: 0,
            reads: Some(Ok(())),
            said: Vec::new(),
        }
    }

    /// Open, and dialling.
    fn open() -> Self {
        let mut line = Self::new(policy());
        line.tell(Input::Open { socket: true });
        line
    }

    /// Open, dialled and greeted.
    fn live() -> Self {
        let mut line = Self::open();
        line.go_live();
        line
    }

    fn go_live(&mut self) {
        self.dialled(true);
        let generation = self.generation;
        self.tell(Input::Ready { generation });
        assert_eq!(self.state(), ConnectionState::Live);
    }

    fn dialled(&mut self, ready_frame: bool) -> Vec<Output> {
        let generation = self.generation;
        self.tell(Input::Dialled {
            generation,
            ready_frame,
        })
    }

    fn refuse(&mut self, error: ServiceError) -> Vec<Output> {
        let generation = self.generation;
        self.tell(Input::DialFailed { generation, error })
    }

    fn closed(&mut self, reason: CloseReason) -> Vec<Output> {
        let generation = self.generation;
        self.tell(Input::SocketClosed { generation, reason })
    }

    fn heard(&mut self) {
        let generation = self.generation;
        self.tell(Input::Heard { generation });
    }

    fn tell(&mut self, input: Input) -> Vec<Output> {
        self.connection.handle(Tick::from_start(self.now), input);
        self.drain()
    }

    fn drain(&mut self) -> Vec<Output> {
        let mut outputs = Vec::new();
        while let Some(output) = self.connection.poll_output() {
            if let Output::Dial { generation } = output {
                self.generation = generation;
            }
            self.said.push((self.now, output.clone()));
            let read = matches!(output, Output::Poll | Output::CatchUp);
            outputs.push(output);
            if let (true, Some(result)) = (read, self.reads.clone()) {
                self.connection
                    .handle(Tick::from_start(self.now), Input::CaughtUp(result));
            }
        }
        outputs
    }

    /// Lets time pass; every deadline on the way is kept. What was said, and when.
    fn wait(&mut self, time: Duration) -> Vec<(Duration, Output)> {
        let (end, from) = (self.now + time, self.said.len());
        let mut at_once = 0;
        while let Some(due) = self.connection.poll_timeout() {
            if due.since_start() > end {
                break;
            }
            at_once = if due.since_start() > self.now {
                0
            } else {
                at_once + 1
            };
            assert!(
                at_once < 10,
                "a deadline that passes and stays: {:?}",
                self.connection
            );
            self.now = self.now.max(due.since_start());
            self.tell(Input::Tick);
        }
        self.now = end;
        self.said[from..].to_vec()
    }

    /// How long after now the first such output comes, within `time`.
    fn after(&mut self, time: Duration, wanted: impl Fn(&Output) -> bool) -> Option<Duration> {
        let start = self.now;
        let said = self.wait(time);
        let found = said.into_iter().find(|(_, output)| wanted(output));
        found.map(|(at, _)| at.checked_sub(start).expect("later"))
    }

    fn state(&self) -> ConnectionState {
        self.connection.status().state
    }

    fn light(&self) -> Light {
        light(self.connection.status())
    }
}

fn light(status: &Status) -> Light {
    crate::domain::connection::ConnectionStatus {
        state: status.state,
        transport: status.transport,
        ..Default::default()
    }
    .light()
}

fn count(said: &[(Duration, Output)], wanted: impl Fn(&Output) -> bool) -> usize {
    said.iter().filter(|(_, output)| wanted(output)).count()
}

fn is_poll(output: &Output) -> bool {
    *output == Output::Poll
}

fn is_dial(output: &Output) -> bool {
    matches!(output, Output::Dial { .. })
}

fn is_probe(output: &Output) -> bool {
    matches!(output, Output::Probe { .. })
}

fn is_hangup(output: &Output) -> bool {
    matches!(output, Output::Hangup { .. })
}

fn unreachable() -> ServiceError {
    ServiceError::unreachable("nobody there")
}

fn refused(kind: FailureKind) -> ServiceError {
    ServiceError::new(kind, RetryClass::Never, Outcome::NotApplied, "refused")
}

/// The socket is blocked though the network works.
fn blocked() -> ServiceError {
    ServiceError::new(
        FailureKind::Protocol,
        RetryClass::Backoff,
        Outcome::NotApplied,
        "no upgrade",
    )
}
