//! The ordered view of a conversation, and the difference between two looks at it.

use crate::domain::{
    ids::ClientMessageId, message::Message, sorted_map::SortedMap, sorting::filled,
};

/// One change of a list, to be applied in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimelineDiff {
    /// Forget everything shown; this is the list.
    Reset {
        /// All items, in order.
        items: Vec<Message>,
    },
    /// A new item at `index`; what was there and behind moves up.
    Insert {
        /// Place in the list.
        index: usize,
        /// The item.
        item: Message,
    },
    /// The item at `index` is replaced by a newer version of itself.
    Update {
        /// Place in the list.
        index: usize,
        /// The item.
        item: Message,
    },
    /// The item at `index` goes.
    Remove {
        /// Place in the list.
        index: usize,
        /// The item that goes.
        item: Message,
    },
}

impl TimelineDiff {
    /// Applies the change to a list, as an app would.
    ///
    /// # Errors
    /// The diff itself, where an index does not fit the list: a bug of ours.
    pub fn apply(self, list: &mut Vec<Message>) -> Result<(), Self> {
        match self {
            Self::Reset { items } => *list = items,
            Self::Insert { index, item } if index <= list.len() => list.insert(index, item),
            Self::Update { index, item } if index < list.len() => list[index] = item,
            Self::Remove { index, .. } if index < list.len() => {
                list.remove(index);
            }
            misfit => return Err(misfit),
        }
        Ok(())
    }
}

/// The changes that turn `shown` into `now`; more than `limit` of them become one reset.
///
/// Both lists are in order and hold each key once. A row that changed its place is removed and
/// inserted; one that only changed its content is updated.
#[must_use]
pub fn diff(shown: &[Message], now: Vec<Message>, limit: usize) -> Vec<TimelineDiff> {
    let mut changes = Vec::new();
    let kept = stable_rows(shown, &now);
    let mut index = 0;
    for old in shown {
        if kept.contains(&old.id) {
            index += 1;
        } else {
            changes.push(TimelineDiff::Remove {
                index,
                item: old.clone(),
            });
        }
    }
    let mut old = shown.iter().filter(|row| kept.contains(&row.id));
    for (index, item) in now.iter().enumerate() {
        if !kept.contains(&item.id) {
            changes.push(TimelineDiff::Insert {
                index,
                item: item.clone(),
            });
        } else if old.next().is_some_and(|before| before != item) {
            changes.push(TimelineDiff::Update {
                index,
                item: item.clone(),
            });
        }
    }
    if changes.len() > limit {
        return vec![TimelineDiff::Reset { items: now }];
    }
    changes
}

/// Rows that stand in both lists and keep their relative order.
fn stable_rows(shown: &[Message], now: &[Message]) -> std::collections::BTreeSet<ClientMessageId> {
    let places = now.iter().enumerate().map(|(index, row)| (row.id, index));
    let place: SortedMap<_, _> = filled(places);
    let common: Vec<_> = shown
        .iter()
        .filter_map(|row| place.get(&row.id).map(|index| (row.id, *index)))
        .collect();
    longest_ascending(&common)
}

/// The longest ascending run by patience sorting: the fewest rows are then said to have moved.
fn longest_ascending(
    rows: &[(ClientMessageId, usize)],
) -> std::collections::BTreeSet<ClientMessageId> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(rows.len());
    for (at, (_, place)) in rows.iter().enumerate() {
        let pile = tails.partition_point(|tail| rows[*tail].1 < *place);
        before.push(pile.checked_sub(1).map(|under| tails[under]));
        if pile == tails.len() {
            tails.push(at);
        } else {
            tails[pile] = at;
        }
    }
    let mut chain = std::collections::BTreeSet::new();
    let mut next = tails.last().copied();
    while let Some(at) = next {
        chain.insert(rows[at].0);
        next = before[at];
    }
    chain
}

#[cfg(test)]
mod tests;
