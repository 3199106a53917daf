//! Reads the tables of the manual: `guarantees.md` and `catalogue.md`.

use std::collections::BTreeMap;

use super::ids::{self, Family, Id};

/// The words of a catalogue row that needs no test, because the design leaves no room for the bug.
pub(crate) const CANNOT_RECUR: &str = "cannot recur:";

/// One row of a table whose first cell is an id.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: Id,
    /// The cells after the id.
    pub(crate) cells: Vec<String>,
}

/// Every row whose first cell is an id, in the order of the page.
pub(crate) fn rows(page: &str) -> Vec<Row> {
    page.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = inner.split('|').map(|cell| cell.trim().to_owned());
    let id = ids::parse(&cells.next()?)?;
    Some(Row {
        id,
        cells: cells.collect(),
    })
}

/// The ids that `guarantees.md` names open, each with its reason: the rows with two cells.
pub(crate) fn open(guarantees: &str) -> BTreeMap<Id, String> {
    let reasons = rows(guarantees)
        .into_iter()
        .filter(|row| row.cells.len() == 1);
    reasons.map(|row| (row.id, row.cells.concat())).collect()
}

/// The catalogue entries that the design rules out, each with its reason.
pub(crate) fn ruled_out(catalogue: &str) -> BTreeMap<Id, String> {
    let entries = rows(catalogue)
        .into_iter()
        .filter(|row| row.id.family == Family::Catalogue);
    entries
        .filter_map(|row| {
            let reason = row.cells.last()?.strip_prefix(CANNOT_RECUR)?.trim();
            (!reason.is_empty()).then(|| (row.id, reason.to_owned()))
        })
        .collect()
}
