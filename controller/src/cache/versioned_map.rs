//! A map that a watch fills, by MonitoredApi and id: a newer version replaces an older one. A complete list
//! replaces entries whatever their versions are, and removes those that it does not contain.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::cache::namespaced_name::NamespacedName;

/// Number of the list in which an entry was last seen. Each watch counts its own lists, from 1.
pub(crate) type Epoch = u32;

/// Epoch of an entry from the answer to our own write: such an entry survives a list that is being read meanwhile.
const FRESH: Epoch = 0;

/// How long a removal is remembered: longer than any answer is waited for, so that an answer that is older than the removal
/// does not bring the value back.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From a complete, consistent list: it wins even if it looks older, because a restored etcd counts
    /// versions again from a lower number.
    List(Epoch),
    /// From a watch event: may arrive after the answer to a later write of our own.
    Event(Epoch),
    /// From the answer to a request of our own; with the version that was known when the request began. While that one is
    /// still the one that is there, the answer is right even if its version is lower, as after a restored etcd.
    Answer(Option<u64>),
}

/// What [`VersionedMap::upsert`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Upsert<'a, T> {
    /// Nothing: the value was older than the one that is there.
    Stale,
    /// Inserted this value; there was none.
    Inserted(&'a T),
    /// Replaced the first value by the second.
    Replaced(T, &'a T),
}

#[derive(Debug)]
struct Entry<I, T> {
    id: I,
    version: u64,
    epoch: Epoch,
    value: T,
}

/// Values that were removed lately.
#[derive(Debug)]
struct Removals<I, T> {
    /// The last version of each, at which it was removed.
    by_key: HashMap<NamespacedName, Vec<(I, T, u64)>>,
    in_order: VecDeque<(Instant, NamespacedName)>,
}

impl<I: PartialEq, T> Removals<I, T> {
    fn add(&mut self, key: &NamespacedName, id: I, value: T, version: u64) {
        let now = Instant::now();
        while let Some((_, old)) = self
            .in_order
            .pop_front_if(|(at, _)| now.duration_since(*at) > REMEMBERED)
        {
            if let Some(removed) = self.by_key.get_mut(&old) {
                removed.drain(..1.min(removed.len()));
                if removed.is_empty() {
                    self.by_key.remove(&old);
                }
            }
        }
        self.in_order.push_back((now, key.clone()));
        self.by_key.entry(key.clone()).or_default().push((id, value, version));
    }

    /// Whether a value is of an object that was removed at this version or a later one.
    fn has(&self, key: &NamespacedName, id: &I, version: u64, is_it: impl Fn(&T) -> bool) -> bool {
        let removed = self.by_key.get(key).into_iter().flatten();
        removed
            .filter(|(gone, _, at)| gone == id && version <= *at)
            .any(|(_, value, _)| is_it(value))
    }
}

/// Versioned values by MonitoredApi and id.
#[derive(Debug)]
pub(crate) struct VersionedMap<I, T> {
    entries: HashMap<NamespacedName, Vec<Entry<I, T>>>,
    removals: Removals<I, T>,
}

impl<I, T> Default for VersionedMap<I, T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            removals: Removals {
                by_key: HashMap::new(),
                in_order: VecDeque::new(),
            },
        }
    }
}

