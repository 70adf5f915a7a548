//! A map whose values are good for a while: copies of what is stored elsewhere.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use portcullis_core::time::Timestamp;

/// Values with an age, bounded in number.
pub(crate) struct Aging<K, V> {
    max_age: Duration,
    max_kept: usize,
    kept: HashMap<K, Kept<V>>,
}

struct Kept<V> {
    value: V,
    since: Timestamp,
}

impl<K: Eq + Hash, V> Aging<K, V> {
    /// An empty map whose values are good for less than `max_age`.
    pub(crate) fn new(max_age: Duration, max_kept: usize) -> Self {
        Self {
            max_age,
            max_kept,
            kept: HashMap::new(),
        }
    }

    /// The value, if it is still good.
    pub(crate) fn get(&self, key: &K, now: Timestamp) -> Option<&V> {
        let kept = self.kept.get(key)?;
        kept.is_good(self.max_age, now).then_some(&kept.value)
    }

    /// Keeps a value, which is as old as `since` says. Where there is no room,
    /// those go that are not good any more, and if that is not enough, all.
    pub(crate) fn insert(&mut self, key: K, value: V, since: Timestamp) {
        if self.kept.len() >= self.max_kept {
            self.tidy(since);
        }
        if self.kept.len() >= self.max_kept {
            self.clear();
        }
        self.kept.insert(key, Kept { value, since });
    }

    pub(crate) fn remove(&mut self, key: &K) {
        self.kept.remove(key);
    }

    /// Forgets the values of which this is false.
    pub(crate) fn retain(&mut self, mut stays: impl FnMut(&V) -> bool) {
        self.kept.retain(|_, kept| stays(&kept.value));
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// Forgets what is not good any more; to be called now and then.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        let max_age = self.max_age;
        self.kept.retain(|_, kept| kept.is_good(max_age, now));
    }

    /// Those that are kept, good or not.
    #[cfg(test)]
    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.kept.keys()
    }
}

impl<V> Kept<V> {
    /// Also false for one from the future, as after a clock was set back.
    fn is_good(&self, max_age: Duration, now: Timestamp) -> bool {
        self.since <= now && now.since(self.since) < max_age
    }
}
