//! The rules a message text must meet before anything is stored.

/// Why a text cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("the message is blank: write something first")]
    Blank,
    /// More Unicode scalars than the backend takes.
    #[error("the message has {length} characters, at most {max} are allowed: shorten it")]
    TooLong {
        /// Scalars in the text.
        length: usize,
        /// Scalars allowed.
        max: usize,
    },
}

/// Checks a text against the backend's limit, counted in Unicode scalars.
///
/// # Errors
/// [`TextError::Blank`] or [`TextError::TooLong`].
pub fn validate(text: &str, max: usize) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    match text.chars().count() {
        length if length > max => Err(TextError::TooLong { length, max }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l76_f38_length_is_counted_in_scalars_and_blank_is_refused() {
        assert_eq!(validate(" \n\t", 5), Err(TextError::Blank));
        assert_eq!(validate(&"🦀".repeat(5), 5), Ok(()));
        assert_eq!(
            validate(&"🦀".repeat(6), 5),
            Err(TextError::TooLong { length: 6, max: 5 })
        );
    }
}
