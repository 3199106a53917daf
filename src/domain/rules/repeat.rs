//! Whether a piece of a streamed answer only repeats what a stored message says already.
//!
//! Pieces carry no id, and neither does a row of the history name the pieces it was made of. What
//! both share is their words. Only letters and digits are compared: a server may store an answer
//! with other blanks or marks than it streamed.

/// Words as long as this do not stand in two texts by coincidence, unless both begin with them.
const TELLING: usize = 12;
/// The longest tag, and the longest escaped character, that are taken for one.
const LONGEST_TAG: usize = 512;
const LONGEST_ESCAPE: usize = 10;
/// What is escaped in texts that may be shown on a page.
const ESCAPED: [char; 8] = ['&', '<', '>', '"', '\'', '/', '`', '='];
/// Shorter runs, on the average, make another text out of the same words.
const LETTERS_A_RUN: usize = 16;

/// The letters and digits of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.chars().filter(|c| c.is_alphanumeric()).collect())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are too many for a coincidence.
    #[must_use]
    pub fn are_telling(&self) -> bool {
        self.0.len() >= TELLING
    }

    /// Whether the other text begins with all of them.
    #[must_use]
    pub fn begin(&self, whole: &Self) -> bool {
        !self.is_empty() && whole.0.starts_with(&self.0)
    }

    /// Whether the other text ends with all of them.
    #[must_use]
    pub fn end(&self, whole: &Self) -> bool {
        !self.is_empty() && whole.0.ends_with(&self.0)
    }

    /// Whether the other text holds all of them; frames that were lost, or came twice, break them
    /// into runs.
    #[must_use]
    pub fn are_in(&self, whole: &Self) -> bool {
        let mut part = self.0.as_str();
        let mut runs = 1 + part.len() / LETTERS_A_RUN;
        while !part.is_empty() {
            let run = longest_run(part, &whole.0);
            if run == 0 || runs == 0 {
                return false;
            }
            (part, runs) = (part.get(run..).unwrap_or_default(), runs - 1);
        }
        !self.is_empty()
    }
}

/// What a text says without its marks: tags and escaped characters, as servers take away, or put in,
/// before they store what was written. Everything else counts: "1.5" is not "15".
#[must_use]
pub fn without_marks(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let mark = match letter {
            '<' => mark_ends(rest, b'>', LONGEST_TAG),
            '&' => mark_ends(rest, b';', LONGEST_ESCAPE),
            _ => None,
        };
        let end = mark.map_or_else(|| letter.len_utf8(), |end| end + 1);
        plain.extend(Some(letter).filter(|letter| mark.is_none() && !ESCAPED.contains(letter)));
        rest = rest.get(end..).unwrap_or_default();
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where a mark ends that this text begins with.
fn mark_ends(text: &str, end: u8, longest: usize) -> Option<usize> {
    let mut bytes = text.bytes().take(longest);
    bytes.position(|byte| byte == end)
}

/// How much of the beginning of `part` stands in `whole`.
fn longest_run(part: &str, whole: &str) -> usize {
    let ends: Vec<usize> = part
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8())
        .collect();
    let stands = |end: usize| part.get(..end).is_some_and(|begun| whole.contains(begun));
    let count = ends.partition_point(|end| stands(*end));
    count
        .checked_sub(1)
        .and_then(|last| ends.get(last))
        .copied()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(part: &str, whole: &str) -> bool {
        Words::of(part).are_in(&Words::of(whole))
    }

    #[test]
    fn a_beginning_a_middle_and_an_end_are_in_the_whole() {
        let whole = "Hello, take the second train, and then the bus.";
        for part in ["Hello", "take the  second", "then the bus.", whole] {
            assert!(told(part, whole), "{part}");
        }
        for part in ["", " ", "Goodbye", "the train", "bus Hello"] {
            assert!(!told(part, whole), "{part}");
        }
    }

    #[test]
    fn frames_that_were_lost_or_came_twice_are_looked_over() {
        let whole = "First mix the flour, then add the eggs, and bake it for an hour.";
        assert!(told("First mix the flour, and bake it", whole));
        assert!(told(
            "First mix the flour, First mix the flour, then",
            whole
        ));
        assert!(!told("First mix the flour, and boil it", whole));
        assert!(!told("First add an hour", whole), "shreds are another text");
    }

    #[test]
    fn marks_say_nothing_and_all_else_counts() {
        let plain = without_marks;
        assert_eq!(plain("<b>Größe</b> &amp; mehr"), plain("Größe  & mehr "));
        assert_eq!(plain("a & b"), plain("a &amp; b"));
        assert_eq!(plain("1 &lt; 2"), plain("1 < 2"));
        assert_eq!(plain("Q&A about it; soon"), "QA about it; soon");
        assert_eq!(plain("<"), "");
        assert!(plain("<b></b>").is_empty());
        for (one, other) in [("1 12", "11 2"), ("1.5", "15"), ("yes", "yes?")] {
            assert_ne!(plain(one), plain(other));
        }
    }

    #[test]
    fn letters_of_any_width_are_cut_where_they_end() {
        assert!(told("größer älter", "Er ist größer, älter und weiser"));
        assert!(!told("größer jünger", "Er ist größer, älter"));
    }
}
