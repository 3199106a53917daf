//! The generated part of the package: made from the library that it will call, never committed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder;
use crate::cargo;

/// The same units that the tests build, so that nothing is compiled for this alone.
const BUILD: [&str; 5] = ["build", "--workspace", "--all-features", "--lib", "--bins"];

/// The generated module and the C module below it, as `uniffi/uniffi.toml` names them.
const SOURCES: &str = "Sources/TidingsFFI";
const HEADERS: &str = "Sources/CTidingsFFI";

/// Builds the library, the generator and the reference backend, and writes the generated sources.
pub(super) fn from_fresh_library() -> Result<(), String> {
    cargo_build()?;
    let library = built("libtidings_ffi.so");
    generator(&library, &folder().join(SOURCES), "--swift-sources")?;
    generator(&library, &folder().join(HEADERS), "--headers")
}

/// A product of the debug build.
pub(super) fn built(name: &str) -> PathBuf {
    cargo::root().join("target/debug").join(name)
}

fn cargo_build() -> Result<(), String> {
    let status = cargo::command()
        .args(BUILD)
        .current_dir(cargo::root())
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err("the library could not be built".to_owned())
    }
}

/// Runs the generator, which finds its settings through the workspace it is started in.
pub(super) fn generator(library: &Path, into: &Path, what: &str) -> Result<(), String> {
    fs::create_dir_all(into).map_err(|error| format!("{}: {error}", into.display()))?;
    let output = Command::new(built("tidings-bindgen-swift"))
        .arg(library)
        .arg(into)
        .arg(what)
        .current_dir(cargo::root())
        .output()
        .map_err(|error| format!("the generator did not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("the generator failed: {}", complaint.trim()))
}
