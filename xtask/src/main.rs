//! The tasks of this repository:
//! `cargo xtask <test|simulate|corrupt|bench|coverage|bindings|scenarios|leaks|event-cost|mobile-check|ffi-budget|xcframework|aar>`.
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

mod aar;
mod bindings;
mod budget;
mod cargo;
mod cost;
mod coverage;
mod encrypted;
mod endurance;
mod forward;
mod kotlin;
mod leaks;
mod libtest;
mod mobile;
mod node;
mod process;
mod scenarios;
mod shipped;
mod suites;
mod surefire;
mod swift;
mod table;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
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
    /// Writes the Swift and Kotlin halves of the library and builds both packages
    Bindings,
    /// Plays the golden scenarios in one language and writes their traces
    Scenarios {
        /// In which language.
        #[arg(long)]
        lang: scenarios::Language,
        /// Against which backend.
        #[arg(long, default_value = "reference")]
        backend: scenarios::Kind,
        /// Where the traces go.
        #[arg(long)]
        out: PathBuf,
        /// Only these; all where none is named.
        names: Vec<String>,
    },
    /// Builds the library for Android; needs its NDK and Gradle, and no CI of ours runs it
    Aar {
        /// Prints the steps instead of running them.
        #[arg(long)]
        print: bool,
    },
    /// Opens, closes and reads for long in each language, and fails where memory grows
    Leaks,
    /// Says what an event costs on its way to Rust, Swift and Kotlin; a measure, not a test
    EventCost,
    /// Checks the code for Android and iOS without their tools, where rustup has their std
    MobileCheck,
    /// Builds the library for Apple's platforms; needs macOS with Xcode, and no CI of ours runs it
    Xcframework {
        /// Prints the steps instead of running them.
        #[arg(long)]
        print: bool,
    },
    /// Checks that the boundary stays small: functions, objects, bytes of the stripped library
    FfiBudget {
        /// Counts only, without the long build of the library as it ships.
        #[arg(long)]
        surface_only: bool,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Test => test::run(),
        Task::Simulate { arguments } => forward::simulate(&arguments),
        Task::Corrupt { arguments } => forward::corrupt(&arguments),
        Task::Bench { arguments } => forward::bench(&arguments),
        Task::Coverage { json } => coverage::run(json),
        Task::Bindings => bindings::run(),
        Task::FfiBudget { surface_only } => budget::run(surface_only),
        Task::Scenarios {
            lang,
            backend,
            out,
            names,
        } => scenarios::run(lang, backend, &out, &names),
        Task::Aar { print } => aar::run(print),
        Task::Leaks => leaks::run(),
        Task::EventCost => cost::run(),
        Task::MobileCheck => mobile::run(),
        Task::Xcframework { print } => swift::xcframework::run(print),
    };
    done.unwrap_or_else(|complaint| {
        eprintln!("xtask: {complaint}");
        ExitCode::from(2)
    })
}
