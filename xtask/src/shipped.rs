//! The library as it ships: how it is built for the platform of the build, and with what.
//!
//! Each switch stands here with its reason; what each of them saves is in the decision on the
//! library's size. Android and Apple builds use the profile `mobile` with the same switches where
//! their linkers have them.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::bindings;
use crate::cargo;

/// One kind of library alone: cargo leaves out the optimisation over all crates where a library is
/// also built for Rust.
const BUILD: [&str; 9] = [
    "rustc",
    "--profile",
    "mobile",
    "--locked",
    "--package",
    "tidings-ffi",
    "--lib",
    "--crate-type",
    "cdylib",
];

/// For every crate. A function with a frame pointer says in two lines how it is unwound, one without
/// says it anew at each push and pop: its tables weigh more than the pointer's instructions.
const CODE: [&str; 2] = ["-C", "force-frame-pointers=yes"];

/// For the linker of Linux: functions that are equal are one, and addresses to be filled in at the
/// start take a bit each instead of three words.
const LINUX: [&str; 4] = [
    "-C",
    "link-arg=-Wl,--icf=all",
    "-C",
    "link-arg=-Wl,-z,pack-relative-relocs",
];

/// No panic passes through C, so it needs no tables for one.
const C_FLAGS: &str = "-fno-asynchronous-unwind-tables -fno-unwind-tables";

/// What only the generator of bindings and the checks that ours leave out ever look for.
const HIDDEN: [&str; 2] = ["UNIFFI_META_", "uniffi_tidings_ffi_checksum_"];

/// Builds it; the ordinary build must be there already.
pub(crate) fn build() -> Result<PathBuf, String> {
    let mut command = cargo::command();
    command
        .args(BUILD)
        .arg("--")
        .env("CFLAGS", C_FLAGS)
        .env("CARGO_ENCODED_RUSTFLAGS", code()?.join("\x1f"));
    if cfg!(target_os = "linux") {
        command.args(LINUX).args(hidden()?);
    }
    run(command.current_dir(cargo::root()))?;
    Ok(cargo::root()
        .join("target/mobile")
        .join(bindings::library_name()))
}

/// The flags for every crate: [`CODE`], and no path of the building machine in the library: where a
/// panic happened is said from the crate's own folder on.
pub(crate) fn code() -> Result<Vec<String>, String> {
    let mut flags: Vec<String> = CODE.iter().map(|flag| (*flag).to_owned()).collect();
    let mut folders = cargo::sources_of_crates()?;
    folders.insert(cargo::root());
    for folder in folders {
        flags.push(format!("--remap-path-prefix={}/=", folder.display()));
    }
    Ok(flags)
}

/// Keeps the names that nobody looks for from being exported, and so what they name from being
/// linked.
fn hidden() -> Result<[String; 2], String> {
    let ordinary = cargo::root()
        .join("target/debug")
        .join(bindings::library_name());
    let library =
        fs::read(&ordinary).map_err(|error| format!("{}: {error}", ordinary.display()))?;
    let list = cargo::root().join("target/xtask/hidden.txt");
    let wrong = |error: std::io::Error| format!("{}: {error}", list.display());
    fs::create_dir_all(cargo::root().join("target/xtask")).map_err(wrong)?;
    fs::write(&list, version_script(&library)).map_err(wrong)?;
    let argument = format!("link-arg=-Wl,--version-script={}", list.display());
    Ok(["-C".to_owned(), argument])
}

/// A list for the linker: these stay inside.
fn version_script(library: &[u8]) -> String {
    let names: String = names(library)
        .into_iter()
        .map(|name| format!("{name};\n"))
        .collect();
    format!("{{ local:\n{names}}};\n")
}

/// The names to hide, as the table of exported names has them.
fn names(library: &[u8]) -> BTreeSet<String> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    library
        .split(|byte| !is_letter(byte))
        .filter(|word| {
            HIDDEN
                .iter()
                .any(|start| word.starts_with(start.as_bytes()))
        })
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn run(command: &mut Command) -> Result<(), String> {
    let status = command.status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err("the library could not be built as it ships".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_nobody_looks_for_are_hidden() {
        let library = b"\0UNIFFI_META_TIDINGS_X\0uniffi_tidings_ffi_fn_method_y\0\
                        uniffi_tidings_ffi_checksum_func_z\0UNIFFI_META_TIDINGS_X\0";
        let script = version_script(library);
        assert!(script.contains("UNIFFI_META_TIDINGS_X;\nuniffi_tidings_ffi_checksum_func_z;"));
        assert!(!script.contains("fn_method_y"));
    }
}
