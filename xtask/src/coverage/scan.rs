//! Finds which test names which id, by reading the sources as plain text.
//!
//! A test names an id at the start of its function name (`l73_lost_ack_is_reconciled_not_resent`),
//! in a comment right above it (`// covers: F-27, INV-02`), or, in the simulation, as a string of
//! its own (`"INV-05"`) in the tables of plants and faults.
//!
//! A function counts as a test when an attribute says so, or when it lies where only tests lie:
//! contract suites are plain functions that a macro turns into tests for each adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::ids::{self, Id};

/// The folders that hold tests.
const FOLDERS: [&str; 5] = ["src", "tests", "examples", "benches", "uniffi"];

/// Folders in which every function belongs to a test or a benchmark.
const TEST_FOLDERS: [&str; 3] = ["tests/", "benches/", "src/testing/"];

const SIMULATION: &str = "tests/simulation/";

/// What the sources say.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// For each id the tests that name it, as `file: function`.
    pub(crate) tests: BTreeMap<Id, BTreeSet<String>>,
    /// The name of every function, a test or not.
    pub(crate) functions: BTreeSet<String>,
}

/// Reads every Rust source below `root` that may hold tests.
pub(crate) fn tree(root: &Path) -> io::Result<Evidence> {
    let mut evidence = Evidence::default();
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            walk(root, &folder, &mut evidence)?;
        }
    }
    Ok(evidence)
}

fn walk(root: &Path, folder: &Path, evidence: &mut Evidence) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            walk(root, &path, evidence)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(root)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned();
            source(&name, &fs::read_to_string(&path)?, evidence);
        }
    }
    Ok(())
}

/// Reads one source; `file` is its path from the root.
pub(crate) fn source(file: &str, text: &str, evidence: &mut Evidence) {
    let in_test_folder = TEST_FOLDERS.iter().any(|folder| file.starts_with(folder));
    let mut above = Above::default();
    for line in text.lines().map(str::trim) {
        if above.takes(line) {
            continue;
        }
        if let Some(name) = function(line) {
            evidence.functions.insert(name.to_owned());
            if in_test_folder || above.is_test {
                let named = ids::of_function(name)
                    .into_iter()
                    .chain(above.covers.clone());
                named.for_each(|id| evidence.add(id, file, name));
            }
        } else if file.starts_with(SIMULATION) {
            quoted(line).for_each(|id| evidence.add(id, file, "table"));
        }
        above = Above::default();
    }
}

impl Evidence {
    fn add(&mut self, id: Id, file: &str, name: &str) {
        self.tests
            .entry(id)
            .or_default()
            .insert(format!("{file}: {name}"));
    }
}

/// The attributes and comments gathered so far above a function.
#[derive(Debug, Default)]
struct Above {
    is_test: bool,
    covers: Vec<Id>,
    /// An attribute that goes on in the next line.
    open_attribute: bool,
}

impl Above {
    /// Takes the line if it is a comment or an attribute.
    fn takes(&mut self, line: &str) -> bool {
        if self.open_attribute || line.starts_with("#[") {
            let names_test = ["test]", "test("].iter().any(|word| line.contains(word));
            self.is_test |= names_test && !line.starts_with("#[cfg");
            self.open_attribute = !line.contains(']');
            return function(line).is_none();
        }
        let Some(comment) = line.strip_prefix("//") else {
            return false;
        };
        let comment = comment.trim_start_matches('/').trim();
        if let Some(list) = comment.strip_prefix("covers:") {
            self.covers
                .extend(list.split([',', ' ']).filter_map(ids::parse));
        }
        true
    }
}

/// The name of the function that a line declares.
fn function(line: &str) -> Option<&str> {
    let start = if line.starts_with("fn ") {
        3
    } else {
        line.find(" fn ")? + 4
    };
    let rest = line.get(start..)?;
    let end = rest.find(['(', '<'])?;
    let name = rest.get(..end)?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then_some(name)
}

/// The string literals of a line that are an id and nothing else.
fn quoted(line: &str) -> impl Iterator<Item = Id> + '_ {
    line.split('"').skip(1).step_by(2).filter_map(ids::parse)
}
