//! The README shows the same example as the crate's front page, where it is compiled.

/// The lines between the first fence that starts with `open` and its end.
fn fenced<'a>(text: &'a str, open: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != open).skip(1);
    lines.take_while(|line| *line != "```").collect()
}

#[test]
fn readme_shows_the_example_that_is_compiled() {
    let front: String = include_str!("../src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
        .collect();
    let compiled: Vec<_> = fenced(&front, "```no_run")
        .into_iter()
        .filter(|line| !line.starts_with("# "))
        .collect();
    let shown = fenced(include_str!("../README.md"), "```rust");
    assert!(compiled.len() > 10);
    assert_eq!(shown, compiled);
}
