//! What cargo knows: the packages of the workspace, their targets, and the programs a build made.
//!
//! The test and benchmark programs are built once for the whole workspace and then started
//! directly. Running `cargo test -p` for each would resolve features anew and compile the
//! dependencies again.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// One target of one package, as `cargo metadata` lists it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Target {
    pub(crate) package: String,
    pub(crate) package_id: String,
    /// The directory of the package, where cargo starts its tests.
    pub(crate) directory: PathBuf,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Whether `cargo test` builds it by default.
    pub(crate) tested: bool,
    pub(crate) doc_tested: bool,
}

/// The kinds of target that matter here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Library,
    Binary,
    Test,
    Bench,
    Other,
}

/// A test or benchmark program that a build made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Program {
    pub(crate) package_id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) path: PathBuf,
}

/// The outcome of one build: what it made, and whether all of it could be built.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) programs: Vec<Program>,
    pub(crate) succeeded: bool,
}

/// The cargo that started this program.
pub(crate) fn command() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The root directory of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Every target of every package of the workspace.
pub(crate) fn targets() -> Result<Vec<Target>, String> {
    Ok(packages()?.iter().flat_map(targets_of).collect())
}

/// The folders below which the sources of the crates lie that are not ours.
pub(crate) fn sources_of_crates() -> Result<BTreeSet<PathBuf>, String> {
    let packages = listed(&["--locked"])?;
    let manifests = packages
        .iter()
        .map(|package| PathBuf::from(text(&package["manifest_path"])))
        .filter(|manifest| !manifest.starts_with(root()));
    let folders = manifests.filter_map(|manifest| Some(manifest.parent()?.parent()?.to_path_buf()));
    Ok(folders.collect())
}

/// Every feature of every package of the workspace but those of that name, as cargo takes them.
pub(crate) fn features_but(left_out: &str) -> Result<String, String> {
    let packages = packages()?;
    let features = packages.iter().flat_map(|package| {
        let names = package["features"].as_object().into_iter();
        let names = names.flat_map(serde_json::Map::keys);
        names
            .filter(|name| *name != left_out)
            .map(|name| format!("{}/{name}", text(&package["name"])))
    });
    Ok(features.collect::<Vec<_>>().join(","))
}

fn packages() -> Result<Vec<Value>, String> {
    listed(&["--no-deps"])
}

/// The packages that `cargo metadata` lists.
fn listed(arguments: &[&str]) -> Result<Vec<Value>, String> {
    let output = command()
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata is unreadable: {error}"))?;
    Ok(metadata["packages"].as_array().cloned().unwrap_or_default())
}

/// Runs a cargo command that builds and runs nothing, and collects the test and benchmark programs.
pub(crate) fn build(arguments: &[&str]) -> Result<Build, String> {
    let output = command()
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo did not start: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(Build {
        programs: messages.lines().filter_map(program).collect(),
        succeeded: output.status.success(),
    })
}

fn targets_of(package: &Value) -> Vec<Target> {
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let directory = manifest.parent().map(Path::to_path_buf).unwrap_or_default();
    let targets = package["targets"].as_array().cloned().unwrap_or_default();
    targets
        .iter()
        .map(|target| Target {
            package: text(&package["name"]),
            package_id: text(&package["id"]),
            directory: directory.clone(),
            name: text(&target["name"]),
            kind: kind(target),
            tested: target["test"].as_bool().unwrap_or_default(),
            doc_tested: target["doctest"].as_bool().unwrap_or_default(),
        })
        .collect()
}

fn program(message: &str) -> Option<Program> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_program = message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
    let path = message["executable"].as_str().filter(|_| is_program)?;
    Some(Program {
        package_id: text(&message["package_id"]),
        name: text(&message["target"]["name"]),
        kind: kind(&message["target"]),
        path: PathBuf::from(path),
    })
}

fn kind(target: &Value) -> Kind {
    match target["kind"][0].as_str().unwrap_or_default() {
        "lib" | "rlib" | "cdylib" | "staticlib" | "proc-macro" => Kind::Library,
        "bin" => Kind::Binary,
        "test" => Kind::Test,
        "bench" => Kind::Bench,
        _ => Kind::Other,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifact_of_a_test_target_is_a_program() {
        let message = r#"{"reason":"compiler-artifact","package_id":"p","executable":"/x/t",
            "target":{"name":"t","kind":["test"]},"profile":{"test":true}}"#;
        let found = program(message).expect("a program");
        assert_eq!((found.name.as_str(), found.kind), ("t", Kind::Test));
    }

    #[test]
    fn artifact_that_is_no_test_program_is_left_out() {
        let binary = r#"{"reason":"compiler-artifact","executable":"/x/b","package_id":"p",
            "target":{"name":"b","kind":["bin"]},"profile":{"test":false}}"#;
        assert_eq!(program(binary), None);
        assert_eq!(program("Compiling tidings"), None);
    }

    #[test]
    fn features_are_those_of_all_packages_but_one() {
        let features = features_but("encryption").expect("metadata");
        let features: Vec<&str> = features.split(',').collect();
        assert!(features.contains(&"tidings/testing"));
        assert!(!features.iter().any(|name| name.ends_with("/encryption")));
    }

    #[test]
    fn workspace_lists_its_own_package() {
        let targets = targets().expect("metadata");
        assert!(
            targets
                .iter()
                .any(|target| target.package == "xtask" && target.tested)
        );
    }
}
