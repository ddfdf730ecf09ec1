//! What is known of the labels that the series of a result carry.

use std::collections::BTreeSet;

use super::query::VARIABLE;

/// The labels of a result: those that each series carries, and those that one may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabelSet {
    always: BTreeSet<String>,
    possible: Possible,
}

/// The labels that a series may carry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Possible {
    /// No others than these.
    Only(BTreeSet<String>),
    /// Any but these.
    AllBut(BTreeSet<String>),
}

impl LabelSet {
    /// Nothing is known.
    pub(super) const fn unknown() -> Self {
        Self {
            always: BTreeSet::new(),
            possible: Possible::AllBut(BTreeSet::new()),
        }
    }

    /// No labels.
    pub(super) const fn empty() -> Self {
        Self {
            always: BTreeSet::new(),
            possible: Possible::Only(BTreeSet::new()),
        }
    }

    /// Labels that each series carries, and others that one may carry.
    pub(super) fn of<'a>(
        always: impl IntoIterator<Item = &'a str>,
        sometimes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let always: BTreeSet<String> = always.into_iter().map(str::to_owned).collect();
        let sometimes = sometimes.into_iter().map(str::to_owned);
        let possible = Possible::Only(sometimes.chain(always.iter().cloned()).collect());
        Self { always, possible }
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
        self.always.insert(label.to_owned());
        self.add_possible(label);
    }

    pub(super) fn add_possible(&mut self, label: &str) {
        match &mut self.possible {
            Possible::Only(labels) => {
                labels.insert(label.to_owned());
            }
            Possible::AllBut(labels) => {
                labels.remove(label);
            }
        }
    }

    pub(super) fn remove(&mut self, label: &str) {
        self.always.remove(label);
        match &mut self.possible {
            Possible::Only(labels) => {
                labels.remove(label);
            }
            Possible::AllBut(labels) => {
                labels.insert(label.to_owned());
            }
        }
    }

    /// Keeps only these labels. If one of them is a variable, nothing is known.
    pub(super) fn keep(&self, kept: &[String]) -> Self {
        if kept.iter().any(|label| label.starts_with(VARIABLE)) {
            return Self::unknown();
        }
        let labels = |wanted: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
            kept.iter().filter(|label| wanted(label)).cloned().collect()
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
        let always = self.always.intersection(&other.always).cloned().collect();
        let possible = match (&self.possible, &other.possible) {
            (Possible::Only(one), Possible::Only(two)) => Possible::Only(one.union(two).cloned().collect()),
            (Possible::AllBut(one), Possible::AllBut(two)) => {
                Possible::AllBut(one.intersection(two).cloned().collect())
            }
            (Possible::Only(only), Possible::AllBut(but)) | (Possible::AllBut(but), Possible::Only(only)) => {
                Possible::AllBut(but.difference(only).cloned().collect())
            }
        };
        Self { always, possible }
    }
}
