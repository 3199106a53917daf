//! Reads what a test program printed: the standard harness's summary lines.
//!
//! A program with its own `main` (the simulation) may print the same summary line,
//! `test result: ok. 300 passed; 0 failed; 0 ignored`; without one it counts as a single test.

use std::ops::AddAssign;

/// How many tests of a suite ended in which way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
}

/// The counts of one program, from its output and from how it ended.
///
/// A program that failed never counts as all passed, whatever it printed: it may have been killed
/// before, during or after its summary.
pub(crate) fn counts(output: &str, succeeded: bool) -> Counts {
    let mut counts = summary(output).unwrap_or_else(|| without_summary(output, succeeded));
    if !succeeded {
        counts.failed = counts.failed.max(1);
    }
    counts
}

/// The sum of all summary lines; documentation tests print one for each crate.
fn summary(output: &str) -> Option<Counts> {
    let mut lines = output.lines().filter_map(summary_line).peekable();
    lines.peek()?;
    let mut sum = Counts::default();
    lines.for_each(|line| sum += line);
    Some(sum)
}

fn summary_line(line: &str) -> Option<Counts> {
    let (_, rest) = line.split_once("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    let number = |name: &str| {
        rest.split(';')
            .find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
    };
    Some(Counts {
        passed: number(" passed")?,
        failed: number(" failed")?,
        ignored: number(" ignored").unwrap_or_default(),
    })
}

fn without_summary(output: &str, succeeded: bool) -> Counts {
    let ended = |how: &str| {
        let lines = output.lines();
        lines
            .filter(|line| line.starts_with("test ") && line.ends_with(how))
            .count() as u64
    };
    let passed = ended("... ok");
    let alone = u64::from(succeeded && passed == 0);
    Counts {
        passed: passed + alone,
        failed: ended("... FAILED"),
        ignored: ended("... ignored"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "running 3 tests\ntest a ... ok\n\ntest result: ok. 2 passed; 0 failed; \
                        1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";

    #[test]
    fn summary_line_is_read() {
        assert_eq!(
            counts(GOOD, true),
            Counts {
                passed: 2,
                failed: 0,
                ignored: 1
            }
        );
    }

    #[test]
    fn summaries_of_several_crates_are_added() {
        let twice = format!("{GOOD}{GOOD}");
        assert_eq!(
            counts(&twice, true),
            Counts {
                passed: 4,
                failed: 0,
                ignored: 2
            }
        );
    }

    #[test]
    fn program_that_died_after_a_good_summary_still_failed() {
        assert_eq!(
            counts(GOOD, false),
            Counts {
                passed: 2,
                failed: 1,
                ignored: 1
            }
        );
    }

    #[test]
    fn program_that_died_without_a_summary_keeps_what_had_passed() {
        let torn = "running 3 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ";
        assert_eq!(
            counts(torn, false),
            Counts {
                passed: 1,
                failed: 1,
                ignored: 0
            }
        );
    }

    #[test]
    fn program_without_a_harness_counts_as_one_test() {
        assert_eq!(
            counts("all well\n", true),
            Counts {
                passed: 1,
                failed: 0,
                ignored: 0
            }
        );
        assert_eq!(
            counts("", false),
            Counts {
                passed: 0,
                failed: 1,
                ignored: 0
            }
        );
    }
}
