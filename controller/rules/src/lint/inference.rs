//! Which labels the result of an expression carries, and what was seen on the way there.

use std::{borrow::Cow, collections::BTreeMap};

use metric_contract::labels::LE;

use super::{
    label_set::LabelSet,
    query::{
        Aggregation, AggregationKind, Call, Grouping, LabelMatcher, Many, MatcherKind, Matching, Operation, Operator,
        Query, Selector,
    },
    vocabulary::Vocabulary,
};

/// The series that expressions may read: those that exist, and those that rules record.
#[derive(Debug)]
pub(super) struct KnownSeries<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    /// By name, the labels of what the rules of the same set record.
    pub(super) recorded: BTreeMap<String, LabelSet>,
}

impl KnownSeries<'_> {
    /// The labels of a metric's series; `None`: it does not exist, as far as is known.
    pub(super) fn labels(&self, metric: &str) -> Option<Cow<'_, LabelSet>> {
        let recorded = self.recorded.get(metric).map(Cow::Borrowed);
        recorded.or_else(|| self.vocabulary.labels(metric))
    }
}

/// A part of an expression with the labels that it works on.
#[derive(Debug)]
pub(super) enum Observed<'q, 'l> {
    /// The labels of the series without regard to the matchers; `None`: the metric does not exist.
    Selector(&'q Selector, Option<&'l LabelSet>),
    /// Labels that are named in `by`, in a label's function or as a needed one, and the series that should have them.
    Named(&'q [String], &'l LabelSet),
    /// The buckets of a quantile.
    Buckets(&'l LabelSet),
    /// An operator with a vector on both sides.
    Operation(&'q Operation, &'l LabelSet, &'l LabelSet),
}

/// The labels of the result; `None`: a number or a text. Calls `observe` for each part.
pub(super) fn labels_of<'q>(
    query: &'q Query,
    known: &KnownSeries<'_>,
    observe: &mut dyn FnMut(Observed<'q, '_>),
) -> Option<LabelSet> {
    match query {
        Query::Number(_) | Query::Text(_) => None,
        Query::Selector(selector) => Some(of_selector(selector, known, observe)),
        Query::Aggregate(aggregation) => Some(of_aggregation(aggregation, known, observe)),
        Query::Binary(operation) => of_operation(operation, known, observe),
        Query::Call(call) => of_call(call, known, observe),
        Query::Negative(of) | Query::Subquery(of) => labels_of(of, known, observe),
    }
}

fn of_selector<'q>(
    selector: &'q Selector,
    known: &KnownSeries<'_>,
    observe: &mut dyn FnMut(Observed<'q, '_>),
) -> LabelSet {
    let found = selector.metric.as_deref().and_then(|metric| known.labels(metric));
    observe(Observed::Selector(selector, found.as_deref()));
    let mut labels = found.map_or_else(LabelSet::unknown, Cow::into_owned);
    for LabelMatcher { label, kind } in &selector.matchers {
        match kind {
            MatcherKind::Value(_) => labels.add(label),
            MatcherKind::Absent => labels.remove(label),
            MatcherKind::Pattern(_) => {}
        }
    }
    labels
}

fn of_aggregation<'q>(
    aggregation: &'q Aggregation,
    known: &KnownSeries<'_>,
    observe: &mut dyn FnMut(Observed<'q, '_>),
) -> LabelSet {
    let Aggregation {
        kind,
        grouping,
        parameter,
        of,
    } = aggregation;
    if let Some(parameter) = parameter {
        labels_of(parameter, known, observe);
    }
    let of = labels_of(of, known, observe).unwrap_or_else(LabelSet::unknown);
    let mut grouped = match grouping {
        Grouping::By(labels) => {
            observe(Observed::Named(labels, &of));
            of.keep(labels)
        }
        Grouping::Without(labels) => of.clone().without(labels),
    };
    match kind {
        AggregationKind::Mixed | AggregationKind::NeverNegative => grouped,
        AggregationKind::Chooses => of,
        AggregationKind::CountValues(label) => {
            grouped.add(label);
            grouped
        }
    }
}