impl<I: PartialEq, T> VersionedMap<I, T> {
    /// Inserts a value or replaces an older one. `same_object` says whether two values are versions of one object (same
    /// uid).
    pub(crate) fn upsert(
        &mut self,
        key: &NamespacedName,
        id: I,
        value: T,
        version: u64,
        source: Source,
        same_object: impl Fn(&T, &T) -> bool,
    ) -> Upsert<'_, T> {
        let known = self.entries.get(key).into_iter().flatten();
        let Some(index) = known.into_iter().position(|entry| entry.id == id) else {
            return self.insert(key, id, value, version, source, same_object);
        };
        let Some(entry) = self.entries.get_mut(key).and_then(|entries| entries.get_mut(index)) else {
            return Upsert::Stale;
        };
        let older = version < entry.version;
        let stale = match source {
            Source::List(epoch) => {
                entry.epoch = epoch;
                false
            }
            Source::Event(epoch) => {
                entry.epoch = epoch;
                older && same_object(&entry.value, &value)
            }
            Source::Answer(known) => older && known != Some(entry.version),
        };
        if stale {
            return Upsert::Stale;
        }
        entry.version = version;
        let old = std::mem::replace(&mut entry.value, value);
        Upsert::Replaced(old, &entry.value)
    }

    fn insert(
        &mut self,
        key: &NamespacedName,
        id: I,
        value: T,
        version: u64,
        source: Source,
        same_object: impl Fn(&T, &T) -> bool,
    ) -> Upsert<'_, T> {
        let epoch = match source {
            Source::List(epoch) | Source::Event(epoch) => epoch,
            Source::Answer(_) if self.removals.has(key, &id, version, |gone| same_object(gone, &value)) => {
                return Upsert::Stale;
            }
            Source::Answer(_) => FRESH,
        };
        let entries = self.entries.entry(key.clone()).or_default();
        // A `Vec` would start with room for four entries, and most only ever have one.
        if entries.len() == entries.capacity() {
            entries.reserve_exact((entries.len() / 4).max(1));
        }
        let entry = entries.push_mut(Entry {
            id,
            version,
            epoch,
            value,
        });
        Upsert::Inserted(&entry.value)
    }

    /// Removes a value, if it is of the object that `is_it` recognises. `version`: at which the object was removed.
    pub(crate) fn remove(&mut self, key: &NamespacedName, id: &I, version: u64, is_it: impl Fn(&T) -> bool) -> Option<T>
    where
        I: Clone,
        T: Clone,
    {
        let entries = self.entries.get_mut(key)?;
        let index = entries
            .iter()
            .position(|entry| entry.id == *id && is_it(&entry.value))?;
        let entry = entries.swap_remove(index);
        if entries.is_empty() {
            self.entries.remove(key);
        }
        self.removals
            .add(key, entry.id, entry.value.clone(), version.max(entry.version));
        Some(entry.value)
    }

    /// After a complete list: removes what it did not name, among the entries that `covers` says the list covers.
    /// Returns what was removed.
    pub(crate) fn sweep(
        &mut self,
        epoch: Epoch,
        covers: impl Fn(&NamespacedName, &I) -> bool,
    ) -> Vec<(NamespacedName, T)>
    where
        I: Clone,
        T: Clone,
    {
        let mut removed = Vec::new();
        self.entries.retain(|key, entries| {
            let gone = entries.extract_if(.., |entry| {
                if !covers(key, &entry.id) || entry.epoch == epoch {
                    return false;
                }
                let fresh = entry.epoch == FRESH;
                entry.epoch = epoch;
                !fresh
            });
            removed.extend(gone.map(|entry| (key.clone(), entry)));
            !entries.is_empty()
        });
        for (key, entry) in &removed {
            // The list is newer than any answer about this object.
            self.removals.add(key, entry.id.clone(), entry.value.clone(), u64::MAX);
        }
        removed.into_iter().map(|(key, entry)| (key, entry.value)).collect()
    }

    /// The values of one MonitoredApi.
    pub(crate) fn of<'a>(&'a self, key: &NamespacedName) -> impl Iterator<Item = (&'a I, &'a T)> + use<'a, I, T> {
        let entries = self.entries.get(key).into_iter().flatten();
        entries.map(|entry| (&entry.id, &entry.value))
    }

    /// One value and its version.
    pub(crate) fn get(&self, key: &NamespacedName, id: &I) -> Option<(&T, u64)> {
        let entry = self.entries.get(key)?.iter().find(|entry| entry.id == *id)?;
        Some((&entry.value, entry.version))
    }

    /// Every value and its key.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&NamespacedName, &T)> {
        self.entries
            .iter()
            .flat_map(|(key, entries)| entries.iter().map(move |entry| (key, &entry.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> NamespacedName {
        NamespacedName::new("shop", "orders")
    }

    fn one_object(_: &u8, _: &u8) -> bool {
        true
    }

    fn values(map: &VersionedMap<&'static str, u8>) -> Vec<u8> {
        map.of(&key()).map(|(_, value)| *value).collect()
    }

    #[test]
    fn an_event_older_than_the_answer_to_our_own_write_is_ignored() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 2, 20, Source::Answer(None), one_object);
        let late = map.upsert(&key(), "a", 1, 10, Source::Event(1), one_object);
        assert_eq!(late, Upsert::Stale);
        assert_eq!(values(&map), [2]);
    }

    #[test]
    fn a_list_is_right_even_if_its_versions_are_lower_as_after_a_restored_etcd() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 2, 20, Source::Event(1), one_object);
        map.upsert(&key(), "a", 1, 10, Source::List(2), one_object);
        assert_eq!(values(&map), [1]);
    }

    #[test]
    fn an_object_that_is_missing_from_a_complete_list_is_removed() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 1, 1, Source::List(1), one_object);
        map.upsert(&key(), "b", 2, 2, Source::List(1), one_object);
        map.upsert(&key(), "a", 1, 1, Source::List(2), one_object);
        assert_eq!(map.sweep(2, |_, _| true), [(key(), 2)]);
        assert_eq!(values(&map), [1]);
    }

    #[test]
    fn an_object_written_during_a_list_survives_that_list_but_not_the_next() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 1, 1, Source::Answer(None), one_object);
        assert!(map.sweep(1, |_, _| true).is_empty());
        assert_eq!(map.sweep(2, |_, _| true), [(key(), 1)]);
    }

    #[test]
    fn a_sweep_spares_what_its_list_does_not_cover() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 1, 1, Source::List(1), one_object);
        assert!(map.sweep(2, |key, _| &*key.namespace == "bank").is_empty());
        assert_eq!(values(&map), [1]);
    }

    #[test]
    fn an_answer_that_is_older_than_a_removal_brings_nothing_back() {
        let uid = |a: &u8, b: &u8| a == b;
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 1, 10, Source::Event(1), uid);
        map.remove(&key(), &"a", 12, |_| true);
        for version in [10, 11] {
            let late = map.upsert(&key(), "a", 1, version, Source::Answer(Some(10)), uid);
            assert_eq!(late, Upsert::Stale);
        }
        // Its successor, and the object itself where only its label was gone, are newer.
        map.upsert(&key(), "a", 2, 13, Source::Answer(None), uid);
        assert_eq!(values(&map), [2]);
        map.upsert(&key(), "b", 3, 20, Source::List(2), uid);
        assert_eq!(map.sweep(3, |_, _| true).len(), 1, "the answer is spared once");
        let late = map.upsert(&key(), "b", 3, 21, Source::Answer(None), uid);
        assert_eq!(late, Upsert::Stale, "the list did not name it");
    }

    #[tokio::test(start_paused = true)]
    async fn removals_are_forgotten_once_no_answer_can_be_under_way() {
        let mut map = VersionedMap::default();
        for version in 0..3 {
            map.upsert(&key(), "a", 1, version, Source::Event(1), one_object);
            map.remove(&key(), &"a", version, |_| true);
            tokio::time::advance(REMEMBERED / 2 + Duration::from_secs(1)).await;
        }
        assert_eq!((map.removals.in_order.len(), map.removals.by_key[&key()].len()), (2, 2));
    }

    #[test]
    fn an_answer_counts_even_if_its_version_is_lower_unless_the_value_changed_meanwhile() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 2, 20, Source::Event(1), one_object);
        let meanwhile = map.upsert(&key(), "a", 1, 10, Source::Answer(Some(19)), one_object);
        assert_eq!(meanwhile, Upsert::Stale);
        map.upsert(&key(), "a", 1, 10, Source::Answer(Some(20)), one_object);
        assert_eq!(values(&map), [1], "etcd was restored");
    }

    #[test]
    fn the_late_deletion_of_a_predecessor_does_not_take_its_successor() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 2, 20, Source::Answer(None), |a, b| a == b);
        assert_eq!(map.remove(&key(), &"a", 10, |kept| *kept == 1), None);
        assert_eq!(values(&map), [2]);
    }
}
