//! The manual keeps its word: every promise is proved by a test that exists, or named open.
//!
//! What counts as naming an id is decided in `xtask/src/coverage`, compiled in here, so that this
//! test and `cargo xtask coverage` cannot disagree.

#[path = "../xtask/src/coverage/books.rs"]
mod books;
#[path = "../xtask/src/coverage/ids.rs"]
mod ids;
#[path = "../xtask/src/coverage/scan.rs"]
mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use books::{CANNOT_RECUR, Row};
use ids::{Family, Id};

const CATALOGUE: &str = include_str!("../src/manual/catalogue.md");
const GUARANTEES: &str = include_str!("../src/manual/guarantees.md");

fn evidence() -> scan::Evidence {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    scan::tree(root).unwrap_or_else(|error| panic!("the sources cannot be read: {error}"))
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// The ids of a family that have no row, or several.
fn not_once(rows: &[Row], wanted: impl Fn(Family) -> bool) -> Vec<String> {
    let mut count: BTreeMap<Id, usize> = BTreeMap::new();
    rows.iter()
        .for_each(|row| *count.entry(row.id).or_default() += 1);
    let ids = ids::all().into_iter().filter(|id| wanted(id.family));
    let counted = ids.map(|id| (id, count.get(&id).copied().unwrap_or_default()));
    counted
        .filter(|(_, n)| *n != 1)
        .map(|(id, n)| format!("{id} has {n} rows"))
        .collect()
}

fn with_an_empty_cell(rows: &[Row]) -> Vec<String> {
    let empty = rows
        .iter()
        .filter(|row| row.cells.iter().any(String::is_empty));
    empty
        .map(|row| format!("{} has an empty cell", row.id))
        .collect()
}

/// The tests that a cell names, between backticks.
fn named_tests(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with the last cell of a catalogue row.
fn unproved(row: &Row, functions: &BTreeSet<String>) -> Vec<String> {
    let cell = row.cells.last().map(String::as_str).unwrap_or_default();
    if let Some(reason) = cell.strip_prefix(CANNOT_RECUR) {
        let empty = reason.trim().is_empty();
        return empty
            .then(|| format!("{} cannot recur, without a reason", row.id))
            .into_iter()
            .collect();
    }
    let tests = named_tests(cell);
    if tests.is_empty() {
        return vec![format!("{} names no test and no reason", row.id)];
    }
    let absent = tests.into_iter().filter(|test| !functions.contains(*test));
    absent
        .map(|test| format!("{}: there is no fn {test}(", row.id))
        .collect()
}

/// The rows of the tables that tell what proves an id: those with more than a reason.
fn proved_rows() -> Vec<Row> {
    books::rows(GUARANTEES)
        .into_iter()
        .filter(|row| row.cells.len() > 1)
        .collect()
}

#[test]
fn catalogue_has_each_number_once_and_no_empty_cell() {
    let rows = books::rows(CATALOGUE);
    assert!(
        rows.iter().all(|row| row.cells.len() == 3),
        "a row has four cells"
    );
    assert_none(&not_once(&rows, |family| family == Family::Catalogue));
    assert_none(&with_an_empty_cell(&rows));
}

#[test]
fn catalogue_names_tests_that_exist() {
    let functions = evidence().functions;
    let rows = books::rows(CATALOGUE);
    let complaints: Vec<String> = rows
        .iter()
        .flat_map(|row| unproved(row, &functions))
        .collect();
    assert_none(&complaints);
}

#[test]
fn guarantees_have_each_id_once_and_no_empty_cell() {
    let rows = proved_rows();
    assert_none(&not_once(&rows, |family| family != Family::Catalogue));
    assert_none(&with_an_empty_cell(&books::rows(GUARANTEES)));
}

#[test]
fn open_rows_have_a_reason_and_only_they_have_one() {
    let open = books::open(GUARANTEES);
    let rows = proved_rows();
    let says_open = |row: &Row| row.cells.last().is_some_and(|cell| cell == "open");
    let wrong = rows
        .iter()
        .filter(|row| says_open(row) != open.contains_key(&row.id));
    let complaints: Vec<String> = wrong
        .map(|row| format!("{}: the tables disagree about it being open", row.id))
        .collect();
    assert_none(&complaints);
}

#[test]
fn every_id_is_tested_or_named_open() {
    let tests = evidence().tests;
    let (open, ruled_out) = (books::open(GUARANTEES), books::ruled_out(CATALOGUE));
    let known =
        |id: &Id| tests.contains_key(id) || open.contains_key(id) || ruled_out.contains_key(id);
    let missing = ids::all().into_iter().filter(|id| !known(id));
    let complaints: Vec<String> = missing
        .map(|id| format!("{id} is named by no test, and not open"))
        .collect();
    assert_none(&complaints);
}

#[test]
fn a_bad_catalogue_row_is_found() {
    let functions = BTreeSet::from(["a_test".to_owned()]);
    for cell in ["`no_such_test`", "cannot recur: ", "later"] {
        let rows = books::rows(&format!("| L1 | wrong | rule | {cell} |"));
        assert_eq!(unproved(&rows[0], &functions).len(), 1, "{cell}");
    }
    let good = books::rows("| L1 | wrong | rule | `a_test` |");
    assert!(unproved(&good[0], &functions).is_empty());
    assert_eq!(
        not_once(&good, |family| family == Family::Catalogue).len(),
        99
    );
    assert_eq!(
        with_an_empty_cell(&books::rows("| L1 |  | rule | `a_test` |")).len(),
        1
    );
}