fn of_operation<'q>(
    operation: &'q Operation,
    known: &KnownSeries<'_>,
    observe: &mut dyn FnMut(Observed<'q, '_>),
) -> Option<LabelSet> {
    let left = labels_of(&operation.left, known, observe);
    let right = labels_of(&operation.right, known, observe);
    let (left, right) = match (left, right) {
        (Some(left), Some(right)) => (left, right),
        (one, other) => return one.or(other),
    };
    observe(Observed::Operation(operation, &left, &right));
    Some(match operation.operator {
        Operator::And | Operator::Unless => left,
        Operator::Or => left.or(&right),
        Operator::Arithmetic(_) | Operator::Compare(_) => matched(operation, left, right),
    })
}

/// The labels of the result of an operator that joins series one to one, or many to one.
fn matched(operation: &Operation, left: LabelSet, right: LabelSet) -> LabelSet {
    let with = |mut many: LabelSet, one: LabelSet, taken: &[String]| {
        for label in taken {
            if one.always_has(label) {
                many.add(label);
            } else if one.may_have(label) {
                many.add_possible(label);
            }
        }
        many
    };
    match (&operation.many, &operation.matching) {
        (Many::Left(taken), _) => with(left, right, taken),
        (Many::Right(taken), _) => with(right, left, taken),
        (Many::Neither, Matching::AllLabels) => left,
        (Many::Neither, Matching::On(labels)) => left.keep(labels),
        (Many::Neither, Matching::Ignoring(labels)) => left.without(labels),
    }
}

fn of_call<'q>(call: &'q Call, known: &KnownSeries<'_>, observe: &mut dyn FnMut(Observed<'q, '_>)) -> Option<LabelSet> {
    let Call { function, arguments } = call;
    let mut of = None;
    for argument in arguments {
        let labels = labels_of(argument, known, observe);
        of = of.or(labels);
    }
    let text = |index: usize| arguments.get(index).and_then(Query::text);
    match function.as_str() {
        "scalar" | "time" | "pi" => None,
        "vector" => Some(LabelSet::empty()),
        "absent" | "absent_over_time" => Some(absent(arguments)),
        // Without an argument, functions of the date give one series without labels.
        "minute" | "hour" | "month" | "year" | "day_of_month" | "day_of_week" | "day_of_year" | "days_in_month" => {
            of.or_else(|| Some(LabelSet::empty()))
        }
        "info" => Some(LabelSet::unknown()),
        "histogram_quantile" => of.map(|mut labels| {
            observe(Observed::Buckets(&labels));
            labels.remove(LE);
            labels
        }),
        "label_replace" => of.map(|labels| replaced(labels, text(1), text(2), text(3), text(4))),
        "label_join" => of.map(|mut labels| {
            if let Some(label) = text(1) {
                labels.add_possible(label);
            }
            labels
        }),
        _ => of,
    }
}

/// `absent` gives the labels of the matchers with a value.
fn absent(arguments: &[Query]) -> LabelSet {
    let mut labels = LabelSet::empty();
    if let Some(Query::Selector(selector)) = arguments.first() {
        for LabelMatcher { label, kind } in &selector.matchers {
            match kind {
                MatcherKind::Value(_) => labels.add(label),
                MatcherKind::Absent | MatcherKind::Pattern(_) => {}
            }
        }
    }
    labels
}

/// Patterns that match every text, or every one that is not empty.
const ANYTHING: [&str; 4] = ["(.+)", "(.*)", ".+", ".*"];

fn replaced(
    mut labels: LabelSet,
    to: Option<&str>,
    replacement: Option<&str>,
    from: Option<&str>,
    pattern: Option<&str>,
) -> LabelSet {
    let Some(to) = to else { return labels };
    let source_is_there = from.is_none_or(|from| from.is_empty() || labels.always_has(from));
    let always = source_is_there
        && pattern.is_some_and(|pattern| pattern.is_empty() || ANYTHING.contains(&pattern))
        && replacement.is_some_and(|replacement| !replacement.is_empty());
    match (always, replacement) {
        (true, _) => labels.add(to),
        // The label is removed where the pattern matches.
        (false, Some("")) => {
            let may_have = labels.may_have(to);
            labels.remove(to);
            if may_have && pattern.is_none_or(|pattern| !ANYTHING.contains(&pattern)) {
                labels.add_possible(to);
            }
        }
        (false, _) => labels.add_possible(to),
    }
    labels
}
