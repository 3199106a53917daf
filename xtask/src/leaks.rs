//! `cargo xtask leaks`: ten thousand clients opened and closed, a hundred thousand events read, in Rust
//! over the boundary and in Swift; a process must not grow by more than a mebibyte after the first
//! tenth. What an event costs on its way through is printed by the way.

use std::process::{Command, ExitCode};

use crate::cargo;
use crate::swift::{self, Missing};

const ROUNDS: &str = "10000";

/// Runs both and shows what they measured.
pub(crate) fn run() -> Result<ExitCode, String> {
    println!("Rust, over the boundary:");
    let mut all_well = succeeded(&mut over_the_boundary())?;
    println!("Swift:");
    // The library is there now, with the bindings made from it.
    crate::bindings::build_library()?;
    swift::build()?;
    match swift::program("TidingsEndurance") {
        Ok(mut endurance) => all_well &= succeeded(endurance.arg(ROUNDS))?,
        Err(Missing::Skipped(reason)) => println!("skipped: {reason}"),
        Err(Missing::Failed(reason)) => return Err(reason),
    }
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The test of `cargo xtask test`, for long.
fn over_the_boundary() -> Command {
    let mut command = cargo::command();
    command
        .args(["test", "--quiet", "--package", "tidings-ffi"])
        .args(["--test", "leaks", "--", "--nocapture"])
        .env("TIDINGS_LEAK_ROUNDS", ROUNDS)
        .current_dir(cargo::root());
    command
}

fn succeeded(command: &mut Command) -> Result<bool, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| format!("{name} did not start: {error}"))?;
    Ok(status.success())
}
