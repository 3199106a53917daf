//! The rules of the house that a compiler cannot check: layers point inward, engines are plain
//! machines, clocks and tasks have one home, files and functions stay small, names say something,
//! and no text points outside the repository.
//!
//! The reading is plain text, without dependencies. Every rule is also run on a small piece of code
//! that breaks it, so that a rule that stopped seeing anything fails.

#[path = "architecture/code.rs"]
mod code;
#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/self_tests.rs"]
mod self_tests;

use std::fs;
use std::path::{Path, PathBuf};

use code::Source;

/// Names that hold no text of ours; in a linked work tree `.git` is a file.
const NOT_OURS: [&str; 6] = [
    ".git",
    "target",
    "node_modules",
    ".build",
    ".gradle",
    "build",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below a folder, as (path from the root, text).
fn texts(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "{folder} has no files");
    found
}

fn collect(folder: &Path, found: &mut Vec<(String, String)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let inner = path.strip_prefix(root()).unwrap_or(&path);
            found.push((inner.to_string_lossy().replace('\\', "/"), text));
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let texts = texts(folder)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs"));
    texts
        .map(|(path, text)| Source::new(&path, &text))
        .collect()
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn sdk_keeps_the_rules() {
    let violations: Vec<String> = sources("src").iter().flat_map(rules::all).collect();
    assert_none(&violations);
}

#[test]
fn programs_keep_the_rules_of_size_and_name() {
    let programs = sources("examples").into_iter().chain(sources("xtask"));
    let violations: Vec<String> = programs
        .flat_map(|source| rules::for_programs(&source))
        .collect();
    assert_none(&violations);
}

#[test]
fn no_text_points_outside_the_repository() {
    let violations: Vec<String> = texts("")
        .iter()
        .flat_map(|(path, text)| rules::private_places(path, text))
        .collect();
    assert_none(&violations);
}
