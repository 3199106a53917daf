//! Builds the package and runs its tests against the reference backend.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::folder;
use super::generate::{self, built};
use super::results::{counts, warnings};
use super::toolchain::{Missing, Toolchain};
use crate::cargo;
use crate::libtest::Counts;
use crate::process::{self, Finished};
use crate::table::Row;

const NAME: &str = "bindings/swift";

/// A first build takes a minute or two; past this it hangs.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Builds the package from what the last build made; a warning is an error, and where there can be
/// no toolchain that is said.
pub(crate) fn build() -> Result<(), String> {
    match built_package() {
        Ok(()) => println!("{NAME}: built without a warning"),
        Err(Missing::Skipped(reason)) => println!("{NAME}: skipped, {reason}"),
        Err(Missing::Failed(reason)) => return Err(format!("{NAME}: {reason}")),
    }
    Ok(())
}

fn built_package() -> Result<(), Missing> {
    let finished = run("build", "swift-build.log")?;
    if finished.succeeded() && warnings(&finished.output).is_empty() {
        return Ok(());
    }
    Err(Missing::Failed(finished.output))
}

/// Builds the package and its tests and runs them: one row of the table.
pub(crate) fn test_row() -> Row {
    let started = Instant::now();
    println!("running {NAME}");
    match run("test", "swift-test.log") {
        Ok(finished) => finished_row(&finished, started.elapsed()),
        Err(Missing::Skipped(reason)) => row(skipped(), started.elapsed(), Some(reason)),
        Err(Missing::Failed(reason)) => row(failed(), started.elapsed(), Some(reason)),
    }
}

/// A program of the package, as the last build made it.
pub(crate) fn program(name: &str) -> Result<Command, Missing> {
    start(name, &[])
}

/// The same with the library of another folder than the one that it was linked to.
pub(crate) fn program_with(name: &str, library: &Path) -> Result<Command, Missing> {
    let folder = library.parent().unwrap_or(library);
    start(
        name,
        &[("LD_LIBRARY_PATH", folder.to_string_lossy().into_owned())],
    )
}

/// The tests of one suite, as the last build made them, with another library and this variable set.
pub(crate) fn tests_with(
    suite: &str,
    library: &Path,
    variable: &'static str,
) -> Result<Command, Missing> {
    let library = library.parent().unwrap_or(library);
    let variables = [
        ("LD_LIBRARY_PATH", library.to_string_lossy().into_owned()),
        (variable, "yes".to_owned()),
    ];
    let mut command = Toolchain::ensure()?.command("swift", &folder(), &variables);
    arguments(&mut command, "test", &cargo::root().join("target"));
    command.args(["--skip-build", "--filter", suite]);
    Ok(command)
}

fn start(name: &str, variables: &[(&str, String)]) -> Result<Command, Missing> {
    let program = cargo::root().join("target/swift/build/debug").join(name);
    let toolchain = Toolchain::ensure()?;
    Ok(toolchain.command(&program.to_string_lossy(), &cargo::root(), variables))
}

fn run(verb: &str, log: &str) -> Result<Finished, Missing> {
    let toolchain = Toolchain::ensure()?;
    generate::sources().map_err(Missing::Failed)?;
    swift(&toolchain, verb, log).map_err(Missing::Failed)
}

fn finished_row(finished: &Finished, duration: Duration) -> Row {
    let mut counts = counts(&finished.output, finished.succeeded());
    let warnings = warnings(&finished.output);
    counts.failed += warnings.len() as u64;
    if counts.failed > 0 {
        println!("---- {NAME} ----\n{}\n----", finished.output);
    }
    let limit = finished
        .status
        .is_none()
        .then_some("ended at the time limit");
    let warned = (!warnings.is_empty()).then_some("compiled with warnings");
    row(counts, duration, limit.or(warned).map(str::to_owned))
}

fn swift(toolchain: &Toolchain, verb: &str, log: &str) -> Result<Finished, String> {
    let backend = built("tidings-backend").to_string_lossy().into_owned();
    let variables = [("TIDINGS_BACKEND", backend)];
    let mut command = toolchain.command("swift", &folder(), &variables);
    arguments(&mut command, verb, &cargo::root().join("target"));
    let log = cargo::root().join("target/xtask/logs").join(log);
    process::run(&mut command, &log, LIMIT).map_err(|error| format!("swift did not start: {error}"))
}

/// The library is the debug build's; the package's own products stay below `target` too.
///
/// The last flag is for Swift 6.0 on Linux: its `libswiftObservation` names a symbol that no
/// library of the toolchain has, and that is only called when a lock is broken.
fn arguments(command: &mut Command, verb: &str, target: &Path) {
    let library = target.join("debug");
    command.arg(verb).arg("--jobs").arg("2");
    command
        .arg("--scratch-path")
        .arg(target.join("swift/build"));
    command
        .arg("-Xlinker")
        .arg("-L")
        .arg("-Xlinker")
        .arg(&library);
    command
        .arg("-Xlinker")
        .arg("-rpath")
        .arg("-Xlinker")
        .arg(&library);
    command.arg("-Xlinker").arg("--allow-shlib-undefined");
}

fn skipped() -> Counts {
    Counts {
        ignored: 1,
        ..Counts::default()
    }
}

fn failed() -> Counts {
    Counts {
        failed: 1,
        ..Counts::default()
    }
}

fn row(counts: Counts, duration: Duration, note: Option<String>) -> Row {
    Row {
        name: NAME.to_owned(),
        counts,
        duration,
        note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(output: &str, code: i32) -> Finished {
        use std::os::unix::process::ExitStatusExt;
        Finished {
            status: Some(std::process::ExitStatus::from_raw(code)),
            duration: Duration::ZERO,
            output: output.to_owned(),
        }
    }

    #[test]
    fn warning_fails_the_suite() {
        let good = "✔ Test a() passed after 1 seconds.\n";
        let row = finished_row(&finished(good, 0), Duration::ZERO);
        assert_eq!((row.counts.passed, row.counts.failed), (1, 0));
        let warned = format!("{good}a.swift:1:2: warning: unused\n");
        let row = finished_row(&finished(&warned, 0), Duration::ZERO);
        assert_eq!((row.counts.passed, row.counts.failed), (1, 1));
    }
}
