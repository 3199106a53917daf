//! The name of a namespace.

use crate::adapters::socketio::WireError;

/// The longest name that is taken.
const LONGEST: usize = 256;

/// The name of a namespace: `/`, or a path that begins with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace(String);

impl Default for Namespace {
    /// The one that a packet without a name is for.
    fn default() -> Self {
        Self("/".to_owned())
    }
}

impl Namespace {
    /// Checks a name: it begins with a slash, holds no comma, and prints.
    ///
    /// # Errors
    /// [`WireError::BadNamespace`].
    pub fn parse(name: &str) -> Result<Self, WireError> {
        let plain = |c: char| c != ',' && !c.is_control();
        let sane = name.starts_with('/') && name.len() <= LONGEST && name.chars().all(plain);
        match sane {
            true => Ok(Self(name.to_owned())),
            false => Err(WireError::BadNamespace),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the one whose name is left out on the wire.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_slash_and_ends_before_a_comma() {
        for good in ["/", "/chat", "/chat/room-1", "/ü"] {
            assert_eq!(Namespace::parse(good).map(|n| n.0), Ok(good.to_owned()));
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for bad in ["", "chat", "/a,b", "/a\n", long.as_str()] {
            assert_eq!(Namespace::parse(bad), Err(WireError::BadNamespace), "{bad}");
        }
    }
}
