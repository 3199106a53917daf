//! The tasks of this repository: `cargo xtask <test|simulate|corrupt|bench|coverage>`.
//!
//! Each task is a thin shell around cargo, so that a newcomer, the CI script and a maintainer run
//! the same thing. Nothing here is part of the SDK, and the SDK never depends on it.
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a command-line tool measures real time; the ban protects the SDK's engines"
)]

mod cargo;
mod coverage;
mod forward;
mod libtest;
mod process;
mod suites;
mod table;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command line of `cargo xtask`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of this repository")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

/// One task each; the doc comments are the help texts.
#[derive(Debug, Subcommand)]
enum Task {
    /// Builds and runs every test suite, prints one table, ends with `N passed, N failed`
    Test,
    /// Runs the seeded simulation: --seeds N [--from S] [--plant NAME|list]
    #[command(disable_help_flag = true)]
    Simulate {
        /// Handed to the simulation as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Damages stores, and counts what is lost: --rounds N [--seed S]
    #[command(disable_help_flag = true)]
    Corrupt {
        /// Handed to the program as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Runs the benchmarks that are ratios: [--json] [--no-bounds]
    #[command(disable_help_flag = true)]
    Bench {
        /// Handed to the benchmark as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Maps every fault, invariant, catalogue entry and goal to its tests; lists the open ones
    Coverage {
        /// Prints one JSON object instead of the table.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Simulate { arguments } => forward::simulate(&arguments),
        Task::Corrupt { arguments } => forward::corrupt(&arguments),
        Task::Bench { arguments } => forward::bench(&arguments),
        Task::Coverage { json } => coverage::run(json),
    };
    done.unwrap_or_else(|complaint| {
        eprintln!("xtask: {complaint}");
        ExitCode::from(2)
    })
}
