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

    /// The place behind the newest message, whatever its name: no adapter makes or reads it, what
    /// lies before it is the newest page.
    #[must_use]
    pub fn end() -> Self {
        Self(END.to_owned())
    }

    /// Whether it is [`Self::end`].
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.0 == END
    }

    /// The adapter's own text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No text of an adapter's begins with a control character.
const END: &str = "\u{1}end";

/// Which part of a conversation's history is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryRange {
    /// The newest page, nothing being known yet.
    Newest,
    /// What came after the cursor, overlapping it by a few known messages.
    After(SyncCursor),
    /// The page just before the cursor.
    Before(SyncCursor),
    /// The newest page, as [`HistoryRange::Newest`]; an earlier page told where it ends.
    Tail(SyncCursor),
}

impl HistoryRange {
    /// The range as a service knows it.
    #[must_use]
    pub fn asked(&self) -> Self {
        match self {
            Self::Before(cursor) if cursor.is_end() => Self::Newest,
            other => other.clone(),
        }
    }
}

/// A hole in the stored history, right behind the row that carries it.
///
/// Two neighbours without one between them have nothing between them on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// A backward read from here fills it; `None` where the next forward read does.
    pub before: Option<SyncCursor>,
}

impl Gap {
    /// A hole above the forward cursor.
    #[must_use]
    pub const fn ahead() -> Self {
        Self { before: None }
    }

    /// A hole that ends at this cursor.
    #[must_use]
    pub const fn before(cursor: SyncCursor) -> Self {
        Self {
            before: Some(cursor),
        }
    }
}

/// What a list says of a conversation's state; equal marks mean that nothing of it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeMark(String);

impl ChangeMark {
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

/// How far a conversation's stored history reaches.
///
/// What is missing between the two ends is marked on the rows around it: see [`Gap`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncPosition {
    /// Where the next forward read starts; `None` before the first load.
    pub newest: Option<SyncCursor>,
    /// Where the next backward read ends; `None` when the beginning is stored.
    pub oldest: Option<SyncCursor>,
    /// What the list said of the conversation before its news were last read to their end.
    pub listed: Option<ChangeMark>,
}
