//! The library with the cipher: one of its own, whose keys Rust, Swift and Kotlin try.
//!
//! It is built in a folder of its own. In the ordinary one it would take the place of the library
//! that everything else loads, under the same name.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cargo::{self, Kind};
use crate::libtest::{self, Counts};
use crate::process;
use crate::swift::{self, Missing};
use crate::table::Row;
use crate::{bindings, kotlin, surefire};

const BUILD: [&str; 7] = [
    "build",
    "--target-dir=target/encrypted",
    "--package=tidings-ffi",
    "--features=encryption",
    "--lib",
    "--test=keys",
    "--locked",
];

/// Tells the tests of Swift and Kotlin which of the two libraries they have.
pub(crate) const VARIABLE: &str = "TIDINGS_CIPHER";

const LIMIT: Duration = Duration::from_secs(20 * 60);

/// How the output of a suite is counted.
type Count = fn(&str, bool) -> Counts;

/// One row for each language; what the suites before built of the packages is there.
pub(crate) fn test_rows() -> Vec<Row> {
    println!("building the library with the cipher");
    let library = cargo::root()
        .join("target/encrypted/debug")
        .join(bindings::library_name());
    let suites: [(&str, Result<Command, Missing>, Count); 3] = [
        ("tidings-ffi keys, encrypted", rust(), libtest::counts),
        ("bindings/swift, encrypted", swift(&library), swift::counts),
        ("kotlin, encrypted", kotlin(&library), surefire::counts),
    ];
    suites.into_iter().map(row).collect()
}

fn rust() -> Result<Command, Missing> {
    let build = cargo::build(&BUILD).map_err(Missing::Failed)?;
    let program = build
        .programs
        .iter()
        .find(|program| program.kind == Kind::Test && program.name == "keys");
    match program.filter(|_| build.succeeded) {
        Some(program) => Ok(Command::new(&program.path)),
        None => Err(Missing::Failed("did not build".to_owned())),
    }
}

fn swift(library: &Path) -> Result<Command, Missing> {
    swift::tests_with("StoreKeyTests", library, VARIABLE)
}

fn kotlin(library: &Path) -> Result<Command, Missing> {
    kotlin::available()?;
    let mut maven = kotlin::maven();
    let load = format!("-D{}={}", kotlin::LIBRARY, library.display());
    maven
        .args([
            "--projects",
            "tidings",
            "surefire:test",
            "-Dtest=StoreKeyTest",
        ])
        .arg(format!("-DargLine={load}"))
        .env(VARIABLE, "yes");
    Ok(maven)
}

fn row((name, command, count): (&str, Result<Command, Missing>, Count)) -> Row {
    let started = Instant::now();
    println!("running {name}");
    let (counts, note) = match command {
        Ok(command) => ran(name, command, count),
        Err(Missing::Skipped(reason)) => (ignored(), Some(format!("skipped: {reason}"))),
        Err(Missing::Failed(reason)) => (failed(), Some(reason)),
    };
    Row {
        name: name.to_owned(),
        counts,
        duration: started.elapsed(),
        note,
    }
}

fn ran(name: &str, mut command: Command, count: Count) -> (Counts, Option<String>) {
    let log = cargo::root().join("target/xtask/logs/encrypted.log");
    match process::run(&mut command, &log, LIMIT) {
        Ok(finished) => {
            let counts = count(&finished.output, finished.succeeded());
            if counts.failed > 0 {
                println!("---- {name} ----\n{}\n----", finished.output);
            }
            (counts, None)
        }
        Err(error) => (failed(), Some(format!("did not start: {error}"))),
    }
}

fn ignored() -> Counts {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skip_has_its_reason_and_a_missing_promise_fails() {
        let skipped = Err(Missing::Skipped("no Java".to_owned()));
        let skipped = row(("kotlin", skipped, surefire::counts));
        assert_eq!((skipped.counts.ignored, skipped.counts.failed), (1, 0));
        assert_eq!(skipped.note.as_deref(), Some("skipped: no Java"));
        let failed = Err(Missing::Failed("no Java".to_owned()));
        assert_eq!(row(("kotlin", failed, surefire::counts)).counts.failed, 1);
    }
}
