//! Reads what `swift test` printed: one line for each test that ended, and the warnings.

use crate::libtest::Counts;

/// How the tests ended; a run that failed is never all passed.
pub(crate) fn counts(output: &str, succeeded: bool) -> Counts {
    let ended = |how: &str| output.lines().filter(|line| is_end(line, how)).count() as u64;
    let mut counts = Counts {
        passed: ended(" passed after "),
        failed: ended(" failed after "),
        ignored: ended(" skipped"),
    };
    let is_whole = succeeded && counts.passed > 0;
    if !is_whole {
        counts.failed = counts.failed.max(1);
    }
    counts
}

/// The distinct warnings of the compiler and the linker: each is a failure of the package.
pub(super) fn warnings(output: &str) -> Vec<&str> {
    let mut found: Vec<&str> = output
        .lines()
        .filter(|line| line.contains("warning: ") || line.starts_with("warning:"))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// `✔ Test name() passed after 0.001 seconds.`, but not the line of the whole run or of a suite.
fn is_end(line: &str, how: &str) -> bool {
    let Some((_, rest)) = line.split_once(" Test ") else {
        return false;
    };
    let is_mark = line.starts_with(['✔', '✘', '➜', '↷']);
    is_mark && !rest.starts_with("run with ") && rest.contains(how)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "◇ Test run started.\n\
        ✘ Test skipped() skipped: \"not here\"\n\
        ◇ Test bad() started.\n\
        ✘ Test bad() recorded an issue at T.swift:5:20: Expectation failed: 1 == 2\n\
        ✘ Test bad() failed after 0.001 seconds with 1 issue.\n\
        ✔ Test good() passed after 0.001 seconds.\n\
        ✔ Test \"a sentence\" passed after 0.002 seconds.\n\
        ✔ Suite S passed after 0.003 seconds.\n\
        ✘ Test run with 4 tests failed after 0.003 seconds with 1 issue.\n";

    #[test]
    fn ended_tests_are_counted_once() {
        let expected = Counts {
            passed: 2,
            failed: 1,
            ignored: 1,
        };
        assert_eq!(counts(OUTPUT, false), expected);
    }

    #[test]
    fn run_without_a_test_is_a_failure() {
        assert_eq!(counts("Build complete!", true).failed, 1);
        assert_eq!(
            counts("✔ Test a() passed after 1 seconds.", false).failed,
            1
        );
    }

    #[test]
    fn warnings_are_found_once_each() {
        let output = "a.swift:1:2: warning: unused\nBuilding\na.swift:1:2: warning: unused\n";
        assert_eq!(warnings(output).len(), 1);
        assert!(warnings("0 warnings").is_empty());
    }
}
