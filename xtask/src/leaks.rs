//! `cargo xtask leaks`: ten thousand clients opened and closed, a hundred thousand events read, in Rust
//! over the boundary, in Swift and in Kotlin; a process must not grow by more than a mebibyte after
//! the first tenth.

use std::process::{Command, ExitCode};

use crate::swift::Missing;
use crate::{bindings, cargo, endurance};

const ROUNDS: &str = "10000";

/// Runs all three and shows what they measured.
pub(crate) fn run() -> Result<ExitCode, String> {
    println!("Rust, over the boundary:");
    let mut all_well = succeeded(&mut over_the_boundary())?;
    bindings::build_library()?;
    println!("Swift:");
    all_well &= endured(endurance::swift())?;
    println!("Kotlin:");
    all_well &= endured(endurance::kotlin())?;
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

/// A language that cannot be had here is said; in CI it is a failure.
fn endured(program: Result<Command, Missing>) -> Result<bool, String> {
    match program {
        Ok(mut program) => succeeded(program.arg(ROUNDS)),
        Err(Missing::Skipped(reason)) => {
            println!("skipped: {reason}");
            Ok(true)
        }
        Err(Missing::Failed(reason)) => Err(reason),
    }
}

fn succeeded(command: &mut Command) -> Result<bool, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| format!("{name} did not start: {error}"))?;
    Ok(status.success())
}
