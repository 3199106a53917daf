//! What a user looks for. Any text is a query: nothing in it is syntax but the double quote.

use std::ops::Range;

use super::words::Words;

/// Words of a query that count.
pub const WORDS: usize = 32;

/// From how many letters on the last word may be the beginning of a longer one.
const PREFIX: usize = 2;

/// Words that must follow one another.
#[derive(Clone, PartialEq, Eq)]
pub struct Phrase {
    /// Folded, at least one.
    pub words: Vec<String>,
    /// Whether the last word may be the beginning of a longer one.
    pub prefix: bool,
}

/// Phrases that all must be there, in any order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Query {
    phrases: Vec<Phrase>,
}

/// Prints no word of it.
impl std::fmt::Debug for Phrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phrase")
            .field("words", &self.words.len())
            .field("prefix", &self.prefix)
            .finish()
    }
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(&self.phrases).finish()
    }
}

impl Query {
    /// Reads a query: white space parts phrases, double quotes keep words together, and the last
    /// word, where it is not quoted, may be unfinished. Beyond [`WORDS`] words the rest is ignored.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut left = WORDS;
        for (at, piece) in text.split('"').enumerate() {
            match at % 2 {
                0 => piece
                    .split_whitespace()
                    .for_each(|chunk| query.add(chunk, true, &mut left)),
                _ => query.add(piece, false, &mut left),
            }
            if left == 0 {
                break;
            }
        }
        query.finish_last()
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Its phrases.
    #[must_use]
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    /// Whether a text has all that is asked for.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let words = Words::of(text);
        let found = |phrase: &Phrase| phrase.places(&words).next().is_some();
        !self.is_empty() && self.phrases.iter().all(found)
    }

    fn add(&mut self, chunk: &str, prefix: bool, left: &mut usize) {
        let words = Words::first(chunk, *left);
        *left -= words.len();
        if !words.is_empty() {
            let words = (0..words.len()).map(|at| words.word(at).to_owned());
            let words = words.collect();
            self.phrases.push(Phrase { words, prefix });
        }
    }

    /// Only the last word may be unfinished, and not where it is so short that it says nothing.
    fn finish_last(mut self) -> Self {
        let last = self.phrases.len().saturating_sub(1);
        for (at, phrase) in self.phrases.iter_mut().enumerate() {
            let length = phrase.words.last().map_or(0, |word| word.chars().count());
            phrase.prefix &= at == last && length >= PREFIX;
        }
        self
    }
}

impl Phrase {
    /// Where the phrase stands in a text, as numbers of words.
    pub fn places<'a>(&'a self, words: &'a Words) -> impl Iterator<Item = Range<usize>> + 'a {
        let ends = self.words.len()..=words.len();
        let places = ends.map(|end| end - self.words.len()..end);
        places.filter(|place| self.stands(words, place.start))
    }

    /// Whether the last word of the phrase, found there, is all of the text's word.
    #[must_use]
    pub fn is_whole_at(&self, words: &Words, place: &Range<usize>) -> bool {
        let last = place.end.saturating_sub(1);
        self.words
            .last()
            .is_some_and(|word| words.word(last) == word)
    }

    /// Whether the phrase stands in the text from the `at`th word on.
    #[must_use]
    pub fn stands(&self, words: &Words, at: usize) -> bool {
        let last = self.words.len() - 1;
        self.words.iter().enumerate().all(|(offset, wanted)| {
            let word = words.word(at + offset);
            word == wanted || (offset == last && self.prefix && word.starts_with(wanted.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(query: &str, text: &str) -> bool {
        Query::parse(query).matches(text)
    }

    #[test]
    fn all_words_in_any_order_the_last_may_be_unfinished() {
        assert!(finds("BERLIN mee", "We meet in Berlin"));
        assert!(finds("meet", "MEETING"));
        assert!(!finds("mee berlin", "We meet in Berlin"), "only the last");
        assert!(!finds("ber paris", "Berlin"));
        assert!(!finds("m", "meet"), "one letter is a word");
        assert!(finds("m", "m & n"));
    }

    #[test]
    fn quoted_words_and_words_cut_in_two_follow_one_another() {
        assert!(finds("\"in berlin\"", "we meet in Berlin"));
        assert!(!finds("\"berlin in\"", "we meet in Berlin"));
        assert!(!finds("\"we me\"", "we meet"), "quoted, it is finished");
        assert!(finds("e-ma", "by E-Mail"));
        assert!(!finds("e-mail", "e or mail"));
        assert!(finds("it's", "It’s"));
        assert!(finds("京都", "東京都へ"));
        assert!(!finds("都京", "東京都へ"));
        assert!(finds("🎉", "done 🎉🎉"));
    }

    #[test]
    fn no_text_is_too_strange() {
        for text in [
            "", " ", "\"", "\"\"", "\"\"\"", "%", "*", "\0", "(", "-", "NEAR/",
        ] {
            assert!(Query::parse(text).phrases().len() <= 1, "{text:?}");
            assert!(!finds(text, "text"), "{text:?}");
        }
        assert!(Query::parse("\"open").phrases()[0].words == ["open"]);
        let long = Query::parse(&"word ".repeat(100_000));
        assert_eq!(long.phrases().len(), WORDS);
        let one = Query::parse(&"東".repeat(100_000));
        assert_eq!(one.phrases()[0].words.len(), WORDS);
    }
}
