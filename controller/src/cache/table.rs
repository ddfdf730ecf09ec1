//! Rows by MonitoredApi, fed by a watch: newer beats older, a complete list beats everything, and what a complete list
//! did not name goes.

use std::collections::HashMap;

use crate::cache::api_key::ApiKey;

/// The list in which a row was last seen. Each watch counts its own, from 1.
pub(crate) type Epoch = u32;

/// A row that we put in ourselves, from the answer to a write: it outlives the list that may just be coming in.
const FRESH: Epoch = 0;

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// From a complete, consistent list: right even where it looks older (a restored etcd counts anew).
    List(Epoch),
    /// From a watch event: may arrive after the answer to a later write of our own.
    Event(Epoch),
    /// From the answer to a request of our own.
    Answer,
}

/// What a row did to the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put<T> {
    /// It was older than what is there: nothing.
    Stale,
    /// There was none.
    New,
    /// It took the place of this one.
    Replaced(T),
}

#[derive(Debug)]
struct Row<I, T> {
    id: I,
    version: u64,
    epoch: Epoch,
    value: T,
}

/// Rows by MonitoredApi.
#[derive(Debug)]
pub(crate) struct Table<I, T> {
    rows: HashMap<ApiKey, Vec<Row<I, T>>>,
}

impl<I, T> Default for Table<I, T> {
    fn default() -> Self {
        Self { rows: HashMap::new() }
    }
}

impl<I: PartialEq, T> Table<I, T> {
    /// Puts a row in. `same` says whether two values are versions of one object (same uid).
    pub(crate) fn put(
        &mut self,
        key: &ApiKey,
        id: I,
        value: T,
        version: u64,
        source: Source,
        same: impl Fn(&T, &T) -> bool,
    ) -> Put<T> {
        let rows = match self.rows.get_mut(key) {
            Some(rows) => rows,
            None => self.rows.entry(key.clone()).or_default(),
        };
        let Some(row) = rows.iter_mut().find(|row| row.id == id) else {
            let epoch = match source {
                Source::List(epoch) | Source::Event(epoch) => epoch,
                Source::Answer => FRESH,
            };
            if rows.len() == rows.capacity() {
                // A Vec's own growth starts with room for four: most have one row, for ever.
                rows.reserve_exact((rows.len() / 4).max(1));
            }
            rows.push(Row {
                id,
                version,
                epoch,
                value,
            });
            return Put::New;
        };
        match source {
            Source::List(epoch) => row.epoch = epoch,
            Source::Event(epoch) => {
                row.epoch = epoch;
                if version < row.version && same(&row.value, &value) {
                    return Put::Stale;
                }
            }
            Source::Answer => {
                if version < row.version {
                    return Put::Stale;
                }
            }
        }
        row.version = version;
        Put::Replaced(std::mem::replace(&mut row.value, value))
    }

    /// Takes a row out, if it is still the same object.
    pub(crate) fn remove(&mut self, key: &ApiKey, id: &I, value: &T, same: impl Fn(&T, &T) -> bool) -> Option<T> {
        let rows = self.rows.get_mut(key)?;
        let index = rows.iter().position(|row| row.id == *id && same(&row.value, value))?;
        let row = rows.swap_remove(index);
        if rows.is_empty() {
            self.rows.remove(key);
        }
        Some(row.value)
    }

    /// After a complete list: takes out what it did not name, among the rows that `covers` says it covers. Returns
    /// whose rows went.
    pub(crate) fn sweep(&mut self, epoch: Epoch, covers: impl Fn(&ApiKey, &I) -> bool) -> Vec<ApiKey> {
        let mut affected = Vec::new();
        self.rows.retain(|key, rows| {
            let before = rows.len();
            rows.retain_mut(|row| {
                if !covers(key, &row.id) || row.epoch == epoch {
                    return true;
                }
                let fresh = row.epoch == FRESH;
                row.epoch = epoch;
                fresh
            });
            if rows.len() != before {
                affected.push(key.clone());
            }
            !rows.is_empty()
        });
        affected
    }

    /// The rows of one MonitoredApi.
    pub(crate) fn of<'a>(&'a self, key: &ApiKey) -> impl Iterator<Item = (&'a I, &'a T)> + use<'a, I, T> {
        self.rows
            .get(key)
            .into_iter()
            .flatten()
            .map(|row| (&row.id, &row.value))
    }

    /// One row and its version.
    pub(crate) fn versioned(&self, key: &ApiKey, id: &I) -> Option<(&T, u64)> {
        let row = self.rows.get(key)?.iter().find(|row| row.id == *id)?;
        Some((&row.value, row.version))
    }

    /// Every row.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&ApiKey, &I, &T)> {
        self.rows
            .iter()
            .flat_map(|(key, rows)| rows.iter().map(move |row| (key, &row.id, &row.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new("shop", "orders")
    }

    fn one_object(_: &u8, _: &u8) -> bool {
        true
    }

    fn values(table: &Table<&'static str, u8>) -> Vec<u8> {
        table.of(&key()).map(|(_, value)| *value).collect()
    }

    #[test]
    fn an_event_older_than_the_answer_to_our_own_write_is_ignored() {
        let mut table = Table::default();
        table.put(&key(), "a", 2, 20, Source::Answer, one_object);
        let late = table.put(&key(), "a", 1, 10, Source::Event(1), one_object);
        assert_eq!(late, Put::Stale);
        assert_eq!(values(&table), [2]);
    }

    #[test]
    fn a_list_is_right_even_if_its_versions_are_lower_as_after_a_restored_etcd() {
        let mut table = Table::default();
        table.put(&key(), "a", 2, 20, Source::Event(1), one_object);
        table.put(&key(), "a", 1, 10, Source::List(2), one_object);
        assert_eq!(values(&table), [1]);
    }

    #[test]
    fn what_a_complete_list_does_not_name_is_gone() {
        let mut table = Table::default();
        table.put(&key(), "a", 1, 1, Source::List(1), one_object);
        table.put(&key(), "b", 2, 2, Source::List(1), one_object);
        table.put(&key(), "a", 1, 1, Source::List(2), one_object);
        assert_eq!(table.sweep(2, |_, _| true), [key()]);
        assert_eq!(values(&table), [1]);
    }

    #[test]
    fn what_we_wrote_while_a_list_came_in_survives_that_list_and_only_that() {
        let mut table = Table::default();
        table.put(&key(), "a", 1, 1, Source::Answer, one_object);
        assert!(table.sweep(1, |_, _| true).is_empty());
        assert_eq!(table.sweep(2, |_, _| true), [key()]);
    }

    #[test]
    fn a_sweep_spares_what_its_list_does_not_cover() {
        let mut table = Table::default();
        table.put(&key(), "a", 1, 1, Source::List(1), one_object);
        assert!(table.sweep(2, |key, _| &*key.namespace == "bank").is_empty());
        assert_eq!(values(&table), [1]);
    }

    #[test]
    fn the_late_deletion_of_a_predecessor_does_not_take_its_successor() {
        let mut table = Table::default();
        table.put(&key(), "a", 2, 20, Source::Answer, |a, b| a == b);
        assert_eq!(table.remove(&key(), &"a", &1, |a, b| a == b), None);
        assert_eq!(values(&table), [2]);
    }
}
