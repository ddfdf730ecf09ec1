//! A map that a watch fills, by MonitoredApi and id: a newer version replaces an older one. A complete list
//! replaces entries whatever their versions are, and removes those that it does not contain.

use std::collections::HashMap;

use crate::cache::namespaced_name::NamespacedName;

/// Number of the list in which an entry was last seen. Each watch counts its own lists, from 1.
pub(crate) type Epoch = u32;

/// Epoch of an entry from the answer to our own write: such an entry survives a list that is being read meanwhile.
const FRESH: Epoch = 0;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From a complete, consistent list: it wins even if it looks older, because a restored etcd counts
    /// versions again from a lower number.
    List(Epoch),
    /// From a watch event: may arrive after the answer to a later write of our own.
    Event(Epoch),
    /// From the answer to a request of our own.
    Answer,
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

/// Versioned values by MonitoredApi and id.
#[derive(Debug)]
pub(crate) struct VersionedMap<I, T> {
    entries: HashMap<NamespacedName, Vec<Entry<I, T>>>,
}

impl<I, T> Default for VersionedMap<I, T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
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
        let entries = self.entries.entry(key.clone()).or_default();
        let Some(index) = entries.iter().position(|entry| entry.id == id) else {
            let epoch = match source {
                Source::List(epoch) | Source::Event(epoch) => epoch,
                Source::Answer => FRESH,
            };
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
            return Upsert::Inserted(&entry.value);
        };
        let Some(entry) = entries.get_mut(index) else {
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
            Source::Answer => older,
        };
        if stale {
            return Upsert::Stale;
        }
        entry.version = version;
        let old = std::mem::replace(&mut entry.value, value);
        Upsert::Replaced(old, &entry.value)
    }

    /// Removes a value, if it is of the object that `is_it` recognises.
    pub(crate) fn remove(&mut self, key: &NamespacedName, id: &I, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let entries = self.entries.get_mut(key)?;
        let index = entries
            .iter()
            .position(|entry| entry.id == *id && is_it(&entry.value))?;
        let entry = entries.swap_remove(index);
        if entries.is_empty() {
            self.entries.remove(key);
        }
        Some(entry.value)
    }

    /// After a complete list: removes what it did not name, among the entries that `covers` says the list covers.
    /// Returns what was removed.
    pub(crate) fn sweep(
        &mut self,
        epoch: Epoch,
        covers: impl Fn(&NamespacedName, &I) -> bool,
    ) -> Vec<(NamespacedName, T)> {
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
            removed.extend(gone.map(|entry| (key.clone(), entry.value)));
            !entries.is_empty()
        });
        removed
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
        map.upsert(&key(), "a", 2, 20, Source::Answer, one_object);
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
        map.upsert(&key(), "a", 1, 1, Source::Answer, one_object);
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
    fn the_late_deletion_of_a_predecessor_does_not_take_its_successor() {
        let mut map = VersionedMap::default();
        map.upsert(&key(), "a", 2, 20, Source::Answer, |a, b| a == b);
        assert_eq!(map.remove(&key(), &"a", |kept| *kept == 1), None);
        assert_eq!(values(&map), [2]);
    }
}
