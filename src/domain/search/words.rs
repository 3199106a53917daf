//! A text as words: what a store indexes, and what a query is made of.

use std::ops::Range;

use super::fold::{Part, fold};

/// Words of one text that can be found; hostile texts have more.
pub const WORDS: usize = 20_000;

/// Characters of a word that count; the rest of a longer one is as good as absent.
pub const LETTERS: usize = 64;

/// Grows whenever another version would cut the same text into other words: an index made by
/// another version is made again.
pub const VERSION: i64 = 1;

/// The folded words of a text, in order, and where in the text each of them stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// One after the other, a space between.
    joined: String,
    ends: Vec<usize>,
    spans: Vec<Range<usize>>,
}

impl Words {
    /// Cuts a text into its first [`WORDS`] words.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::first(text, WORDS)
    }

    /// Cuts a text into its first words, at most so many.
    #[must_use]
    pub fn first(text: &str, most: usize) -> Self {
        let mut words = Self::default();
        let mut open = Open::default();
        for (at, c) in text.char_indices() {
            let span = at..at + c.len_utf8();
            fold(c, |part| words.take(&mut open, part, &span));
            if words.len() >= most {
                break;
            }
        }
        words.end(&mut open);
        words.truncate(most);
        words
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The `at`th word; empty where there is none.
    #[must_use]
    pub fn word(&self, at: usize) -> &str {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.map_or(0, |end| end + 1);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.joined.get(start..end).unwrap_or_default()
    }

    /// The bytes of the text that the `at`th word stands for.
    #[must_use]
    pub fn span(&self, at: usize) -> Range<usize> {
        self.spans.get(at).cloned().unwrap_or_default()
    }

    /// All words, a space between: the form that an index takes.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.joined
    }

    fn take(&mut self, open: &mut Open, part: Part, span: &Range<usize>) {
        match part {
            Part::Letter(letter) => open.add(&mut self.joined, letter, span),
            Part::Break => self.end(open),
            Part::Alone(sign) => {
                self.end(open);
                open.add(&mut self.joined, sign, span);
                self.end(open);
            }
        }
    }

    fn end(&mut self, open: &mut Open) {
        if let Some(span) = std::mem::take(open).span {
            self.ends.push(self.joined.len());
            self.spans.push(span);
        }
    }

    /// A character may be several words, so one too many may have been cut.
    fn truncate(&mut self, most: usize) {
        self.ends.truncate(most);
        self.spans.truncate(most);
        self.joined.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// The word that is being read.
#[derive(Default)]
struct Open {
    letters: usize,
    span: Option<Range<usize>>,
}

impl Open {
    fn add(&mut self, joined: &mut String, letter: char, span: &Range<usize>) {
        match &mut self.span {
            Some(open) => open.end = span.end,
            None => {
                self.span = Some(span.clone());
                if !joined.is_empty() {
                    joined.push(' ');
                }
            }
        }
        if self.letters < LETTERS {
            joined.push(letter);
        }
        self.letters += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_where_they_stand() {
        let text = "¡Él, it's 東京!";
        let words = Words::of(text);
        assert_eq!(words.joined(), "el it s 東 京");
        let list: Vec<(&str, &str)> = (0..words.len())
            .map(|at| (words.word(at), text.get(words.span(at)).expect("a word")))
            .collect();
        let all = [
            ("el", "Él"),
            ("it", "it"),
            ("s", "s"),
            ("東", "東"),
            ("京", "京"),
        ];
        assert_eq!(list, all);
        assert_eq!(words.word(5), "");
        assert_eq!(Words::of(" ,\0 ").len(), 0);
    }

    #[test]
    fn hostile_texts_are_bounded() {
        let many = Words::of(&"a ".repeat(WORDS + 5));
        assert_eq!(many.len(), WORDS);
        let long = Words::of(&"ä".repeat(100_000));
        assert_eq!((long.len(), long.word(0).len()), (1, LETTERS));
        assert_eq!(long.span(0), 0..200_000);
        // One character that is many words.
        assert_eq!(Words::first("a \u{fdfa}", 2).joined(), "a صلى");
    }
}
