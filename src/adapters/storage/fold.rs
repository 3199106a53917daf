//! Case-folded search, one rule for every store: SQLite's own `LIKE` folds ASCII only and stops
//! at a NUL, so neither store may use it.

/// A text to look for, folded once.
pub(crate) struct Needle {
    folded: String,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            folded: text.to_lowercase(),
        }
    }

    /// Whether the text contains the needle, whatever the case of either.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        if self.folded.is_ascii() && text.is_ascii() {
            return self.is_in_ascii(text.as_bytes());
        }
        text.to_lowercase().contains(&self.folded)
    }

    /// The common case without an allocation for each message looked at.
    fn is_in_ascii(&self, text: &[u8]) -> bool {
        let needle = self.folded.as_bytes();
        needle.is_empty()
            || text
                .windows(needle.len())
                .any(|window| window.eq_ignore_ascii_case(needle))
    }
}

#[cfg(test)]
mod tests {
    use super::Needle;

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert!(Needle::new("ПРИВЕТ").is_in("скажи привет"));
        assert!(Needle::new("strasse").is_in("Hauptstrasse"));
        assert!(Needle::new("b\0C").is_in("a B\0c"));
        assert!(Needle::new("").is_in(""));
        assert!(!Needle::new("%").is_in("percent"));
    }
}
