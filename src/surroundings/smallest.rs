//! A map that keeps the smallest keys: bounded, and the same in whatever order it is filled.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The `LIMIT` smallest keys of all that were added, each with all that was added under it.
///
/// A key that is left out once can never come back, because the smaller ones stay; so what is kept
/// under a key is complete, and parts merged in any order equal the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smallest<K, V, const LIMIT: usize> {
    kept: BTreeMap<K, V>,
    left_out: bool,
}

/// The smallest members of a set.
pub type SmallestOf<K, const LIMIT: usize> = Smallest<K, (), LIMIT>;

impl<K, V, const LIMIT: usize> Default for Smallest<K, V, LIMIT> {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), left_out: false }
    }
}

impl<K: Ord, V: Default, const LIMIT: usize> Smallest<K, V, LIMIT> {
    /// Changes what is kept under `key`, if it is kept.
    pub fn with(&mut self, key: K, change: impl FnOnce(&mut V)) {
        if self.kept.len() >= LIMIT && !self.kept.contains_key(&key) {
            self.left_out = true;
            if self.kept.last_key_value().is_none_or(|(last, _)| *last < key) {
                return;
            }
            self.kept.pop_last();
        }
        change(self.kept.entry(key).or_default());
    }

    /// Takes in all of `other`; `add` puts two values of one key together.
    pub fn merge(&mut self, other: Self, add: impl Fn(&mut V, V)) {
        self.left_out |= other.left_out;
        for (key, value) in other.kept {
            self.with(key, |kept| add(kept, value));
        }
    }
}

impl<K: Ord, const LIMIT: usize> SmallestOf<K, LIMIT> {
    /// Adds a member.
    pub fn insert(&mut self, key: K) {
        self.with(key, |()| ());
    }

    /// Adds the members of another set.
    pub fn union(&mut self, other: Self) {
        self.merge(other, |(), ()| ());
    }
}

impl<K, V, const LIMIT: usize> Smallest<K, V, LIMIT> {
    /// What is kept.
    pub fn kept(&self) -> &BTreeMap<K, V> {
        &self.kept
    }

    /// The keys that are kept, smallest first.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.kept.keys()
    }

    /// Nothing was left out.
    pub fn is_whole(&self) -> bool {
        !self.left_out
    }
}

impl<K: Serialize, V: Serialize, const LIMIT: usize> Serialize for Smallest<K, V, LIMIT> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.kept, self.left_out).serialize(serializer)
    }
}

impl<'de, K, V, const LIMIT: usize> Deserialize<'de> for Smallest<K, V, LIMIT>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (kept, left_out) = <(BTreeMap<K, V>, bool)>::deserialize(from)?;
        if kept.len() > LIMIT {
            return Err(D::Error::custom("more is kept than there is room for"));
        }
        Ok(Self { kept, left_out })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(keys: &[u8]) -> Smallest<u8, u64, 5> {
        let mut kept = Smallest::default();
        for key in keys {
            kept.with(*key, |count| *count += 1);
        }
        kept
    }

    proptest! {
        #[test]
        fn order_and_parts_do_not_matter(
            keys in proptest::collection::vec(0_u8..12, 0..60),
            cut in 0_usize..60,
        ) {
            let whole = of(&keys);
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            sorted.reverse();
            prop_assert_eq!(&of(&sorted), &whole);
            let (left, right) = keys.split_at(cut.min(keys.len()));
            let mut parts = of(right);
            parts.merge(of(left), |kept, more| *kept += more);
            prop_assert_eq!(&parts, &whole);
            for (key, count) in whole.kept() {
                prop_assert_eq!(*count, keys.iter().filter(|other| *other == key).count() as u64);
            }
        }
    }
}
