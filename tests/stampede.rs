//! Everybody returns at once: ten thousand of the shipped connection machines, each with a seed of
//! its own, lose a restarting server together and find it again. Virtual time, no network.
#![allow(clippy::expect_used, reason = "a test that cannot go on stops")]

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use tidings::{
    domain::{
        event::CloseReason,
        retry::{BackoffPolicy, ServiceError},
        time::Tick,
    },
    engine::connection::{Connection, ConnectionPolicy, Input, Output, PollPolicy},
};

const CLIENTS: usize = 10_000;

/// When the server goes.
const GONE: Duration = Duration::from_secs(100);

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[path = "../src/engine/connection/tests/policy.rs"]
mod policy;

use policy::policy;

/// All clients, and the moments at which each wants to be asked again.
struct Crowd {
    clients: Vec<Connection>,
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    back: Duration,
    /// The moment of every dial.
    dials: Vec<Duration>,
    /// Each client's newest socket.
    generations: Vec<u64>,
}

impl Crowd {
    fn new(outage: Duration) -> Self {
        let seed = |n: usize| u64::try_from(n).expect("a seed").wrapping_mul(0x9e37_79b9);
        let clients = (0..CLIENTS).map(|n| Connection::new(policy(), seed(n + 1)));
        Self {
            clients: clients.collect(),
            due: BinaryHeap::new(),
            back: GONE + outage,
            dials: Vec::new(),
            generations: vec![0; CLIENTS],
        }
    }

    fn is_up(&self, now: Duration) -> bool {
        now < GONE || now >= self.back
    }

    fn tell(&mut self, client: usize, now: Duration, input: Input) {
        let up = self.is_up(now);
        let at = Tick::from_start(now);
        let connection = &mut self.clients[client];
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            connection.handle(at, input);
            while let Some(output) = connection.poll_output() {
                if let Output::Dial { generation } = output {
                    self.dials.push(now);
                    self.generations[client] = generation;
                }
                inputs.extend(answer(&output, up));
            }
        }
        if let Some(due) = connection.poll_timeout() {
            let due = due.since_start().max(now + Duration::from_millis(1));
            self.due.push(Reverse((due, client)));
        }
    }

    fn run_to(&mut self, end: Duration) {
        while let Some(Reverse((due, client))) = self.due.peek().copied() {
            if due > end {
                break;
            }
            self.due.pop();
            // Who was asked since has an entry of a later moment too.
            let still = self.clients[client].poll_timeout();
            if still.is_some_and(|still| still.since_start() <= due) {
                self.tell(client, due, Input::Tick);
            }
        }
    }
}

/// A server that is up or down, without delay.
fn answer(output: &Output, up: bool) -> Vec<Input> {
    let unreachable = || ServiceError::unreachable("down");
    match *output {
        Output::Dial { generation } if up => vec![
            Input::Dialled {
                generation,
                ready_frame: true,
            },
            Input::Ready { generation },
        ],
        Output::Dial { generation } => vec![Input::DialFailed {
            generation,
            error: unreachable(),
        }],
        Output::Probe { generation } if up => vec![Input::Heard { generation }],
        Output::Poll | Output::CatchUp if up => vec![Input::CaughtUp(Ok(()))],
        Output::Poll | Output::CatchUp => vec![Input::CaughtUp(Err(unreachable()))],
        _ => Vec::new(),
    }
}

// covers: G7, F-56
#[test]
fn g7_f56_ten_thousand_clients_come_back_without_a_stampede() {
    for outage in [secs(20), secs(60), secs(300)] {
        let mut crowd = Crowd::new(outage);
        for client in 0..CLIENTS {
            crowd.tell(client, secs(1), Input::Open { socket: true });
        }
        crowd.run_to(GONE);
        assert!(crowd.clients.iter().all(Connection::is_live));
        crowd.dials.clear();
        for client in 0..CLIENTS {
            let generation = crowd.generations[client];
            let reason = CloseReason::Code(1012);
            crowd.tell(client, GONE, Input::SocketClosed { generation, reason });
        }
        let end = crowd.back + secs(70);
        crowd.run_to(end);
        assert!(crowd.clients.iter().all(Connection::is_live));
        let back = crowd.back;
        let later: Vec<_> = crowd.dials.iter().filter(|at| **at >= back).collect();
        assert_eq!(later.len(), CLIENTS, "each dials once");
        let mut waits: Vec<_> = later.iter().map(|at| **at - back).collect();
        waits.sort_unstable();
        let mut seconds = vec![0_usize; 80];
        for wait in &waits {
            seconds[usize::try_from(wait.as_secs()).expect("few")] += 1;
        }
        // Over the time in which nine in ten are back: the last ones are not to flatter the mean.
        let span = usize::try_from(waits[CLIENTS * 9 / 10].as_secs()).expect("few") + 1;
        let busiest = seconds.iter().copied().max().expect("one");
        assert!(
            busiest * span <= 3 * CLIENTS,
            "{busiest} dials in one second, {CLIENTS} over {span}, after {outage:?}"
        );
    }
}
