//! `cargo xtask event-cost`: what an event costs from the app's own backend through the library to the
//! app's reader, in Rust, in Swift and in Kotlin, as ratios to Rust.
//!
//! All three use one optimised library. The rounds take turns, so that a busy machine is busy for
//! each of them, and the median of each is compared. Nothing fails here: it is a measure.

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::cargo::{self, Kind};
use crate::swift::{self, Missing};
use crate::{bindings, endurance, process};

const EVENTS: &str = "100000";
const ROUNDS: usize = 3;
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Where the Rust program gets its number from.
const VARIABLE: &str = "TIDINGS_EVENTS";

const LIBRARY: [&str; 5] = ["build", "--release", "--package", "tidings-ffi", "--lib"];
const PROGRAM: [&str; 7] = [
    "test",
    "--no-run",
    "--release",
    "--package",
    "tidings-ffi",
    "--test",
    "leaks",
];

/// A language, its program, and what its rounds said in nanoseconds.
struct Runner {
    language: &'static str,
    command: Command,
    costs: Vec<u64>,
}

/// Measures all three and prints one line each.
pub(crate) fn run() -> Result<ExitCode, String> {
    bindings::build_library()?;
    let mut runners = runners()?;
    for _ in 0..ROUNDS {
        for runner in &mut runners {
            let cost = measured(runner.language, &mut runner.command)?;
            runner.costs.push(cost);
        }
    }
    print(&mut runners);
    Ok(ExitCode::SUCCESS)
}

fn runners() -> Result<Vec<Runner>, String> {
    let mut runners = vec![Runner::new("Rust", rust()?)];
    let library = library()?;
    let swift = swift::build().map_err(Missing::Failed);
    let swift = swift.and_then(|()| swift::program_with("TidingsEndurance", &library));
    let others = [
        ("Swift", swift),
        ("Kotlin", endurance::kotlin_with(&library)),
    ];
    for (language, program) in others {
        match program {
            Ok(mut command) => {
                command.args(["events", EVENTS]);
                runners.push(Runner::new(language, command));
            }
            Err(Missing::Skipped(reason)) => println!("{language} is skipped: {reason}"),
            Err(Missing::Failed(reason)) => return Err(reason),
        }
    }
    Ok(runners)
}

impl Runner {
    fn new(language: &'static str, command: Command) -> Self {
        let costs = Vec::new();
        Self {
            language,
            command,
            costs,
        }
    }
}

fn rust() -> Result<Command, String> {
    let build = cargo::build(&PROGRAM)?;
    let program = build
        .programs
        .iter()
        .find(|program| program.kind == Kind::Test && program.name == "leaks")
        .ok_or("the Rust program could not be built")?;
    let mut command = Command::new(&program.path);
    command.arg("--nocapture").env(VARIABLE, EVENTS);
    Ok(command)
}

fn library() -> Result<PathBuf, String> {
    let status = cargo::command()
        .args(LIBRARY)
        .current_dir(cargo::root())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("the library could not be built".to_owned());
    }
    Ok(cargo::root()
        .join("target/release")
        .join(bindings::library_name()))
}

fn measured(language: &str, command: &mut Command) -> Result<u64, String> {
    let log = cargo::root().join("target/xtask/logs/event-cost.log");
    let finished = process::run(command, &log, LIMIT)
        .map_err(|error| format!("{language} did not start: {error}"))?;
    cost(&finished.output).ok_or_else(|| format!("{language} said no cost:\n{}", finished.output))
}

/// The number of the line that all three print.
fn cost(output: &str) -> Option<u64> {
    let told = output
        .lines()
        .find_map(|line| line.strip_prefix("cost of an event: "))?;
    told.strip_suffix(" ns")?.parse().ok()
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds of one event")]
fn print(runners: &mut [Runner]) {
    let costs: Vec<u64> = runners
        .iter_mut()
        .map(|runner| median(&mut runner.costs))
        .collect();
    for (runner, cost) in runners.iter().zip(&costs) {
        let ratio = *cost as f64 / costs[0] as f64;
        println!(
            "{:<8}{cost:>9} ns an event {ratio:>7.1} x Rust",
            runner.language
        );
    }
}

fn median(costs: &mut [u64]) -> u64 {
    costs.sort_unstable();
    costs[costs.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_is_read_from_among_other_lines() {
        let output = "running 1 test\ncost of an event: 2345 ns\nevents: 10 rounds\n";
        assert_eq!(cost(output), Some(2345));
        assert_eq!(cost("running 1 test\n"), None);
    }

    #[test]
    fn one_slow_round_does_not_count() {
        assert_eq!(median(&mut [10, 900, 11]), 11);
    }
}
