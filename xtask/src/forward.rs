//! `cargo xtask simulate`, `corrupt` and `bench`: build one program in a fast profile, start it,
//! hand over the arguments and hand back its exit code. What the arguments mean is the program's
//! affair; `cargo test` and `cargo bench` themselves would add arguments and change the exit code.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use crate::cargo::{self, Kind};

/// Optimised, with debug assertions, so that a seed costs little and a broken rule still stops it.
const SIMULATION: [&str; 5] = [
    "test",
    "--no-run",
    "--profile=sim",
    "--package=tidings",
    "--test=simulation",
];

const CORRUPTION: [&str; 5] = [
    "test",
    "--no-run",
    "--profile=sim",
    "--package=tidings",
    "--test=corrupt",
];

const RATIOS: [&str; 4] = ["bench", "--no-run", "--package=tidings", "--bench=ratios"];

/// Runs the seeded simulation.
pub(crate) fn simulate(arguments: &[OsString]) -> Result<ExitCode, String> {
    forward(&SIMULATION, "simulation", Kind::Test, arguments)
}

/// Damages stores and looks at what is left.
pub(crate) fn corrupt(arguments: &[OsString]) -> Result<ExitCode, String> {
    forward(&CORRUPTION, "corrupt", Kind::Test, arguments)
}

/// Runs the benchmarks whose results are ratios.
pub(crate) fn bench(arguments: &[OsString]) -> Result<ExitCode, String> {
    forward(&RATIOS, "ratios", Kind::Bench, arguments)
}

fn forward(
    build: &[&str],
    name: &str,
    kind: Kind,
    arguments: &[OsString],
) -> Result<ExitCode, String> {
    let targets = cargo::targets()?;
    let target = targets
        .iter()
        .find(|target| target.name == name && target.kind == kind);
    let target = target.ok_or_else(|| format!("the workspace has no {kind:?} target `{name}`"))?;
    let build = cargo::build(build)?;
    let program = build.programs.iter().find(|program| program.name == name);
    let program = program.filter(|_| build.succeeded);
    let program = program.ok_or_else(|| format!("`{name}` could not be built"))?;
    let status = Command::new(&program.path)
        .args(arguments)
        .current_dir(&target.directory)
        .env("CARGO_MANIFEST_DIR", &target.directory)
        .status()
        .map_err(|error| format!("`{name}` did not start: {error}"))?;
    // Ended by a signal, there is no code to hand back; it must not look like success.
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX);
    Ok(ExitCode::from(code))
}
