//! Sorting that costs little code: one copy of the algorithm, for numbers, instead of one for each
//! type. The standard library's stable sort weighs 4 KB for each type that it is made for.

use std::cmp::Ordering;

/// Sorts by a key; what has the same key keeps its order.
pub(crate) fn by_key<T, K: Ord>(list: &mut Vec<T>, key: impl Fn(&T) -> K) {
    by(list, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by a comparison; what is equal keeps its order.
pub(crate) fn by<T>(list: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = places(list.len(), &|a, b| compare(&list[a], &list[b]));
    let mut taken: Vec<Option<T>> = list.drain(..).map(Some).collect();
    list.extend(order.into_iter().filter_map(|at| taken[at].take()));
}

/// The places of a list in the order that the comparison of two places gives.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_are_sorted_as_the_standard_library_sorts_them(
            numbers in prop::collection::vec(0_u8..8, 0..40),
        ) {
            let mut list: Vec<(u8, usize)> = numbers.into_iter().zip(0..).collect();
            let mut expected = list.clone();
            expected.sort_by_key(|(number, _)| *number);
            by_key(&mut list, |(number, _)| *number);
            prop_assert_eq!(list, expected);
        }
    }
}
