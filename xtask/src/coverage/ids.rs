//! The ids that tests name: faults `F-01`, invariants `INV-01`, catalogue entries `L1`, goals `G1`.
//!
//! Ids are never reused and never renumbered; a new one extends the range here.

use std::fmt;

/// What an id is about, in the order of the report.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Family {
    Invariant,
    Fault,
    Catalogue,
    Goal,
}

/// One id, such as `F-21`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Id {
    pub(crate) family: Family,
    pub(crate) number: u16,
}

impl Family {
    /// Every family.
    pub(crate) const ALL: [Self; 4] = [Self::Invariant, Self::Fault, Self::Catalogue, Self::Goal];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Invariant => "inv",
            Self::Fault => "f",
            Self::Catalogue => "l",
            Self::Goal => "g",
        }
    }

    const fn last(self) -> u16 {
        match self {
            Self::Invariant => 25,
            Self::Fault => 56,
            Self::Catalogue => 100,
            Self::Goal => 18,
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.family {
            Family::Invariant => write!(formatter, "INV-{number:02}"),
            Family::Fault => write!(formatter, "F-{number:02}"),
            Family::Catalogue => write!(formatter, "L{number}"),
            Family::Goal => write!(formatter, "G{number}"),
        }
    }
}

/// Every id there is.
pub(crate) fn all() -> Vec<Id> {
    let numbered = |family: Family| (1..=family.last()).map(move |number| Id { family, number });
    Family::ALL.into_iter().flat_map(numbered).collect()
}

/// Reads `INV-05`, `F-21`, `L73`, `G8`, and the spelling in function names: `inv05`, `f21`, `l73`.
pub(crate) fn parse(text: &str) -> Option<Id> {
    let plain = text.trim().to_ascii_lowercase().replace('-', "");
    let digits = plain.find(|letter: char| letter.is_ascii_digit())?;
    let (prefix, number) = plain.split_at(digits);
    let family = Family::ALL
        .into_iter()
        .find(|family| family.prefix() == prefix)?;
    let number = number.parse().ok()?;
    (1..=family.last())
        .contains(&number)
        .then_some(Id { family, number })
}

/// The ids that a function name opens with: `l20_l21_late_chunks_…` names two.
pub(crate) fn of_function(name: &str) -> Vec<Id> {
    name.split('_').map_while(parse).collect()
}
