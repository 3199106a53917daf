//! A seed: the number of a story, and whether it is told in the smaller world.
//!
//! Half of all seeds, by their own draw, live in a world where users also edit, delete, archive,
//! begin conversations and so on. A seed written as `39t` lives in the world of messages alone,
//! whatever it drew: so a story that was found before there were other actions stays the same.

use std::{fmt, str::FromStr};

use crate::chance::Chance;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed {
    pub(crate) number: u64,
    pub(crate) talk_only: bool,
}

impl Seed {
    pub(crate) const fn new(number: u64) -> Self {
        Self {
            number,
            talk_only: false,
        }
    }

    /// Whether users do more than write messages.
    pub(crate) fn has_actions(self) -> bool {
        !self.talk_only && Chance::new(self.number, 4).per_mille(500)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix('t');
        let number = digits.unwrap_or(text).parse();
        Ok(Self {
            number: number.map_err(|_| format!("{text} is no seed"))?,
            talk_only: digits.is_some(),
        })
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.talk_only { "t" } else { "" };
        write!(f, "{}{mark}", self.number)
    }
}
