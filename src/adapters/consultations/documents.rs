//! One frame, many documents: where each begins and ends, and what to skip when one is broken.
//!
//! Documents may be separated by any white space or by nothing. A text inside a string is never a
//! boundary; a raw line feed always is, because inside a string JSON must escape it.

/// Deeper documents are refused.
const DEEPEST: usize = 64;

/// One piece of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A whole object, balanced; whether its inside is sound is for the parser to say.
    Document(&'a str),
    /// Something else, skipped up to the next boundary.
    Junk,
}

/// Splits a frame into its documents.
pub(super) struct Documents<'a> {
    rest: &'a str,
}

impl<'a> Documents<'a> {
    pub(super) const fn of(frame: &'a str) -> Self {
        Self { rest: frame }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        self.rest = self.rest.trim_start_matches(is_separator);
        if self.rest.is_empty() {
            return None;
        }
        match object_end(self.rest.as_bytes()) {
            Some(end) => Some(Piece::Document(self.take(end))),
            None => {
                let boundary = next_boundary(self.rest);
                self.take(boundary);
                Some(Piece::Junk)
            }
        }
    }
}

/// White space of any kind, and the marks that some writers put around documents.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{1e}' | '\0')
}

/// Where the object that begins here ends; `None` where none begins or ends before its line does.
fn object_end(bytes: &[u8]) -> Option<usize> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut scan = Scan::default();
    let past = bytes.iter().position(|byte| !scan.goes_on(*byte))?;
    scan.balanced.then_some(past + 1)
}

#[derive(Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    balanced: bool,
}

impl Scan {
    /// Takes one byte; false at the object's end, or where it cannot be one any more.
    const fn goes_on(&mut self, byte: u8) -> bool {
        if self.in_string {
            return self.inside_string(byte);
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.balanced = self.depth == 0;
        !self.balanced && self.depth <= DEEPEST
    }

    const fn inside_string(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => return false,
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
        true
    }
}

/// Where reading may go on after junk: the next line, or the frame's end. Looking for a brace
/// instead could take a broken document's inside for a document.
fn next_boundary(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn documents(frame: &str) -> Vec<&str> {
        let sound = |piece| match piece {
            Piece::Document(text) => Some(text),
            Piece::Junk => None,
        };
        Documents::of(frame).filter_map(sound).collect()
    }

    #[test]
    fn f35_documents_are_found_with_any_separator_or_none() {
        for separator in [
            "", "\n", "\r\n", " ", "\t\n\n", "\u{85}", "\u{2028}", "\u{feff}", "\u{1e}",
        ] {
            let frame = format!("{{\"a\":1}}{separator}{{\"b\":{{}}}}{separator}");
            assert_eq!(
                documents(&frame),
                ["{\"a\":1}", "{\"b\":{}}"],
                "{separator:?}"
            );
        }
    }

    #[test]
    fn l97_line_separator_inside_a_text_is_no_boundary() {
        let frame = "{\"content\":\"one\u{85}two\u{2028}{\\\"x\\\": \\\\\"}{\"b\":1}";
        assert_eq!(documents(frame).len(), 2);
    }

    #[test]
    fn f35_a_bad_document_is_skipped_to_the_next_line() {
        for bad in [
            "{\"cut\":\"of",
            "nonsense",
            "[1,2]",
            "\"text\"",
            "{\"open\":{",
            "]}",
        ] {
            let frame = format!("{{\"a\":1}}\n{bad}\n{{\"b\":2}}");
            let pieces: Vec<_> = Documents::of(&frame).collect();
            let expected = [
                Piece::Document("{\"a\":1}"),
                Piece::Junk,
                Piece::Document("{\"b\":2}"),
            ];
            assert_eq!(pieces, expected, "{bad}");
        }
    }

    #[test]
    fn f37_a_nesting_bomb_is_junk() {
        let bomb = "{\"a\":".repeat(100_000);
        assert_eq!(Documents::of(&bomb).collect::<Vec<_>>(), [Piece::Junk]);
    }

    proptest! {
        #[test]
        fn inv25_any_text_is_split_without_panic_and_in_bounded_steps(frame in "(?s).{0,200}") {
            prop_assert!(Documents::of(&frame).count() <= frame.len());
        }

        #[test]
        fn l2_n_documents_are_split_into_n(texts in prop::collection::vec("(?s).{0,20}", 0..8), gap in "[ \n\t]{0,2}") {
            let whole: Vec<String> = texts.iter().map(|t| serde_json::json!({ "content": t, "n": [{}] }).to_string()).collect();
            let frame = whole.join(&gap);
            prop_assert_eq!(documents(&frame), whole);
        }
    }
}
