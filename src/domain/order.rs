//! The one order of a conversation, free of wall clocks.
//!
//! A [`SortKey`] is one integer, so that a database index can hold it. Server items carry the
//! server's order (its sequence, else the place in its history) in the lower half of the scale;
//! items the server has not placed yet carry their accept order in the upper half. So pending
//! items follow all server items, and a row moves at most once: at confirmation.

use std::fmt;

/// Distance between neighbouring server items, so that a late discovery fits between two.
pub const SPACING: i64 = 1 << 20;

/// First key of the pending half.
const PENDING: i64 = 1 << 61;

/// Distance between two accepts, so that an answer fits right behind its question.
const PENDING_STEP: i64 = 4;

/// A message's place in its conversation; the derived order is the only comparator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(i64);

impl SortKey {
    /// The place of a server item with the given dense sequence number.
    #[must_use]
    pub fn server(sequence: i64) -> Self {
        Self(sequence.clamp(-(PENDING / SPACING) + 1, PENDING / SPACING - 1) * SPACING)
    }

    /// The place of the item accepted as the `order`th on this device.
    #[must_use]
    pub const fn pending(order: i64) -> Self {
        Self(PENDING.saturating_add(order.saturating_mul(PENDING_STEP)))
    }

    /// The place right behind a pending item: where the answer to it stands until it is placed.
    #[must_use]
    pub const fn answer_to(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The sequence number that gave this place; `None` where another rule did.
    #[must_use]
    pub const fn sequence(self) -> Option<i64> {
        if self.is_server() && self.0 % SPACING == 0 {
            Some(self.0 / SPACING)
        } else {
            None
        }
    }

    /// Which accept gave this place; `None` where the server did.
    #[must_use]
    pub const fn order(self) -> Option<i64> {
        if self.is_server() {
            None
        } else {
            Some((self.0 - PENDING) / PENDING_STEP)
        }
    }

    /// Whether the server has placed the item.
    #[must_use]
    pub const fn is_server(self) -> bool {
        self.0 < PENDING
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

    /// `count` ascending keys strictly between two neighbours; `None` where no room is left.
    ///
    /// An absent neighbour is an open end: keys then grow away from the other one.
    #[must_use]
    pub fn between(below: Option<Self>, above: Option<Self>, count: usize) -> Option<Vec<Self>> {
        let n = i64::try_from(count).ok()?;
        let (first, step) = match (below, above) {
            (None, None) => (0, SPACING),
            (Some(low), None) => (low.0.checked_add(SPACING)?, SPACING),
            (None, Some(high)) => (high.0.checked_sub(SPACING.checked_mul(n)?)?, SPACING),
            (Some(low), Some(high)) => {
                let step = high.0.checked_sub(low.0)? / (n + 1);
                (low.0 + step, step)
            }
        };
        (step > 0).then(|| (0..n).map(|i| Self(first + i * step)).collect())
    }
}

impl fmt::Debug for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.is_server() {
            "server"
        } else {
            "pending"
        };
        write!(f, "{half}:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // covers: G10
    #[test]
    fn inv07_pending_follows_every_server_item_in_accept_order() {
        assert!(SortKey::server(i64::MAX) < SortKey::pending(0));
        assert!(SortKey::pending(1) < SortKey::pending(1).answer_to());
        assert!(SortKey::pending(1).answer_to() < SortKey::pending(2));
    }

    #[test]
    fn keys_between_neighbours_are_strictly_inside_and_ascend() {
        let (low, high) = (SortKey::server(1), SortKey::server(2));
        let keys = SortKey::between(Some(low), Some(high), 5).expect("room");
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(keys.iter().all(|key| low < *key && *key < high));
        let tight = SortKey::from_i64(low.as_i64() + 1);
        assert_eq!(SortKey::between(Some(low), Some(tight), 1), None);
    }
}
