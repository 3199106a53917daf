//! `cargo xtask mobile-check`: the library's code as Android and iOS compile it, on any machine.
//!
//! Only the compiler's checks: no NDK and no Xcode, so C is not compiled but stood in for. What this
//! finds is every error in what `cfg` leaves out elsewhere. Where the standard library of a system
//! cannot be had, its check is skipped by name.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cargo;

/// One system, with the features that can be checked without its tools.
struct System {
    target: &'static str,
    features: &'static str,
}

/// Apple has ciphers of its own; elsewhere OpenSSL would be built, by its own rules.
const SYSTEMS: [System; 2] = [
    System {
        target: "aarch64-linux-android",
        features: "socketio",
    },
    System {
        target: "aarch64-apple-ios",
        features: "socketio,encryption",
    },
];

/// Writes an empty file where an object is asked for, and gives a source back as preprocessed.
const COMPILER: &str = r#"#!/bin/sh
object= source= preprocess=
while [ $# -gt 0 ]; do
  case "$1" in
    -o) object=$2; shift ;;
    -E) preprocess=yes ;;
    -*) ;;
    *) source=$1 ;;
  esac
  shift
done
if [ -n "$preprocess" ]; then exec cat "$source"; fi
if [ -n "$object" ]; then : >"$object"; fi
"#;

/// Apple's finder of tools: build scripts ask it where the system's headers are.
const FINDER: &str = "#!/bin/sh\necho /\n";

/// Checks both systems; fails where one of them does not compile.
pub(crate) fn run() -> Result<ExitCode, String> {
    let tools = tools()?;
    let mut all_well = true;
    for system in &SYSTEMS {
        match installed(system.target) {
            Err(reason) => println!("{}: skipped, {reason}", system.target),
            Ok(()) => all_well &= checked(system, &tools)?,
        }
    }
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn checked(system: &System, tools: &Path) -> Result<bool, String> {
    let status = check(system, tools)
        .status()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    let verdict = if status.success() { "ok" } else { "FAILED" };
    println!("{}: {verdict}, with {}", system.target, system.features);
    Ok(status.success())
}

fn check(system: &System, tools: &Path) -> Command {
    let name = system.target.replace('-', "_");
    let mut path = tools.as_os_str().to_owned();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut command = cargo::command();
    command
        .args(["check", "--quiet", "--locked", "--package", "tidings-ffi"])
        .args(["--target", system.target, "--features", system.features])
        .env(format!("CC_{name}"), tools.join("stand-in-cc"))
        .env(format!("AR_{name}"), "ar")
        .env("PATH", path)
        .env("RUSTFLAGS", "-Dwarnings")
        .current_dir(cargo::root());
    command
}

/// The system's standard library, installed where rustup can.
fn installed(target: &str) -> Result<(), String> {
    let added = Command::new("rustup")
        .args(["target", "add", target])
        .output();
    match added {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = said.lines().last().unwrap_or_default();
            Err(format!("its standard library cannot be had: {last}"))
        }
        Err(_) => Err("no rustup here to install its standard library".to_owned()),
    }
}

/// Not named `cc`: build scripts link their own programs with that.
fn tools() -> Result<PathBuf, String> {
    let folder = cargo::root().join("target/xtask/stand-in");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for (name, script) in [("stand-in-cc", COMPILER), ("xcrun", FINDER)] {
        let file = folder.join(name);
        let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
        fs::write(&file, script).map_err(wrong)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(wrong)?;
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_in_makes_objects_and_gives_sources_back() {
        let tools = tools().expect("written");
        let (source, object) = (tools.join("test.c"), tools.join("test.o"));
        fs::write(&source, "int one;\n").expect("written");
        let _ = fs::remove_file(&object);
        let compiler = || Command::new(tools.join("stand-in-cc"));
        let mut compile = compiler();
        compile
            .args(["-Wall", "-c", "-o"])
            .arg(&object)
            .arg(&source);
        assert!(compile.status().expect("started").success() && object.exists());
        let given = compiler().arg("-E").arg(&source).output();
        assert_eq!(given.expect("started").stdout, b"int one;\n");
    }
}
