//! The programs of Swift and Kotlin that open, close and read for long: built, and ready to start.

use std::path::Path;
use std::process::Command;

use crate::swift::{self, Missing};
use crate::{bindings, cargo, kotlin};

/// A JVM whose memory can be measured: the heap is one block that is there from the start, the
/// compiler is the one that soon has nothing more to learn.
const MEASURABLE: [&str; 6] = [
    "-Xms64m",
    "-Xmx64m",
    "-Xmn24m",
    "-XX:+AlwaysPreTouch",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
];

/// The program of the Swift package; the library must be built.
pub(crate) fn swift() -> Result<Command, Missing> {
    swift::build().map_err(Missing::Failed)?;
    swift::program("TidingsEndurance")
}

/// The program of the Kotlin packages; the library must be built.
pub(crate) fn kotlin() -> Result<Command, Missing> {
    built_kotlin()?;
    let mut java = java(&MEASURABLE);
    // One place for the C library's free memory, not one for each thread.
    java.env("MALLOC_ARENA_MAX", "1");
    Ok(java)
}

/// The same as an app runs it, with this library.
pub(crate) fn kotlin_with(library: &Path) -> Result<Command, Missing> {
    built_kotlin()?;
    let load = format!("-D{}={}", kotlin::LIBRARY, library.display());
    Ok(java(&[&load]))
}

fn built_kotlin() -> Result<(), Missing> {
    kotlin::available()?;
    bindings::generate()
        .and_then(|()| bindings::build_kotlin())
        .map_err(Missing::Failed)
}

fn java(options: &[&str]) -> Command {
    let built = cargo::root().join("bindings/kotlin/endurance/target");
    kotlin::java(options, &built, "dev.tidings.endurance.MainKt")
}
