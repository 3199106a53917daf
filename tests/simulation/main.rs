//! The seeded deterministic simulation: the shipped client against a fake server and a nemesis.
//!
//! Engines, driver, use cases and the SQLite store are the shipped ones; only the network, the
//! clocks and the entropy are made up, from one seed. Time is virtual and everything runs on one
//! thread, so a seed is a whole story: the same seed gives the same trace.
//!
//! | file | part |
//! |---|---|
//! | `world` | one seed's life: storm, heal, quiet, verdict |
//! | `workload` | what users do |
//! | `faults` | what goes wrong, a few kinds a seed |
//! | `server`, `turns` | the backend: two profiles, one with keys and sequences, one with neither |
//! | `service`, `session` | the ports of the network |
//! | `disk` | the store's port: shipped SQLite, which can be killed before or after any commit |
//! | `device`, `ledger` | one device, and what was promised on it |
//! | `commits`, `sends`, `screens`, `quiet` | the invariants, each with its id |
//! | `runner`, `reached` | seeds, plants, regression seeds, and what must not stay unreached |
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

mod chance;
mod commits;
mod device;
mod disk;
mod faults;
mod ledger;
mod quiet;
mod reached;
mod runner;
mod screens;
mod sends;
mod server;
mod service;
mod session;
mod trace;
mod turns;
mod workload;
mod world;

fn main() -> std::process::ExitCode {
    runner::main()
}
