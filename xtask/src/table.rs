//! The one table of suites and the one line that closes it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::libtest::Counts;

/// One finished suite.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) counts: Counts,
    pub(crate) duration: Duration,
    /// Why the suite failed as a whole, when no test of it says so.
    pub(crate) note: Option<String>,
}

/// The table, one line a suite.
pub(crate) fn render(rows: &[Row]) -> String {
    let width = rows
        .iter()
        .map(|row| row.name.len())
        .max()
        .unwrap_or_default()
        .max("suite".len());
    let mut table = format!(
        "{:width$}  {:>6}  {:>6}  {:>7}  {:>7}\n",
        "suite", "passed", "failed", "ignored", "seconds"
    );
    for row in rows {
        let Counts {
            passed,
            failed,
            ignored,
        } = row.counts;
        let seconds = row.duration.as_secs_f64();
        let note = row
            .note
            .as_deref()
            .map(|note| format!("  {note}"))
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{:width$}  {passed:>6}  {failed:>6}  {ignored:>7}  {seconds:>7.1}{note}",
            row.name
        );
    }
    table
}

/// The closing line: `N passed, N failed`, and the skipped ones if there are any.
pub(crate) fn closing_line(total: Counts) -> String {
    let Counts {
        passed,
        failed,
        ignored,
    } = total;
    let skipped = if ignored > 0 {
        format!(", {ignored} skipped")
    } else {
        String::new()
    };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// The sum over all suites.
pub(crate) fn total(rows: &[Row]) -> Counts {
    let mut total = Counts::default();
    rows.iter().for_each(|row| total += row.counts);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, passed: u64, failed: u64) -> Row {
        let counts = Counts {
            passed,
            failed,
            ignored: 0,
        };
        Row {
            name: name.to_owned(),
            counts,
            duration: Duration::from_millis(1500),
            note: None,
        }
    }

    #[test]
    fn closing_line_names_skipped_tests_only_when_there_are_any() {
        let mut counts = Counts {
            passed: 12,
            failed: 0,
            ignored: 0,
        };
        assert_eq!(closing_line(counts), "12 passed, 0 failed");
        counts.ignored = 2;
        assert_eq!(closing_line(counts), "12 passed, 0 failed, 2 skipped");
    }

    #[test]
    fn table_has_a_line_for_each_suite() {
        let table = render(&[row("tidings (unit)", 7, 0), row("tidings lifecycle", 1, 2)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[2].starts_with("tidings lifecycle       1       2"),
            "{table}"
        );
    }
}
