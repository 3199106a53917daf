//! A map that can take back what was done to it since the last commit.

use crate::domain::sorted_map::SortedMap;

/// Rows by key, with the prior content of each change of the open transaction.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    rows: SortedMap<K, V>,
    undo: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: SortedMap::new(),
            undo: Vec::new(),
        }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) const fn rows(&self) -> &SortedMap<K, V> {
        &self.rows
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        let before = self.rows.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(before) = self.rows.remove(key) {
            self.undo.push((key.clone(), Some(before)));
        }
    }

    /// Removes every row that the condition names.
    pub(super) fn remove_where(&mut self, doomed: impl Fn(&K, &V) -> bool) {
        let hit = self.rows.iter().filter(|(key, value)| doomed(key, value));
        let keys: Vec<K> = hit.map(|(key, _)| key.clone()).collect();
        keys.iter().for_each(|key| self.remove(key));
    }

    /// Keeps the changes, or takes them back in reverse.
    pub(super) fn finish(&mut self, keep: bool) {
        if keep {
            self.undo.clear();
        }
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn what_is_not_kept_is_taken_back_in_reverse() {
        let mut table = Table::default();
        table.put(1, "one");
        table.finish(true);
        table.put(1, "uno");
        table.remove(&1);
        table.put(2, "two");
        table.put(1, "eins");
        table.finish(false);
        assert_eq!(table.rows().iter().collect::<Vec<_>>(), vec![(&1, &"one")]);
    }
}
