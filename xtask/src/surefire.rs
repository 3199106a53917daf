//! Reads what Maven printed: the closing lines of its test runner, and the compiler's warnings.

use crate::libtest::Counts;

/// The counts of one run. Warnings from our own sources are failures: the packages build clean.
pub(crate) fn counts(output: &str, succeeded: bool) -> Counts {
    let mut sum = Counts::default();
    for counts in output.lines().filter_map(closing_line) {
        sum += counts;
    }
    sum.failed += warnings(output);
    if !succeeded || sum.passed == 0 {
        sum.failed = sum.failed.max(1);
    }
    sum
}

/// `Tests run: 15, Failures: 1, Errors: 0, Skipped: 0` with nothing behind it: a module's sum.
fn closing_line(line: &str) -> Option<Counts> {
    let (_, rest) = line.split_once("Tests run: ")?;
    let mut numbers = rest.split(", ").map(|part| {
        let number = part.rsplit(' ').next().unwrap_or_default();
        number.parse::<u64>().ok()
    });
    let (run, failures) = (numbers.next()??, numbers.next()??);
    let (errors, skipped) = (numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    let failed = failures + errors;
    Some(Counts {
        passed: run.saturating_sub(failed + skipped),
        failed,
        ignored: skipped,
    })
}

fn warnings(output: &str) -> u64 {
    let ours = |line: &&str| {
        line.contains("[WARNING]") && line.contains(".kt") && !line.contains("dev/tidings/ffi/")
    };
    output.lines().filter(ours).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: &str = "[INFO] Tests run: 5, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: \
                         2.5 s -- in dev.tidings.CallbackTest";
    const SUM: &str = "[WARNING] Tests run: 15, Failures: 1, Errors: 2, Skipped: 3";

    #[test]
    fn only_the_sum_of_a_module_counts() {
        let counts = counts(&format!("{CLASS}\n{SUM}\n"), false);
        assert_eq!((counts.passed, counts.failed, counts.ignored), (9, 3, 3));
    }

    #[test]
    fn run_without_a_test_has_failed() {
        assert_eq!(counts("[INFO] BUILD SUCCESS", true).failed, 1);
    }

    #[test]
    fn warning_of_our_sources_is_a_failure_and_one_of_generated_code_is_not() {
        let sum = "[INFO] Tests run: 1, Failures: 0, Errors: 0, Skipped: 0";
        let ours = "[WARNING] file:///x/src/main/kotlin/dev/tidings/Ids.kt:1:1 unused";
        let theirs = "[WARNING] file:///x/bindings/kotlin/dev/tidings/ffi/tidings.kt:1:1 cast";
        assert_eq!(counts(&format!("{ours}\n{sum}"), true).failed, 1);
        assert_eq!(counts(&format!("{theirs}\n{sum}"), true).failed, 0);
    }
}
