//! The generated part of the package: copied to where the package looks for it, never committed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folder;
use crate::{bindings, cargo};

/// The generated module and the C header below it: where they are made, where they belong. The
/// package's own module map adds the library's name to the generated one.
const PARTS: [(&str, &str); 2] = [
    ("swift/Sources/TidingsFFI.swift", "Sources/TidingsFFI"),
    ("swift/Headers/CTidingsFFI.h", "Sources/CTidingsFFI"),
];

/// Writes the generated sources anew from what the last build made.
pub(super) fn sources() -> Result<(), String> {
    bindings::generate()?;
    PARTS.iter().try_for_each(|(made, target)| {
        let (made, target) = (bindings::folder().join(made), folder().join(target));
        place(&made, &target).map_err(|error| format!("{}: {error}", made.display()))
    })
}

/// Copies what changed: an untouched file is not compiled again.
fn place(made: &Path, folder: &Path) -> io::Result<()> {
    let target = folder.join(made.file_name().unwrap_or_default());
    let fresh = fs::read(made)?;
    if fs::read(&target).is_ok_and(|old| old == fresh) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(target, fresh)
}

/// A product of the debug build.
pub(super) fn built(name: &str) -> PathBuf {
    cargo::root().join("target/debug").join(name)
}
