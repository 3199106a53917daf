//! The exception from the ban on unsafe code is for the symbols that the macros write, and for
//! nothing written by hand; and no export may block the thread that calls it.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Lines of `text` that are code and hold `word` as a word.
fn lines_with<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let is_word = |line: &&str| {
        line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .any(|part| part == word)
    };
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.filter(is_word).collect()
}

#[test]
fn nothing_written_by_hand_is_unsafe_or_blocks_its_caller() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 15, "the sources were not found");
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in ["unsafe", "block_on"] {
            let found = lines_with(shipped, word);
            assert!(found.is_empty(), "{}: {found:?}", file.display());
        }
    }
}

#[test]
fn search_sees_a_word_in_code_and_not_in_comments_or_other_words() {
    let text = "// unsafe\nlet unsafe_no_sync = 1;\nunsafe { x() }\n";
    assert_eq!(lines_with(text, "unsafe"), ["unsafe { x() }"]);
}
