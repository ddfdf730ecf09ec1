//! What is known of the labels that the series of a result carry.

use std::{collections::BTreeSet, sync::Arc};

use super::query::VARIABLE;

/// The labels of a result: those that each series carries, and those that one may carry. Shared until they are changed:
/// most selectors name only labels that their series have anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabelSet {
    always: Arc<BTreeSet<String>>,
    possible: Possible,
}

/// The labels that a series may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Possible {
    /// No others than these.
    Only(Arc<BTreeSet<String>>),
    /// Any but these.
    AllBut(Arc<BTreeSet<String>>),
}

impl LabelSet {
    /// Nothing is known.
    pub(super) fn unknown() -> Self {
        Self {
            always: Arc::default(),
            possible: Possible::AllBut(Arc::default()),
        }
    }

    /// No labels.
    pub(super) fn empty() -> Self {
        Self {
            always: Arc::default(),
            possible: Possible::Only(Arc::default()),
        }
    }

    /// Labels that each series carries, and others that one may carry.
    pub(super) fn of<'a>(
        always: impl IntoIterator<Item = &'a str>,
        sometimes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let always: BTreeSet<String> = always.into_iter().map(str::to_owned).collect();
        let sometimes = sometimes.into_iter().map(str::to_owned);
        let possible: BTreeSet<String> = sometimes.chain(always.iter().cloned()).collect();
        Self {
            always: Arc::new(always),
            possible: Possible::Only(Arc::new(possible)),
        }
    }

    pub(super) fn always_has(&self, label: &str) -> bool {
        self.always.contains(label)
    }

    pub(super) fn may_have(&self, label: &str) -> bool {
        label.starts_with(VARIABLE)
            || match &self.possible {
                Possible::Only(labels) => labels.contains(label),
                Possible::AllBut(labels) => !labels.contains(label),
            }
    }

    pub(super) fn always(&self) -> impl Iterator<Item = &str> {
        self.always.iter().map(String::as_str)
    }

    /// The labels that a series may carry, if they are known.
    pub(super) fn possible(&self) -> Option<impl Iterator<Item = &str>> {
        match &self.possible {
            Possible::Only(labels) => Some(labels.iter().map(String::as_str)),
            Possible::AllBut(_) => None,
        }
    }

    pub(super) fn add(&mut self, label: &str) {
        insert(&mut self.always, label);
        self.add_possible(label);
    }

    pub(super) fn add_possible(&mut self, label: &str) {
        match &mut self.possible {
            Possible::Only(labels) => insert(labels, label),
            Possible::AllBut(labels) => take(labels, label),
        }
    }

    pub(super) fn remove(&mut self, label: &str) {
        take(&mut self.always, label);
        match &mut self.possible {
            Possible::Only(labels) => take(labels, label),
            Possible::AllBut(labels) => insert(labels, label),
        }
    }

    /// Keeps only these labels. If one of them is a variable, nothing is known.
    pub(super) fn keep(&self, kept: &[String]) -> Self {
        if kept.iter().any(|label| label.starts_with(VARIABLE)) {
            return Self::unknown();
        }
        let labels = |wanted: &dyn Fn(&str) -> bool| -> Arc<BTreeSet<String>> {
            Arc::new(kept.iter().filter(|label| wanted(label)).cloned().collect())
        };
        Self {
            always: labels(&|label| self.always_has(label)),
            possible: Possible::Only(labels(&|label| self.may_have(label))),
        }
    }

    /// Removes these labels. If one of them is a variable, nothing is known.
    pub(super) fn without(mut self, removed: &[String]) -> Self {
        if removed.iter().any(|label| label.starts_with(VARIABLE)) {
            return Self::unknown();
        }
        for label in removed {
            self.remove(label);
        }
        self
    }

    /// The labels of series that come from one of two sets.
    pub(super) fn or(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        let always = Arc::new(self.always.intersection(&other.always).cloned().collect());
        let possible = match (&self.possible, &other.possible) {
            (Possible::Only(one), Possible::Only(two)) => Possible::Only(Arc::new(one.union(two).cloned().collect())),
            (Possible::AllBut(one), Possible::AllBut(two)) => {
                Possible::AllBut(Arc::new(one.intersection(two).cloned().collect()))
            }
            (Possible::Only(only), Possible::AllBut(but)) | (Possible::AllBut(but), Possible::Only(only)) => {
                Possible::AllBut(Arc::new(but.difference(only).cloned().collect()))
            }
        };
        Self { always, possible }
    }
}

fn insert(labels: &mut Arc<BTreeSet<String>>, label: &str) {
    if !labels.contains(label) {
        Arc::make_mut(labels).insert(label.to_owned());
    }
}

fn take(labels: &mut Arc<BTreeSet<String>>, label: &str) {
    if labels.contains(label) {
        Arc::make_mut(labels).remove(label);
    }
}
