//! The scanner on small sources: what counts as evidence, and what does not.

use std::collections::BTreeMap;

use super::ids::{self, Family};
use super::{Entry, as_json_text, as_text, books, report, scan};

fn evidence(file: &str, text: &str) -> Vec<String> {
    let mut evidence = scan::Evidence::default();
    scan::source(file, text, &mut evidence);
    let lines = evidence.tests.iter();
    lines
        .flat_map(|(id, tests)| tests.iter().map(move |test| format!("{id} {test}")))
        .collect()
}

#[test]
fn ids_are_read_in_both_spellings() {
    for (text, shown) in [
        ("F-01", "F-01"),
        ("f1", "F-01"),
        ("inv25", "INV-25"),
        ("L100", "L100"),
    ] {
        assert_eq!(
            ids::parse(text).map(|id| id.to_string()).as_deref(),
            Some(shown)
        );
    }
    for text in [
        "F-57", "F-00", "L101", "INV-26", "G19", "x1", "F", "", "late",
    ] {
        assert_eq!(ids::parse(text), None, "{text}");
    }
}

#[test]
fn every_id_is_listed_once() {
    let all = ids::all();
    assert_eq!(all.len(), 25 + 56 + 100 + 18);
    assert!(all.is_sorted_by(|a, b| a < b));
    assert_eq!(
        all.iter().filter(|id| id.family == Family::Goal).count(),
        18
    );
}

#[test]
fn test_is_found_by_its_name() {
    let text = "#[tokio::test]\nasync fn l20_l21_late_chunk_joins(server: Server) {}\n";
    assert_eq!(
        evidence("src/engine/turn/tests.rs", text),
        ["L20", "L21"].map(|id| format!("{id} src/engine/turn/tests.rs: l20_l21_late_chunk_joins")),
    );
}

#[test]
fn test_is_found_by_the_comment_above_it() {
    let text = "// covers: F-27, INV-02\n#[test]\n#[cfg(\n  unix\n)]\nfn lost_ack() {}\n";
    assert_eq!(
        evidence("src/a.rs", text),
        ["INV-02 src/a.rs: lost_ack", "F-27 src/a.rs: lost_ack"]
    );
}

#[test]
fn test_is_found_on_the_line_of_its_attribute() {
    assert_eq!(
        evidence("src/a.rs", "#[test] fn g8_falls_back() {}\n").len(),
        1
    );
}

#[test]
fn comment_above_something_else_is_no_evidence() {
    let text = "// covers: F-27\nconst A: u8 = 1;\n#[test]\nfn other() {}\n";
    assert!(evidence("src/a.rs", text).is_empty());
}

#[test]
fn function_that_is_no_test_is_no_evidence() {
    assert!(evidence("src/a.rs", "fn l73_lost_ack() {}\n").is_empty());
    assert!(evidence("src/a.rs", "// #[test]\nfn l73_lost_ack() {}\n").is_empty());
    assert!(evidence("src/a.rs", "#[cfg(test)]\nfn l73_lost_ack() {}\n").is_empty());
}

#[test]
fn contract_function_is_evidence_where_only_tests_lie() {
    let text = "pub async fn l51_upsert_is_idempotent<R: Repository>(r: R) {}\n";
    assert_eq!(evidence("src/testing/repository.rs", text).len(), 1);
}

#[test]
fn simulation_tables_name_ids_as_strings() {
    let text = "Plant { name: \"early_cursor\", breaks: \"INV-10\" },\n";
    let file = "tests/simulation/plants.rs";
    assert_eq!(evidence(file, text), [format!("INV-10 {file}: table")]);
    assert!(evidence("tests/other.rs", text).is_empty());
}

#[test]
fn rows_with_two_cells_are_the_open_ones() {
    let page = "| id | promise | proof |\n|---|---|---|\n| F-01 | waits | simulation |\n\n\
                | id | reason open |\n|---|---|\n| F-40 | store hardening |\n";
    let open = books::open(page);
    assert_eq!(open.len(), 1);
    assert_eq!(
        open.values().next().map(String::as_str),
        Some("store hardening")
    );
}

#[test]
fn entry_ruled_out_without_a_reason_does_not_count() {
    let page = "| L14 | a | b | cannot recur: no timer |\n| L15 | a | b | cannot recur: |\n";
    assert_eq!(books::ruled_out(page).len(), 1);
}

#[test]
fn id_without_test_and_reason_is_missing() {
    let report = report(scan::Evidence::default(), &BTreeMap::new());
    assert!(report.entries.iter().all(Entry::is_missing));
    assert!(as_text(&report).contains("neither tested nor named open: INV-01 "));
    assert!(as_text(&report).ends_with("0 tested, 0 with a reason, 199 missing\n"));
    assert!(as_json_text(&report).contains(r#""missing":["INV-01","#));
}
