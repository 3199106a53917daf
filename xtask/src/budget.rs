//! `cargo xtask ffi-budget`: the boundary stays small. Counts what the generated code can call and
//! measures the stripped library; one more than the budget is a failure.

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;

use crate::bindings;
use crate::cargo;
use crate::shipped;

/// Functions, constructors and methods together.
const FUNCTIONS: usize = 60;

/// Objects, those that the app implements among them.
const OBJECTS: usize = 15;

/// Bytes of the stripped library with the default features, for the platform of the build.
const BYTES: u64 = 4_500_000;

/// Builds the library as it ships, prints the three figures, fails past any of them.
pub(crate) fn run(surface_only: bool) -> Result<ExitCode, String> {
    let generated = generated()?;
    let mut within = true;
    within &= within_budget(
        "functions",
        names(&generated, &["method", "constructor", "func"]).len() as u64,
        FUNCTIONS as u64,
    );
    within &= within_budget(
        "objects",
        names(&generated, &["clone"]).len() as u64,
        OBJECTS as u64,
    );
    if !surface_only {
        within &= within_budget("bytes", shipped_bytes()?, BYTES);
    }
    Ok(if within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn within_budget(what: &str, is: u64, most: u64) -> bool {
    let verdict = if is <= most { "ok" } else { "TOO MANY" };
    println!("{what:>10}: {is:>9} of {most:>9}  {verdict}");
    is <= most
}

/// The generated Kotlin, written anew from the ordinary build.
fn generated() -> Result<String, String> {
    let build = [
        "build",
        "--package",
        "tidings-ffi",
        "--package",
        "tidings-bindgen",
    ];
    let status = cargo::command()
        .args(build)
        .current_dir(cargo::root())
        .status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("the library could not be built".to_owned());
    }
    bindings::generate()?;
    let path = bindings::folder().join("kotlin/dev/tidings/ffi/tidings.kt");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn shipped_bytes() -> Result<u64, String> {
    let path = shipped::build()?;
    let metadata = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(metadata.len())
}

/// The distinct exported names of these kinds that the generated code mentions.
fn names<'a>(generated: &'a str, kinds: &[&str]) -> BTreeSet<&'a str> {
    let prefix = "uniffi_tidings_ffi_fn_";
    let words = generated.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let exported = words.filter_map(|word| word.strip_prefix(prefix));
    exported
        .filter(|name| {
            let kind = name.split('_').next().unwrap_or_default();
            kinds.contains(&kind)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_export_counts_once_and_helpers_do_not() {
        let text = "external fun uniffi_tidings_ffi_fn_method_watch_next(x: Long)\n\
                    uniffi_tidings_ffi_fn_method_watch_next(1)\n\
                    uniffi_tidings_ffi_fn_free_watch uniffi_tidings_ffi_fn_clone_watch\n\
                    uniffi_tidings_ffi_fn_func_settings";
        assert_eq!(names(text, &["method", "constructor", "func"]).len(), 2);
        assert_eq!(names(text, &["clone"]).len(), 1);
    }

    #[test]
    fn one_past_the_budget_fails() {
        assert!(within_budget("functions", 60, 60));
        assert!(!within_budget("functions", 61, 60));
    }
}
