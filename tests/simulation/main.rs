//! The seeded deterministic simulation: the shipped client against a fake server and a nemesis.
//!
//! Engines, driver, use cases and the SQLite store are the shipped ones; only the network, the
//! clocks and the entropy are made up, from one seed. Time is virtual and everything runs on one
//! thread, so a seed is a whole story: the same seed gives the same trace.
//!
//! | file | part |
//! |---|---|
//! | `world` | one seed's life: storm, heal, quiet, verdict |
//! | `workload`, `wishes` | what users do: messages, and everything else |
//! | `faults`, `trouble` | what goes wrong, a few kinds a seed |
//! | `server`, `turns`, `acts` | the backend: two profiles, one with keys and sequences, one with neither |
//! | `service`, `asking`, `session`, `sockets`, `plans` | the ports of the network |
//! | `disk` | the store's port: shipped SQLite, which can be killed before or after any commit |
//! | `device`, `ledger`, `snapshot` | one device, what was promised on it, and what it has stored |
//! | `commits`, `placed`, `sends`, `screens`, `quiet` | the invariants, each with its id |
//! | `deeds`, `shown`, `begun`, `rest` | the same for everything that is no message |
//! | `seed`, `runner`, `reached` | seeds, plants, regression seeds, and what must not stay unreached |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a simulation that cannot go on stops, and the seed that stopped it is printed"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the fake network runs in tasks of its own, and the runner measures real time"
)]

mod acts;
mod asking;
mod begun;
mod chance;
mod commits;
mod deeds;
mod device;
mod disk;
mod faults;
mod ledger;
mod placed;
mod plans;
mod quiet;
mod reached;
mod rest;
mod runner;
mod screens;
mod seed;
mod sends;
mod server;
mod service;
mod session;
mod shown;
mod snapshot;
mod sockets;
mod trace;
mod trouble;
mod turns;
mod wishes;
mod workload;
mod world;

fn main() -> std::process::ExitCode {
    runner::main()
}
