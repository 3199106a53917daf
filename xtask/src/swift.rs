//! The Swift package `bindings/swift`: its toolchain, its generated part, its build and its tests.
//!
//! The package is built and tested on Linux, inside a Debian root where the system has no Swift;
//! what only Apple's tools can do is in [`xcframework`], and nothing in CI runs that.

mod generate;
mod mirror;
mod package;
mod results;
mod root;
mod toolchain;
pub(crate) mod xcframework;

use std::path::PathBuf;

use crate::cargo;
pub(crate) use package::{build, program, program_with, test_row, tests_with};
pub(crate) use results::counts;
pub(crate) use toolchain::Missing;

/// Where the package is.
fn folder() -> PathBuf {
    cargo::root().join("bindings/swift")
}
