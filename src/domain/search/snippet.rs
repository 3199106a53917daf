//! The part of a message that shows why it was found.

use std::ops::Range;

use super::{query::Query, words::Words};
use crate::domain::sorting::{sort_by, sort_by_key};

/// Bytes of text shown, about; no word is cut.
const WIDTH: usize = 160;

/// Bytes shown before the first mark.
const BEFORE: usize = 40;

/// Places looked at: a text may repeat a word as often as it likes.
const PLACES: usize = 256;

/// A part of a text, with the found words marked.
#[derive(Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// The found words, as ranges of bytes of [`Self::text`], in order and apart.
    pub marks: Vec<Range<usize>>,
    /// Whether text before it was left out.
    pub cut_before: bool,
    /// Whether text behind it was left out.
    pub cut_after: bool,
}

/// Prints no text.
impl std::fmt::Debug for Snippet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snippet")
            .field("marks", &self.marks)
            .finish_non_exhaustive()
    }
}

impl Snippet {
    /// The part of the text with the most of what was looked for, the first one of such.
    #[must_use]
    pub fn of(text: &str, query: &Query) -> Self {
        let words = Words::of(text);
        let found = places(&words, query);
        let shown = window(text, &words, &found);
        let inside =
            |mark: &&(usize, Range<usize>)| shown.start <= mark.1.start && mark.1.end <= shown.end;
        let moved =
            |mark: &(usize, Range<usize>)| mark.1.start - shown.start..mark.1.end - shown.start;
        Self {
            marks: merged(found.iter().filter(inside).map(moved)),
            text: text.get(shown.clone()).unwrap_or_default().to_owned(),
            cut_before: shown.start > 0,
            cut_after: shown.end < text.len(),
        }
    }
}

/// Which phrase stands at which bytes, in order of the text.
fn places(words: &Words, query: &Query) -> Vec<(usize, Range<usize>)> {
    let phrases = query.phrases().iter().enumerate();
    let mut found: Vec<(usize, Range<usize>)> = phrases
        .flat_map(|(number, phrase)| {
            phrase.places(words).take(PLACES).map(move |place| {
                let (first, last) = (words.span(place.start), words.span(place.end - 1));
                (number, first.start..last.end)
            })
        })
        .collect();
    sort_by_key(&mut found, |(number, bytes)| {
        (bytes.start, bytes.end, *number)
    });
    found.truncate(PLACES);
    found
}

/// The bytes to show: from a little before the best place on, without cutting a word.
fn window(text: &str, words: &Words, found: &[(usize, Range<usize>)]) -> Range<usize> {
    let distinct = |from: &(usize, Range<usize>)| {
        let reach = from.1.start + WIDTH - BEFORE;
        let near = found
            .iter()
            .filter(|mark| mark.1.start >= from.1.start && mark.1.end <= reach);
        let mut numbers: Vec<usize> = near.map(|(number, _)| *number).collect();
        sort_by(&mut numbers, usize::cmp);
        numbers.dedup();
        numbers.len()
    };
    // The first of the best: the later of two equals does not win.
    let best = found.iter().rev().max_by_key(|mark| distinct(mark));
    let mark = best.map_or(0..0, |(_, bytes)| bytes.clone());
    let start = first_word_from(words, mark.start.saturating_sub(BEFORE)).min(mark.start);
    let start = if mark.start <= BEFORE { 0 } else { start };
    let end = (start + WIDTH).max(mark.end);
    let end = if end >= text.len() {
        text.len()
    } else {
        last_word_to(words, end).max(mark.end)
    };
    whole(text, start..end)
}

/// Where the first word at or after that byte begins.
fn first_word_from(words: &Words, byte: usize) -> usize {
    let at = partition(words.len(), |at| words.span(at).start < byte);
    match at < words.len() {
        true => words.span(at).start,
        false => byte,
    }
}

/// Where the last word that is over by that byte ends.
fn last_word_to(words: &Words, byte: usize) -> usize {
    let over = partition(words.len(), |at| words.span(at).end <= byte);
    over.checked_sub(1).map_or(byte, |at| words.span(at).end)
}

/// How many of the first `count` numbers fulfil a condition that none fulfils after the first
/// that does not.
fn partition(count: usize, fulfils: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low.midpoint(high);
        match fulfils(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

/// The range with its ends moved outwards to characters.
fn whole(text: &str, range: Range<usize>) -> Range<usize> {
    text.floor_char_boundary(range.start)..text.ceil_char_boundary(range.end)
}

fn merged(marks: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut apart: Vec<Range<usize>> = Vec::new();
    for mark in marks {
        match apart.last_mut() {
            Some(last) if mark.start <= last.end => last.end = last.end.max(mark.end),
            _ => apart.push(mark),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The snippet with its marks in brackets, dots where text was left out.
    fn shown(text: &str, query: &str) -> String {
        let snippet = Snippet::of(text, &Query::parse(query));
        let mut out = String::new();
        for (at, c) in snippet.text.char_indices() {
            out.extend(
                snippet
                    .marks
                    .iter()
                    .any(|mark| mark.start == at)
                    .then_some('['),
            );
            out.push(c);
            let end = at + c.len_utf8();
            out.extend(
                snippet
                    .marks
                    .iter()
                    .any(|mark| mark.end == end)
                    .then_some(']'),
            );
        }
        let dots = |cut| if cut { "…" } else { "" };
        format!(
            "{}{out}{}",
            dots(snippet.cut_before),
            dots(snippet.cut_after)
        )
    }

    #[test]
    fn found_words_are_marked_whole() {
        assert_eq!(shown("Mañana, MAÑANA!", "mana"), "[Mañana], [MAÑANA]!");
        assert_eq!(
            shown("we meet in Berlin", "berlin we"),
            "[we] meet in [Berlin]"
        );
        assert_eq!(shown("東京都", "京都"), "東[京都]");
        assert_eq!(shown("a a a", "\"a a\""), "[a a a]");
        assert_eq!(shown("nothing", "else"), "nothing");
    }

    #[test]
    fn a_long_text_shows_the_part_with_the_most_and_cuts_no_word() {
        let filler = "filling words ".repeat(30);
        let text = format!("one {filler}one and two {filler}two");
        let part = shown(&text, "one two");
        assert!(
            part.starts_with("…filling") || part.starts_with("…words"),
            "{part}"
        );
        assert!(part.contains("[one] and [two]"), "{part}");
        assert!(
            part.ends_with("words…") || part.ends_with("filling…"),
            "{part}"
        );
        assert!(part.len() < WIDTH + 40, "{part}");
        let solid = "東".repeat(1_000) + "京";
        assert!(shown(&solid, "京").ends_with("東[京]"));
        let long = "é".repeat(5_000);
        assert_eq!(shown(&long, &long), format!("[{long}]"));
    }
}
