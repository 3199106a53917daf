//! Just enough reading of Rust for the rules: code without comments, literals and tests; the paths
//! it uses; the names it declares; its functions and their length.

use std::ops::Range;

/// One source file, as the rules see it.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) raw: String,
    /// `raw` with comments, literals and tests blanked; line breaks stay where they were.
    pub(crate) code: String,
    /// Lines that belong to tests.
    pub(crate) test_lines: usize,
}

/// A function and its length, signature and braces included.
pub(crate) struct Function {
    pub(crate) name: String,
    /// Counted from 0.
    pub(crate) first_line: usize,
    pub(crate) lines: usize,
}

impl Source {
    pub(crate) fn new(path: &str, raw: &str) -> Self {
        let mut code = blank_literals(raw);
        let mut test_lines = 0;
        while let Some(tests) = test_item(&code) {
            let item: String = code.get(tests.clone()).unwrap_or_default().to_owned();
            test_lines += item.lines().count();
            let gap = item
                .chars()
                .map(|letter| if letter == '\n' { '\n' } else { ' ' });
            code.replace_range(tests, &gap.collect::<String>());
        }
        Self {
            path: path.to_owned(),
            raw: raw.to_owned(),
            code,
            test_lines,
        }
    }

    /// Whether the whole file is a test.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || format!("/{}", self.path).contains("/tests/")
    }

    /// Whether the file is `src/<module>.rs` or lies below `src/<module>/`.
    pub(crate) fn is_in(&self, module: &str) -> bool {
        self.path == format!("src/{module}.rs") || self.path.starts_with(&format!("src/{module}/"))
    }

    /// Every path inside the crate that the code uses, from the crate's root: `adapters::http`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (start, _) in self.code.match_indices("crate::") {
            if !ends_in_word(self.code.get(..start)) {
                expand(self.code.get(start + "crate::".len()..), "", &mut found);
            }
        }
        self.relative_paths(&mut found);
        found
    }

    /// `super::super::x`, resolved from the place of this file.
    fn relative_paths(&self, found: &mut Vec<String>) {
        let here = self.module();
        let mut rest = self.code.as_str();
        while let Some(start) = rest.find("super::") {
            let (before, mut tail) = rest.split_at(start);
            let mut base = here.clone();
            while let Some(after) = tail.strip_prefix("super::") {
                base.pop();
                tail = after;
            }
            if !ends_in_word(Some(before)) {
                expand(Some(tail), &base.join("::"), found);
            }
            rest = tail;
        }
    }

    fn module(&self) -> Vec<String> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let inner = inner.strip_suffix(".rs").unwrap_or(inner);
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if module
            .last()
            .is_some_and(|last| last == "mod" || last == "lib")
        {
            module.pop();
        }
        module
    }

    /// The name of everything the code declares.
    pub(crate) fn names(&self) -> Vec<String> {
        const DECLARES: [&str; 9] = [
            "struct", "enum", "trait", "fn", "mod", "type", "union", "const", "static",
        ];
        let words: Vec<&str> = words(&self.code).collect();
        let declared = words.windows(2).filter(|pair| DECLARES.contains(&pair[0]));
        declared.map(|pair| pair[1].to_owned()).collect()
    }

    /// Every function with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let starts = self.code.match_indices("fn ").map(|(start, _)| start);
        let starts = starts.filter(|start| !ends_in_word(self.code.get(..*start)));
        starts.filter_map(|start| self.function(start)).collect()
    }

    fn function(&self, start: usize) -> Option<Function> {
        let text = self.code.get(start..)?;
        let name = words(text).nth(1)?.to_owned();
        let body = body_start(text)?;
        let end = body + matching_brace(text.get(body..)?)?;
        let lines = text.get(..end)?.matches('\n').count() + 1;
        let first_line = self.code.get(..start)?.matches('\n').count();
        Some(Function {
            name,
            first_line,
            lines,
        })
    }

    /// Whether a comment with `mark` stands above the line, among attributes and comments.
    pub(crate) fn is_marked(&self, line: usize, mark: &str) -> bool {
        let lines: Vec<&str> = self.raw.lines().take(line).map(str::trim).collect();
        let above = lines
            .iter()
            .rev()
            .take_while(|line| line.starts_with(['/', '#']));
        above
            .copied()
            .any(|line| line.starts_with("//") && line.contains(mark))
    }
}

/// The identifiers and keywords of a text, in order.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter| !is_word(letter))
        .filter(|word| !word.is_empty())
}

const fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

fn ends_in_word(text: Option<&str>) -> bool {
    text.unwrap_or_default().ends_with(is_word)
}

