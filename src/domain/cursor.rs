//! Positions: opaque to everyone but the adapter that made them.

/// A place in the server's history, stored with what it covers; only its adapter reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SyncCursor(String);

impl SyncCursor {
    /// Wraps the adapter's own text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The adapter's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which part of a conversation's history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryRange {
    /// The newest page, nothing being known yet.
    Newest,
    /// What came after the cursor, overlapping it by a few known messages.
    After(SyncCursor),
    /// The page just before the cursor.
    Before(SyncCursor),
}

/// How far a conversation's stored history reaches.
///
/// The loaded part is one contiguous range; `oldest` and `newest` are its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPosition {
    /// Where the next forward read starts; `None` before the first load.
    pub newest: Option<SyncCursor>,
    /// Where the next backward read ends; `None` when the beginning is stored.
    pub oldest: Option<SyncCursor>,
}
