//! Searching stored messages: what a word is, what a query asks for, where a hit stands.
//!
//! One set of rules for every store, so that all of them find the same: a store may index the
//! words of [`words`], and nothing else decides what matches. Kept apart from the database's own
//! tokenizers on purpose: those leave diacritics of some scripts, split none of the scripts that
//! write without spaces, and change with the database's version.

pub mod fold;
pub mod query;
pub mod rank;
pub mod snippet;
pub mod words;

use crate::domain::{ids::ConversationId, message::Message, time::WallTime};

use self::query::Query;

/// A hit's place among all hits, the newest highest.
///
/// By the second of the message's time, then by the order in which the store took the messages in:
/// across conversations nothing else can be compared. Messages without a time come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchKey(i64);

/// Bits of the key that hold the place in the store.
const SERIAL_BITS: u32 = 30;

impl SearchKey {
    /// The highest serial that has a key of its own.
    pub const LAST_SERIAL: i64 = (1 << SERIAL_BITS) - 1;

    /// The key of a message with that time, the `serial`th that the store took in.
    ///
    /// Serials beyond [`Self::LAST_SERIAL`] share its place.
    #[must_use]
    pub fn new(created_at: Option<WallTime>, serial: i64) -> Self {
        let second = created_at.map_or(0, |at| at.as_millis().div_euclid(1000));
        let second = second.clamp(0, i64::MAX >> SERIAL_BITS);
        Self((second << SERIAL_BITS) | serial.clamp(0, Self::LAST_SERIAL))
    }

    /// The place in the store.
    #[must_use]
    pub const fn serial(self) -> i64 {
        self.0 & Self::LAST_SERIAL
    }

    /// The next higher key; `None` above the highest.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The integer to store.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// Restores a stored key.
    #[must_use]
    pub const fn from_i64(raw: i64) -> Self {
        Self(raw)
    }
}

/// What a store is asked for.
#[derive(Clone)]
pub struct Search {
    /// What to find; an empty one finds nothing.
    pub query: Query,
    /// Only in this conversation.
    pub conversation: Option<ConversationId>,
    /// Only hits below this key; from the newest on where `None`.
    pub before: Option<SearchKey>,
    /// At most this many.
    pub limit: usize,
}

/// Prints no query: what is looked for tells what was said.
impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search")
            .field("conversation", &self.conversation)
            .field("before", &self.before)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// What a store found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Visible messages with their keys, newest first.
    pub messages: Vec<(SearchKey, Message)>,
    /// Whether everything stored was looked at; not so while a store still indexes what was there
    /// before it had an index.
    pub complete: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_by_second_then_by_serial() {
        let key = |millis, serial| SearchKey::new(Some(WallTime::from_millis(millis)), serial);
        assert!(key(1_999, 1) < key(1_000, 2), "one second");
        assert!(key(1_999, 9) < key(2_000, 1));
        assert!(SearchKey::new(None, 9) < key(1_000, 1));
        assert!(key(i64::MIN, 7).as_i64() >= 0 && key(i64::MAX, 7).as_i64() > 0);
        assert_eq!(key(i64::MAX, 7).serial(), 7);
        assert_eq!(key(5, i64::MAX).serial(), SearchKey::LAST_SERIAL);
    }
}