/// Follows one path or one `{…}` group of a `use`, and collects each full path in it.
fn expand(text: Option<&str>, prefix: &str, found: &mut Vec<String>) {
    let text = text.unwrap_or_default().trim_start();
    if let Some(group) = text.strip_prefix('{') {
        let end = matching_brace(text).unwrap_or(text.len()).saturating_sub(2);
        split_at_commas(group.get(..end).unwrap_or(group))
            .into_iter()
            .for_each(|part| expand(Some(part), prefix, found));
        return;
    }
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // A macro of the crate lives at its root wherever it was written, so it tells nothing.
    if name.is_empty() || rest.starts_with('!') {
        return;
    }
    let path = if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}::{name}")
    };
    match rest.strip_prefix("::") {
        Some(deeper) if deeper.starts_with(|letter| is_word(letter) || letter == '{') => {
            expand(Some(deeper), &path, found);
        }
        _ => found.push(path),
    }
}

fn split_at_commas(group: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let parts = group.split(move |letter| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        letter == ',' && depth == 0
    });
    parts.collect()
}

/// Where the body of a function starts; none for a declaration without a body.
fn body_start(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (place, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ';' if depth == 0 => return None,
            '{' if depth == 0 => return Some(place),
            _ => {}
        }
    }
    None
}

/// The length of the text up to the brace that closes the first one.
fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (place, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(place + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The next item that is compiled for tests only: from its `#[cfg(test)]` to its end.
fn test_item(code: &str) -> Option<Range<usize>> {
    let start = code.find("#[cfg(test)]")?;
    let item = code.get(start..)?;
    let semicolon = item.find(';').map(|place| place + 1);
    let brace = item.find('{');
    let end = match (semicolon, brace) {
        (Some(semicolon), Some(brace)) if semicolon < brace => semicolon,
        (_, Some(brace)) => brace + matching_brace(item.get(brace..)?)?,
        (Some(semicolon), None) => semicolon,
        (None, None) => item.len(),
    };
    Some(start..start + end)
}

/// Replaces comments and the inside of literals by blanks, letter for letter.
fn blank_literals(raw: &str) -> String {
    let letters: Vec<char> = raw.chars().collect();
    let mut code = String::with_capacity(raw.len());
    let mut place = 0;
    while place < letters.len() {
        let end = place + literal_length(&letters, place);
        if end == place {
            code.push(ascii(letters[place]));
            place += 1;
        }
        while place < end.min(letters.len()) {
            code.push(if letters[place] == '\n' { '\n' } else { ' ' });
            place += 1;
        }
    }
    code
}

/// One byte a letter, so that places in the blanked code are simple.
const fn ascii(letter: char) -> char {
    if letter.is_ascii() { letter } else { '_' }
}

/// The length of the comment or literal that starts here; 0 when none does.
fn literal_length(letters: &[char], place: usize) -> usize {
    let at = |offset: usize| letters.get(place + offset).copied().unwrap_or('\0');
    let after_word = place > 0 && is_word(letters[place - 1]);
    match (at(0), at(1)) {
        ('/', '/') => letters[place..]
            .iter()
            .take_while(|letter| **letter != '\n')
            .count(),
        ('/', '*') => block_comment(&letters[place..]),
        ('"', _) => quoted(&letters[place..]),
        ('r', '"' | '#') if !after_word => raw_string(&letters[place..], 1),
        ('b', 'r') if !after_word => raw_string(&letters[place..], 2),
        ('\'', '\\') => 2 + quoted_to(&letters[place + 2..], '\''),
        ('\'', _) if at(2) == '\'' => 3,
        _ => 0,
    }
}

fn block_comment(letters: &[char]) -> usize {
    let mut depth = 0_i32;
    let mut place = 0;
    while place + 1 < letters.len() {
        match (letters[place], letters[place + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') if depth == 1 => return place + 2,
            ('*', '/') => depth -= 1,
            _ => {
                place += 1;
                continue;
            }
        }
        place += 2;
    }
    letters.len()
}

fn quoted(letters: &[char]) -> usize {
    let mut place = 1;
    while place < letters.len() {
        match letters[place] {
            '\\' => place += 2,
            '"' => return place + 1,
            _ => place += 1,
        }
    }
    letters.len()
}

/// The rest of a character literal after its backslash and the letter behind it.
fn quoted_to(letters: &[char], quote: char) -> usize {
    letters
        .iter()
        .skip(1)
        .position(|letter| *letter == quote)
        .map_or(letters.len(), |end| end + 2)
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`; 0 when it is a raw identifier or something else.
fn raw_string(letters: &[char], prefix: usize) -> usize {
    let hashes = letters
        .iter()
        .skip(prefix)
        .take_while(|letter| **letter == '#')
        .count();
    if letters.get(prefix + hashes) != Some(&'"') {
        return 0;
    }
    let close: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let inside = prefix + hashes + 1;
    let end = letters[inside..]
        .windows(close.len())
        .position(|window| *window == close[..]);
    end.map_or(letters.len(), |end| inside + end + close.len())
}
