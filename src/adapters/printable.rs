//! Foreign words made fit for a log: bounded and printable.

/// The longest name of the server's that is kept.
const LONGEST: usize = 64;

/// A name from outside, cut to its first characters, with everything unprintable replaced.
#[must_use]
pub(crate) fn name(text: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() { c } else { '_' };
    text.trim().chars().take(LONGEST).map(shown).collect()
}

/// A machine code, where the text looks like one: a single word.
#[must_use]
pub(crate) fn code(text: &str) -> Option<String> {
    let word = text.trim();
    let fits = !word.is_empty() && word.len() <= LONGEST;
    let plain = word
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.:".contains(&b));
    (fits && plain).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inv20_foreign_names_are_bounded_and_printable() {
        assert_eq!(name("evil\n\u{1b}[31m name"), "evil__[31m_name");
        assert_eq!(name(&"x".repeat(1000)).len(), LONGEST);
        assert_eq!(
            code("CONSULTATION_EXISTS").as_deref(),
            Some("CONSULTATION_EXISTS")
        );
        assert_eq!(code("a whole sentence, with a secret"), None);
    }
}
