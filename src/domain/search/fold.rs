//! Folding of characters: case, diacritics and compatibility forms are looks, not words.

use icu_normalizer::{
    DecomposingNormalizer, DecomposingNormalizerBorrowed,
    properties::{CanonicalCombiningClassMap, CanonicalCombiningClassMapBorrowed},
};

const DECOMPOSED: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizer::new_nfkd();
const MARKS: CanonicalCombiningClassMapBorrowed<'static> = CanonicalCombiningClassMap::new();

/// What a character is to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It belongs to the word.
    Letter(char),
    /// It is a word of its own: a sign of a script without spaces, or a picture.
    Alone(char),
    /// It ends the word.
    Break,
}

/// Gives the parts that a character is made of; an accent or joiner has none.
pub fn fold(c: char, mut part: impl FnMut(Part)) {
    if c.is_ascii() {
        return part(ascii(c));
    }
    if is_alone(c) && !is_composed_kana(c) {
        return part(Part::Alone(c));
    }
    for plain in DECOMPOSED.normalize_iter(std::iter::once(c)) {
        match spelled_out(plain) {
            Some(letters) => letters.chars().for_each(|c| part(Part::Letter(c))),
            None => plain.to_lowercase().for_each(|c| lowered(c, &mut part)),
        }
    }
}

const fn ascii(c: char) -> Part {
    match c.is_ascii_alphanumeric() {
        true => Part::Letter(c.to_ascii_lowercase()),
        false => Part::Break,
    }
}

fn lowered(c: char, part: &mut impl FnMut(Part)) {
    if c.is_ascii() {
        part(ascii(c));
    } else if is_alone(c) {
        part(Part::Alone(c));
    } else if is_silent(c) {
    } else if c.is_alphanumeric() {
        part(Part::Letter(c));
    } else {
        part(Part::Break);
    }
}

/// Letters that are others with a stroke, or two in one, and do not decompose.
const fn spelled_out(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ħ' | 'Ħ' => "h",
        'ŧ' | 'Ŧ' => "t",
        'þ' | 'Þ' => "th",
        'ı' => "i",
        'ς' => "σ",
        _ => return None,
    })
}

/// Marks on letters, joiners, variants and skin tones: written or not, the word is the same.
fn is_silent(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{640}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0100}'..='\u{e01ef}')
        || MARKS.get_u8(c) != 0
}

/// Signs that are words of their own. A run of them is found as a phrase, so any part of a
/// sentence without spaces can be looked for.
const fn is_alone(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Myanmar, Khmer, with their vowels and tones.
        '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e81}'..='\u{ece}'
        | '\u{1000}'..='\u{103f}' | '\u{1780}'..='\u{17d3}'
        // Kana with its voicing marks and long sign, Bopomofo.
        | '\u{3041}'..='\u{3096}' | '\u{3099}' | '\u{309a}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'
        | '\u{3105}'..='\u{312f}' | '\u{31a0}'..='\u{31bf}'
        // Han.
        | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{20000}'..='\u{323af}'
        // Pictures.
        | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1f3fa}'
        | '\u{1f400}'..='\u{1faff}')
}

/// A voiced kana is its plain one and a mark, so that both spellings of it are one.
fn is_composed_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{30fa}')
        && DECOMPOSED.normalize_iter(std::iter::once(c)).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            fold(c, |part| match part {
                Part::Letter(c) => out.push(c),
                Part::Alone(c) => out.extend(['<', c, '>']),
                Part::Break => out.push('|'),
            });
        }
        out
    }

    #[test]
    fn looks_are_folded_and_letters_are_not() {
        assert_eq!(folded("Ünïcödé"), "unicode");
        assert_eq!(folded("u\u{308}"), "u");
        assert_eq!(folded("ŁÓDŹ Straße ŒUVRE"), "lodz|strasse|oeuvre");
        assert_eq!(folded("İstanbul ısı"), "istanbul|isi");
        assert_eq!(folded("ΌΣΟΣ"), folded("όσος"));
        assert_eq!(folded("ПРИВЕТ"), "привет");
        assert_eq!(folded("ﬁｎｅ ①"), "fine|1");
        assert_eq!(folded("ע\u{5b4}ברית"), folded("עברית"));
        assert_eq!(folded("كتـ\u{64e}ب"), folded("كتب"));
        assert_eq!(folded("हिन्दी"), "हिनदी");
    }

    #[test]
    fn signs_without_spaces_and_pictures_stand_alone() {
        assert_eq!(folded("東京a"), "<東><京>a");
        assert_eq!(folded("ｶﾞ"), folded("ガ"));
        assert_eq!(folded("が"), "<か><\u{3099}>");
        assert_eq!(folded("👍🏽"), "<👍>");
        assert_eq!(folded("❤\u{fe0f}"), folded("❤"));
        assert_eq!(folded("\0€—"), "|||");
    }
}
