//! Which hit is better: whole words before beginnings, together before apart, often before once.

use std::ops::Range;

use super::{query::Query, words::Words};

/// How many of the newest hits are compared: what is better but older than all of these is found
/// by more words. A bound keeps the cost of a common word apart from the size of the store.
pub const COMPARED: usize = 500;

/// More places than this are not better.
const OFTEN: usize = 3;

/// How well a text fits the query; higher is better.
#[must_use]
pub fn score(text: &str, query: &Query) -> u32 {
    let words = Words::of(text);
    let phrases = query.phrases();
    let single = phrases.iter().map(|phrase| {
        let places: Vec<Range<usize>> = phrase.places(&words).take(OFTEN).collect();
        let whole = phrase
            .places(&words)
            .any(|place| phrase.is_whole_at(&words, &place));
        4 * u32::from(whole) + u32::try_from(places.len()).unwrap_or(0)
    });
    single.sum::<u32>() + 8 * u32::from(together(&words, query))
}

/// Whether the phrases stand one behind the other somewhere, in the order of the query.
fn together(words: &Words, query: &Query) -> bool {
    let Some((first, rest)) = query.phrases().split_first() else {
        return false;
    };
    first.places(words).any(|place| {
        let mut end = place.end;
        rest.iter().all(|phrase| {
            let next = end..end + phrase.words.len();
            end = next.end;
            phrase.stands(words, next.start)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_beats_beginning_together_beats_apart_often_beats_once() {
        let fits = |query: &str, text: &str| score(text, &Query::parse(query));
        assert!(fits("car", "a car") > fits("car", "a carpet"));
        assert!(fits("red car", "my red car") > fits("red car", "a car, and red"));
        assert!(fits("car", "car after car") > fits("car", "one car"));
        assert_eq!(
            fits("car", &"car ".repeat(9)),
            fits("car", &"car ".repeat(3))
        );
        assert_eq!(fits("", "car"), 0);
    }
}
