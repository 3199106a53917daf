//! Sorting and filling, compiled once for rows of every type.
//!
//! The standard sort is compiled anew for each type it is given, at five kilobytes each, and so is
//! the one with which `collect` fills a map or a set. Here one sort moves places, and a map is
//! filled an item at a time.

use std::cmp::Ordering;

/// Sorts in place; equals keep their order.
pub(crate) fn sort_by<T>(rows: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = places(rows.len(), &|a, b| compare(&rows[a], &rows[b]));
    arrange(order, &mut |a, b| rows.swap(a, b));
}

/// [`sort_by`] what is read off each row.
pub(crate) fn sort_by_key<T, K: Ord>(rows: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(rows, |a, b| key(a).cmp(&key(b)));
}

/// A map or a set of these items; of two with one key the later stays.
pub(crate) fn filled<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut filled = C::default();
    filled.extend(items);
    filled
}

/// The places of rows in the order that they belong in.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| compare(*a, *b));
    places
}

/// Swaps rows until at each place is the one that stood at `from[place]`: once along each cycle.
fn arrange(mut from: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..from.len() {
        let mut at = start;
        while from[at] != start {
            let next = std::mem::replace(&mut from[at], at);
            swap(at, next);
            at = next;
        }
        from[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{filled, sort_by, sort_by_key};

    /// Numbers without a pattern; the same ones each time.
    fn scattered(count: u64, below: u64) -> Vec<(u64, u64)> {
        let number = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        (0..count).map(|i| (number(i) % below, i)).collect()
    }

    #[test]
    fn rows_come_in_order_and_equals_keep_theirs() {
        for count in 0..70 {
            let mut rows = scattered(count, 1 + count / 3);
            let mut expected = rows.clone();
            expected.sort_by_key(|row| row.0);
            sort_by_key(&mut rows, |row| row.0);
            assert_eq!(rows, expected);
            expected.reverse();
            sort_by(&mut rows, |a, b| b.cmp(a));
            assert_eq!(rows.first(), expected.iter().max());
            assert!(rows.is_sorted_by(|a, b| a >= b));
        }
    }

    #[test]
    fn of_two_items_with_one_key_the_later_stays() {
        let map: BTreeMap<_, _> = filled([(2, "b"), (1, "a"), (2, "c")]);
        assert_eq!(map, BTreeMap::from([(1, "a"), (2, "c")]));
    }
}
