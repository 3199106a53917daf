//! What the Kotlin packages need: Java 17 and Maven. Maven brings the compiler and the libraries.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::swift::Missing;
use crate::{bindings, cargo};

/// The property that says which library is loaded.
pub(crate) const LIBRARY: &str = "uniffi.component.tidings.libraryOverride";

/// Whether Kotlin can be built here: in CI it has to be, elsewhere a machine may go without.
pub(crate) fn available() -> Result<(), Missing> {
    match missing_tool() {
        Some(missing) if bindings::are_tools_promised() => Err(Missing::Failed(missing.to_owned())),
        Some(missing) => Err(Missing::Skipped(missing.to_owned())),
        None => Ok(()),
    }
}

/// The Kotlin suite and the checks of what it prints, as one command.
pub(crate) fn test_command() -> Command {
    let mut command = maven();
    command.arg("verify");
    command
}

/// Maven in the folder of the Kotlin packages: no colours, no progress of downloads.
pub(crate) fn maven() -> Command {
    let mut maven = Command::new("mvn");
    maven
        .args(["--batch-mode", "--no-transfer-progress"])
        .current_dir(cargo::root().join("bindings/kotlin"))
        .stdin(Stdio::null());
    maven
}

/// The player of the golden scenarios, as the last build made it.
pub(crate) fn player() -> Command {
    let built = cargo::root().join("bindings/kotlin/scenarios/target");
    java(&[], &built, "dev.tidings.scenarios.MainKt")
}

/// A program of one package, from its folder of built things, in a JVM with these options.
pub(crate) fn java(options: &[&str], built: &Path, program: &str) -> Command {
    let (classes, libraries) = (built.join("classes"), built.join("libraries"));
    let mut java = Command::new("java");
    java.args(options)
        .arg("-cp")
        .arg(format!("{}:{}/*", classes.display(), libraries.display()))
        .arg(program);
    java
}

/// What this machine lacks for Kotlin, said for whoever has to install it.
pub(crate) fn missing_tool() -> Option<&'static str> {
    if !starts("java", "-version") {
        return Some("no Java here: install a JDK, 17 or later");
    }
    if !starts("mvn", "--version") {
        return Some("no Maven here: install it, 3.8 or later");
    }
    None
}

fn starts(program: &str, question: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(question).stdin(Stdio::null());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// This machine, as the bridge of the JVM names it.
pub(crate) fn platform() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        other => other,
    };
    format!("{system}-{machine}")
}
