//! All checks of one expression.

use super::{
    client_label, comparison,
    finding::Mistake,
    inference::{KnownSeries, labels_of},
    label_set::LabelSet,
    matching, names,
    query::Query,
};

/// What is wrong with an expression.
pub(super) fn check(query: &Query, known: &KnownSeries<'_>) -> Vec<Mistake> {
    let mut found = Vec::new();
    labels_of(query, known, &mut |observed| {
        names::check(&observed, known, &mut found);
        matching::check(&observed, &mut found);
    });
    client_label::check(query, known.vocabulary, &mut found);
    comparison::check(query, &mut found);
    found.dedup();
    found
}

/// The labels of an expression's result.
pub(super) fn labels(query: &Query, known: &KnownSeries<'_>) -> LabelSet {
    labels_of(query, known, &mut |_| {}).unwrap_or_else(LabelSet::empty)
}
