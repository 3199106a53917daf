//! `cargo xtask coverage`: which id is proved by which test, and which is open, and why.
//!
//! An id that is neither tested nor named open in the manual is a failure: a promise nobody checks.
//! `ids`, `scan` and `books` are also compiled into `tests/guarantees.rs`, so that the report and
//! the test can never disagree about what counts.

mod books;
mod ids;
mod scan;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use crate::cargo;
use ids::Id;

/// What is known about every id.
#[derive(Debug)]
struct Report {
    entries: Vec<Entry>,
}

/// What is known about one id.
#[derive(Debug)]
struct Entry {
    id: Id,
    tests: Vec<String>,
    /// Why no test names it: open work, or a bug that the design leaves no room for.
    reason: Option<String>,
}

impl Entry {
    const fn is_missing(&self) -> bool {
        self.tests.is_empty() && self.reason.is_none()
    }
}

/// Prints the report; fails when an id is neither tested nor named open.
pub(crate) fn run(as_json: bool) -> Result<ExitCode, String> {
    let root = cargo::root();
    let evidence = scan::tree(&root).map_err(|error| format!("reading the sources: {error}"))?;
    let mut reasons = books::open(&page(&root, "guarantees.md")?);
    let ruled_out = books::ruled_out(&page(&root, "catalogue.md")?);
    reasons.extend(
        ruled_out
            .into_iter()
            .map(|(id, why)| (id, format!("cannot recur: {why}"))),
    );
    let report = report(evidence, &reasons);
    print!(
        "{}",
        if as_json {
            as_json_text(&report)
        } else {
            as_text(&report)
        }
    );
    let complete = !report.entries.iter().any(Entry::is_missing);
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn page(root: &Path, name: &str) -> Result<String, String> {
    let path = root.join("src/manual").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn report(mut evidence: scan::Evidence, reasons: &BTreeMap<Id, String>) -> Report {
    let entry = |id| Entry {
        id,
        tests: evidence
            .tests
            .remove(&id)
            .unwrap_or_default()
            .into_iter()
            .collect(),
        reason: reasons.get(&id).cloned(),
    };
    Report {
        entries: ids::all().into_iter().map(entry).collect(),
    }
}

// Writing to a String cannot fail, so the results of `writeln!` below are dropped.
fn as_text(report: &Report) -> String {
    let mut text = String::new();
    for entry in report
        .entries
        .iter()
        .filter(|entry| !entry.tests.is_empty())
    {
        let _ = writeln!(
            text,
            "{:8} {}",
            entry.id.to_string(),
            entry.tests.join("\n         ")
        );
    }
    let _ = writeln!(text, "\nno test, with a reason:");
    for entry in report.entries.iter().filter(|entry| entry.tests.is_empty()) {
        if let Some(reason) = &entry.reason {
            let _ = writeln!(text, "{:8} {reason}", entry.id.to_string());
        }
    }
    let missing = ids_where(report, Entry::is_missing);
    if !missing.is_empty() {
        let _ = writeln!(
            text,
            "\nneither tested nor named open: {}",
            missing.join(" ")
        );
    }
    let closed = ids_where(report, |entry| {
        !entry.tests.is_empty() && entry.reason.is_some()
    });
    if !closed.is_empty() {
        let _ = writeln!(text, "\ntested, and still named open: {}", closed.join(" "));
    }
    let tested = report
        .entries
        .iter()
        .filter(|entry| !entry.tests.is_empty())
        .count();
    let reasoned = report.entries.len() - tested - missing.len();
    let _ = writeln!(
        text,
        "\n{tested} tested, {reasoned} with a reason, {} missing",
        missing.len()
    );
    text
}

fn as_json_text(report: &Report) -> String {
    let entry = |entry: &Entry| json!({ "id": entry.id.to_string(), "tests": entry.tests, "reason": entry.reason });
    let ids: Vec<_> = report.entries.iter().map(entry).collect();
    format!(
        "{}\n",
        json!({ "ids": ids, "missing": ids_where(report, Entry::is_missing) })
    )
}

fn ids_where(report: &Report, holds: impl Fn(&Entry) -> bool) -> Vec<String> {
    let entries = report.entries.iter().filter(|entry| holds(entry));
    entries.map(|entry| entry.id.to_string()).collect()
}

#[cfg(test)]
mod tests;
