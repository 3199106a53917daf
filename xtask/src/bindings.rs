//! `cargo xtask bindings`: builds the library, writes its foreign halves, builds what can be built.
//!
//! Everything goes below `target/bindings`: generated code is built, never committed. The library
//! that is read must not be stripped, so the generator reads the ordinary build.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo;
use crate::kotlin;
use crate::swift;

/// The packages whose programs and libraries the bindings need. The library that is tested has every
/// backend, as `cargo xtask test` builds it; the one that ships has the default features.
const PACKAGES: [&str; 10] = [
    "build",
    "--features=tidings-ffi/socketio",
    "--package",
    "tidings-ffi",
    "--package",
    "tidings-bindgen",
    "--package",
    "tidings-backend",
    "--package",
    "tidings-scenarios",
];

/// Builds the library and the generator, writes both languages, builds both packages.
pub(crate) fn run() -> Result<ExitCode, String> {
    build_library()?;
    generate()?;
    println!("generated below {}", folder().display());
    swift::build()?;
    match kotlin::missing_tool() {
        Some(missing) => println!("Kotlin is not built: {missing}"),
        None => build_kotlin()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the Kotlin packages from what was generated.
pub(crate) fn build_kotlin() -> Result<(), String> {
    run_quietly(kotlin::maven().arg("package").arg("-DskipTests"))
}

/// Builds the library, its generator and the backend that the packages are tested against.
pub(crate) fn build_library() -> Result<(), String> {
    run_quietly(cargo::command().args(PACKAGES).current_dir(cargo::root()))
}

/// Where everything that is made for the foreign languages lies.
pub(crate) fn folder() -> PathBuf {
    cargo::root().join("target/bindings")
}

/// Writes both languages from what the last build made.
pub(crate) fn generate() -> Result<(), String> {
    let built = cargo::root().join("target/debug");
    let library = built.join(library_name());
    generate_kotlin(&built, &library)?;
    generate_swift(&built, &library)?;
    place(&library)
}

fn generate_kotlin(built: &Path, library: &Path) -> Result<(), String> {
    let mut generator = Command::new(built.join("tidings-bindgen"));
    generator.arg("generate").arg(library);
    generator.args(["--language", "kotlin", "--no-format", "--out-dir"]);
    run_quietly(generator.arg(fresh("kotlin")?).current_dir(cargo::root()))
}

fn generate_swift(built: &Path, library: &Path) -> Result<(), String> {
    let (sources, headers) = (fresh("swift/Sources")?, fresh("swift/Headers")?);
    let module_map = [
        "--modulemap",
        "--module-name",
        "CTidingsFFI",
        "--modulemap-filename",
        "module.modulemap",
    ];
    let steps: [(&[&str], &Path); 3] = [
        (&["--swift-sources"], &sources),
        (&["--headers"], &headers),
        (&module_map, &headers),
    ];
    for (flags, folder) in steps {
        let mut generator = Command::new(built.join("tidings-bindgen-swift"));
        generator.args(flags).arg(library).arg(folder);
        run_quietly(generator.current_dir(cargo::root()))?;
    }
    Ok(())
}

/// Copies the library to where the bridge of the JVM looks for it inside a jar.
fn place(library: &Path) -> Result<(), String> {
    let target = fresh(&format!("native/{}", kotlin::platform()))?;
    fs::copy(library, target.join(library_name()))
        .map(drop)
        .map_err(|error| format!("{}: {error}", library.display()))
}

/// A folder without what an earlier run left in it.
fn fresh(name: &str) -> Result<PathBuf, String> {
    let folder = folder().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Whether a missing toolchain is a failure: in CI it is, elsewhere its suite is skipped.
pub(crate) fn are_tools_promised() -> bool {
    env::var_os("CI").is_some_and(|value| value != "false")
}

/// The library's file name on this machine.
pub(crate) fn library_name() -> &'static str {
    if cfg!(target_os = "macos") {
        "libtidings_ffi.dylib"
    } else {
        "libtidings_ffi.so"
    }
}

fn run_quietly(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .map_err(|error| format!("{name} did not start: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{name} failed"))
}
