//! A map for few rows, in order of their keys.
//!
//! The standard map is compiled anew for each pair of types, at four to eight kilobytes each. This
//! one is a list of pointers: what it adds to the library is one search for each type of key. A row
//! that comes between others moves their pointers, which pays up to tens of thousands of rows.

use std::{borrow::Borrow, fmt, ops::Bound};

/// Rows by key.
#[derive(Clone, PartialEq)]
pub(crate) struct SortedMap<K, V> {
    rows: Vec<Box<(K, V)>>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Counts the rows: what is in them may be private.
impl<K, V> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.rows.len())
    }
}

impl<K, V> SortedMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self { rows: Vec::new() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter().map(|row| (&row.0, &row.1))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.rows.iter_mut().map(|row| (&row.0, &mut row.1))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.rows.iter().map(|row| &row.0)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|row| &row.1)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.rows.iter_mut().map(|row| &mut row.1)
    }

    pub(crate) fn into_values(self) -> impl Iterator<Item = V> {
        self.rows.into_iter().map(|row| row.1)
    }

    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.rows.retain_mut(|row| keeps(&row.0, &mut row.1));
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where the key is, or else belongs.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.rows.binary_search_by(|row| row.0.borrow().cmp(key))
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.rows.get(at).map(|row| &row.1)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        self.rows.get_mut(at).map(|row| &mut row.1)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Puts a row in the place of the one with its key, which is returned.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let at = self.place(&key);
        let row = Box::new((key, value));
        match at {
            Ok(at) => Some(std::mem::replace(&mut self.rows[at], row).1),
            Err(at) => {
                self.rows.insert(at, row);
                None
            }
        }
    }

    /// The row of the key, made first where there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V
    where
        K: Clone,
    {
        let at = self.place(key).unwrap_or_else(|at| {
            self.rows.insert(at, Box::new((key.clone(), make())));
            at
        });
        &mut self.rows[at].1
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        Some(self.rows.remove(at).1)
    }

    /// The rows with keys between two, in order; none where the ends cross.
    pub(crate) fn range<'a>(
        &'a self,
        low: Bound<&K>,
        high: Bound<&K>,
    ) -> impl DoubleEndedIterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let is_below = |row: &(K, V)| match low {
            Bound::Included(low) => row.0 < *low,
            Bound::Excluded(low) => row.0 <= *low,
            Bound::Unbounded => false,
        };
        let is_within = |row: &(K, V)| match high {
            Bound::Included(high) => row.0 <= *high,
            Bound::Excluded(high) => row.0 < *high,
            Bound::Unbounded => true,
        };
        let from = self.rows.partition_point(|row| is_below(row));
        let to = self.rows.partition_point(|row| is_within(row));
        let rows = self.rows.get(from..to).unwrap_or_default();
        rows.iter().map(|row| (&row.0, &row.1))
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, rows: I) {
        for (key, value) in rows {
            self.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        ops::Bound::{self, Excluded, Included, Unbounded},
    };

    use proptest::prelude::*;

    use super::SortedMap;
    use crate::domain::sorting::filled;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u32),
        Remove(u8),
        Keep(u32),
        Clear,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..40u8, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
            3 => (0..40u8).prop_map(Step::Remove),
            1 => (2..5u32).prop_map(Step::Keep),
            1 => Just(Step::Clear),
        ]
    }

    fn bound() -> impl Strategy<Value = Bound<u8>> {
        let key = || 0..40u8;
        prop_oneof![
            Just(Unbounded),
            key().prop_map(Included),
            key().prop_map(Excluded)
        ]
    }

    fn is_within(key: u8, low: Bound<u8>, high: Bound<u8>) -> bool {
        let above = match low {
            Included(low) => key >= low,
            Excluded(low) => key > low,
            Unbounded => true,
        };
        above
            && match high {
                Included(high) => key <= high,
                Excluded(high) => key < high,
                Unbounded => true,
            }
    }

    proptest! {
        #[test]
        fn it_says_what_the_standard_map_says(
            steps in prop::collection::vec(step(), 0..200),
            low in bound(),
            high in bound(),
        ) {
            let (mut ours, mut theirs) = (SortedMap::new(), BTreeMap::new());
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value));
                    }
                    Step::Remove(key) => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    Step::Keep(divisor) => {
                        ours.retain(|_, value| *value % divisor == 0);
                        theirs.retain(|_, value| *value % divisor == 0);
                    }
                    Step::Clear => {
                        ours.clear();
                        theirs.clear();
                    }
                }
                prop_assert!(ours.iter().eq(theirs.iter()));
                prop_assert!(ours.iter_mut().map(|(key, _)| *key).eq(theirs.keys().copied()));
            }
            prop_assert_eq!(
                ours.get_or_insert_with(&7, || 70),
                theirs.entry(7).or_insert(70)
            );
            for key in 0..40u8 {
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.get_mut(&key), theirs.get_mut(&key));
                prop_assert_eq!(ours.contains_key(&key), theirs.contains_key(&key));
            }
            prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
            let within = theirs.iter().filter(|row| is_within(*row.0, low, high));
            prop_assert!(ours.range(low.as_ref(), high.as_ref()).eq(within));
            prop_assert!(ours.values().eq(theirs.values()));
            let again: SortedMap<_, _> = filled(theirs.clone());
            prop_assert!(ours == again);
            prop_assert!(ours.into_values().eq(theirs.into_values()));
        }
    }

    #[test]
    fn what_it_holds_is_not_told() {
        let map: SortedMap<_, _> = filled([("key", "secret")]);
        assert_eq!(format!("{map:?}"), "1 rows");
    }
}
