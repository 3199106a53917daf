//! The manual's tables against the code: settings with their defaults and bounds, and error codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidings::config::{Config, Setting, parse_duration};

const DEFAULTS: &str = include_str!("../src/manual/defaults.md");
const ERRORS: &str = include_str!("../src/manual/errors.md");

/// The first parts of error codes; other dotted names are settings or log events.
const FAMILIES: [&str; 8] = [
    "conversation.",
    "export.",
    "import.",
    "network.",
    "send.",
    "service.",
    "store.",
    "sync.",
];

/// The cells of the row whose first cell is `name`, without backticks.
fn row(page: &str, name: &str) -> Option<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.split('|')
            .map(|cell| cell.trim().trim_matches('`').to_owned())
            .collect()
    };
    page.lines()
        .map(cells)
        .find(|cells| cells.get(1).is_some_and(|first| first == name))
}

/// The names in the first column.
fn first_cells(page: &str) -> BTreeSet<String> {
    let starts = page.lines().filter_map(|line| line.strip_prefix("| `"));
    starts
        .filter_map(|line| Some(line.split_once('`')?.0.to_owned()))
        .collect()
}

fn same_bound(written: &str, actual: &str) -> bool {
    written == actual || parse_duration(written).is_some_and(|w| parse_duration(actual) == Some(w))
}

/// What is wrong with the row of a setting.
fn complaint(setting: &Setting) -> Option<String> {
    let name = setting.name;
    let Some(cells) = row(DEFAULTS, name) else {
        return Some(format!("{name} has no row"));
    };
    if cells[2] != setting.default {
        return Some(format!(
            "{name} is {} by default, not {}",
            setting.default, cells[2]
        ));
    }
    let (low, high) = setting.bounds.as_ref()?;
    let agrees = cells[3] == "any"
        || cells[3]
            .split_once(" to ")
            .is_some_and(|(l, h)| same_bound(l, low) && same_bound(h, high));
    (!agrees).then(|| format!("{name} lies between {low} and {high}, not {}", cells[3]))
}

/// Every string literal below `src` that looks like an error code.
fn codes(folder: &Path, found: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        if path.is_dir() {
            codes(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap_or_default();
            found.extend(
                text.split('"')
                    .filter(|text| is_code(text))
                    .map(str::to_owned),
            );
        }
    }
}

fn is_code(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    let rest = FAMILIES.iter().find_map(|family| text.strip_prefix(family));
    rest.is_some_and(|rest| rest.split('.').all(word))
}

#[test]
fn every_setting_is_in_the_manual_with_its_default_and_bounds() {
    let settings = Config::default().settings();
    let complaints: Vec<String> = settings.iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_error_code_is_in_the_manual() {
    let mut found = BTreeSet::new();
    codes(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut found,
    );
    assert!(
        found.contains("network.timeout"),
        "no codes found: the search is broken"
    );
    let known: BTreeSet<String> = first_cells(ERRORS)
        .union(&first_cells(DEFAULTS))
        .cloned()
        .collect();
    let absent: Vec<&String> = found.difference(&known).collect();
    assert!(absent.is_empty(), "not in errors.md: {absent:?}");
}
