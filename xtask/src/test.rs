//! `cargo xtask test`: builds once, runs every suite, prints one table.
//!
//! No suite is retried: a test that fails now and then is a bug report, and a retry would hide it.
//! Set-up on a fresh machine is a toolchain and the crates: the C compiler that SQLite needs is the
//! linker that made this very program.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::bindings;
use crate::cargo::{self, Build};
use crate::encrypted;
use crate::kotlin;
use crate::libtest::{self, Counts};
use crate::node;
use crate::process::{self, Finished};
use crate::scenarios;
use crate::suites::{self, Plan, Suite};
use crate::surefire;
use crate::swift::{self, Missing};
use crate::table::{self, Row};

/// No suite needs more than minutes; past this it hangs, and the others should still be heard.
const SUITE_LIMIT: Duration = Duration::from_secs(20 * 60);

/// How much of a failed suite's output is printed; the whole of it is in its log.
const SHOWN_LINES: usize = 400;

/// `cargo build --tests` makes the same programs as `cargo test --no-run`, and it alone goes on
/// after a target that does not compile. The libraries themselves are loaded by Swift and Kotlin.
const BUILD: [&str; 6] = [
    "build",
    "--lib",
    "--tests",
    "--bins",
    "--examples",
    "--keep-going",
];

/// The feature that exchanges the store's engine. What is off by default is tested too, but not
/// instead of what is on: so the suites run without it, and its own suite is built in addition.
const EXCHANGING: &str = "encryption";

const EXCHANGED: [&str; 5] = [
    "build",
    "--package=tidings",
    "--features=tidings/encryption,tidings/testing",
    "--test=encryption",
    "--keep-going",
];

const DOCUMENTATION: [&str; 3] = ["test", "--no-fail-fast", "--doc"];

/// Runs the task; the exit code is a failure when anything failed or could not be built.
pub(crate) fn run() -> Result<ExitCode, String> {
    let started = Instant::now();
    let targets = cargo::targets()?;
    let features = format!("--features={}", cargo::features_but(EXCHANGING)?);
    let everywhere = ["--workspace", &features];
    let build = build(&everywhere)?;
    node::prepare_redis();
    let suites = suites::list(&targets, &build.programs);
    let mut rows: Vec<Row> = suites
        .iter()
        .map(|suite| run_suite(suite, &everywhere))
        .collect();
    rows.push(swift::test_row());
    rows.extend(scenarios::test_rows());
    rows.extend(encrypted::test_rows());
    let suites_built = suites.iter().all(|suite| suite.plan != Plan::NotBuilt);
    if !build.succeeded && suites_built {
        rows.push(failed_row(
            "build (examples and programs)",
            started,
            "did not build",
        ));
    }
    let total = table::total(&rows);
    println!("\n{}\n{}", table::render(&rows), table::closing_line(total));
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Builds everything, and what needs another engine with that.
fn build(everywhere: &[&str]) -> Result<Build, String> {
    let mut most = cargo::build(&[&BUILD, everywhere].concat())?;
    let exchanged = cargo::build(&EXCHANGED)?;
    most.programs.extend(exchanged.programs);
    most.succeeded &= exchanged.succeeded;
    Ok(most)
}

fn run_suite(suite: &Suite, everywhere: &[&str]) -> Row {
    let started = Instant::now();
    let mut command = match &suite.plan {
        Plan::NotBuilt => return failed_row(&suite.name, started, "did not build"),
        Plan::Documentation => documentation(everywhere),
        Plan::Kotlin => match prepare_kotlin() {
            Ok(command) => command,
            Err(Missing::Skipped(why)) => return skipped_row(&suite.name, started, &why),
            Err(Missing::Failed(why)) => return failed_row(&suite.name, started, &why),
        },
        Plan::Program {
            path,
            directory,
            arguments,
        } => program(path, directory, arguments),
    };
    println!("running {}", suite.name);
    let log = cargo::root()
        .join("target/xtask/logs")
        .join(file_name(&suite.name));
    match process::run(&mut command, &log, SUITE_LIMIT) {
        Ok(finished) => finished_row(suite, &finished),
        Err(error) => failed_row(&suite.name, started, &format!("did not start: {error}")),
    }
}

fn documentation(everywhere: &[&str]) -> Command {
    let mut command = cargo::command();
    command
        .args(DOCUMENTATION)
        .args(everywhere)
        .current_dir(cargo::root());
    command
}

/// A test program, with the surroundings that `cargo test` would give it.
fn program(path: &Path, directory: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new(path);
    command
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_MANIFEST_DIR", directory);
    command
}

/// Everything the Kotlin suite needs beside its sources. CI promises the tools: there a missing
/// one is a failure; elsewhere it is a skip that says its name.
fn prepare_kotlin() -> Result<Command, Missing> {
    kotlin::available()?;
    bindings::generate().map_err(Missing::Failed)?;
    Ok(kotlin::test_command())
}

fn skipped_row(name: &str, started: Instant, note: &str) -> Row {
    Row {
        name: name.to_owned(),
        counts: Counts {
            ignored: 1,
            ..Counts::default()
        },
        duration: started.elapsed(),
        note: Some(format!("skipped: {note}")),
    }
}

fn finished_row(suite: &Suite, finished: &Finished) -> Row {
    let name = suite.name.as_str();
    let count = match suite.plan {
        Plan::Kotlin => surefire::counts,
        _ => libtest::counts,
    };
    let counts = count(&finished.output, finished.succeeded());
    if counts.failed > 0 {
        println!("---- {name} ----\n{}\n----", tail(&finished.output));
    }
    let note = finished
        .status
        .is_none()
        .then(|| "ended at the time limit".to_owned());
    Row {
        name: name.to_owned(),
        counts,
        duration: finished.duration,
        note,
    }
}

fn failed_row(name: &str, started: Instant, note: &str) -> Row {
    Row {
        name: name.to_owned(),
        counts: Counts {
            failed: 1,
            ..Counts::default()
        },
        duration: started.elapsed(),
        note: Some(note.to_owned()),
    }
}

fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let from = lines.len().saturating_sub(SHOWN_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

fn file_name(suite: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    format!("{}.log", suite.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_name_has_no_special_characters() {
        assert_eq!(file_name("tidings (unit)"), "tidings--unit-.log");
    }

    #[test]
    fn only_the_end_of_a_long_output_is_shown() {
        let long: Vec<String> = (0..1000).map(|line| line.to_string()).collect();
        let shown = tail(&long.join("\n"));
        assert_eq!(shown.lines().count(), SHOWN_LINES);
        assert!(shown.ends_with("999"));
    }

    #[test]
    fn suite_that_did_not_build_is_one_failure() {
        let suite = Suite {
            name: "broken".to_owned(),
            plan: Plan::NotBuilt,
        };
        assert_eq!(run_suite(&suite, &[]).counts.failed, 1);
    }
}
