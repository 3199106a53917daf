//! Time as values: a monotonic [`Tick`] for deadlines and a [`WallTime`] for people and storage.

use std::{fmt, ops::Add, time::Duration};

use super::calendar;

/// A moment on the device's monotonic scale, counted from an arbitrary start.
///
/// Deadlines are computed in ticks; a tick is never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(Duration);

impl Tick {
    /// A tick at the given distance from the start of the scale.
    #[must_use]
    pub const fn from_start(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// Distance from the start of the scale.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// Time passed since `earlier`, zero where `earlier` lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }
}

/// A wall-clock moment in milliseconds since the Unix epoch, for display, expiry and storage.
///
/// Never used to order messages: see [`crate::domain::order`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(i64);

impl WallTime {
    /// A moment that many milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds after the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any number of fraction digits and any offset.
    ///
    /// `None` for text that is no such moment: the caller shows no time rather than a false one.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        calendar::parse(text.trim()).map(Self)
    }

    /// Time until `later`, zero where `later` has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        Duration::from_millis(u64::try_from(later.0.saturating_sub(self.0)).unwrap_or(0))
    }
}

impl Add<Duration> for WallTime {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

/// Prints RFC 3339 in UTC with milliseconds.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        calendar::print(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l08_fractions_of_any_length_and_offsets_are_read() {
        let whole = WallTime::parse_rfc3339("2025-11-20T09:00:00Z");
        assert!(whole.is_some());
        for same in [
            "2025-11-20T09:00:00.000000000Z",
            "2025-11-20T10:00:00+01:00",
            "2025-11-20T09:00:00.0Z",
        ] {
            assert_eq!(WallTime::parse_rfc3339(same), whole, "{same}");
        }
        let nanos = WallTime::parse_rfc3339("2025-11-20T09:00:00.151465961Z").expect("nanoseconds");
        assert_eq!(nanos.to_string(), "2025-11-20T09:00:00.151Z");
    }

    #[test]
    fn l09_unreadable_time_is_none_never_now() {
        for bad in ["", "yesterday", "2025-13-40T00:00:00Z", "1763629200"] {
            assert_eq!(WallTime::parse_rfc3339(bad), None, "{bad}");
        }
    }
}
