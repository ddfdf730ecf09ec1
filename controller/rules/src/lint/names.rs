//! The checks `unknown-metric` and `unknown-label`.

use metric_contract::labels::LE;

use super::{
    check::Check,
    finding::Mistake,
    inference::{KnownSeries, Observed},
    label_set::LabelSet,
    query::{MatcherKind, Selector, VARIABLE},
};
use crate::nearest::nearest;

/// Most names that a hint lists.
const MOST_LISTED: usize = 12;

/// Checks the names of one part of an expression.
pub(super) fn check(observed: &Observed<'_, '_>, known: &KnownSeries<'_>, found: &mut Vec<Mistake>) {
    match observed {
        Observed::Selector(selector, labels) => of_selector(selector, *labels, known, found),
        Observed::Named(names, labels) => found.extend(names.iter().filter_map(|name| missing(name, labels))),
        Observed::Buckets(labels) => found.extend(without_bound(labels)),
        Observed::Operation(..) => {}
    }
}

fn of_selector(selector: &Selector, labels: Option<&LabelSet>, known: &KnownSeries<'_>, found: &mut Vec<Mistake>) {
    let Some(metric) = selector.metric.as_deref() else {
        return;
    };
    let Some(labels) = labels else {
        found.extend(unknown_metric(metric, known));
        return;
    };
    let named = selector.matchers.iter();
    let named = named.filter(|matcher| matcher.kind != MatcherKind::Absent);
    found.extend(named.filter_map(|matcher| missing(&matcher.label, labels)));
}

fn unknown_metric(metric: &str, known: &KnownSeries<'_>) -> Option<Mistake> {
    if !known.vocabulary.is_complete() || metric.starts_with(VARIABLE) {
        return None;
    }
    let names = known.vocabulary.names();
    let near = nearest(metric, names.chain(known.recorded.keys().map(String::as_str)));
    let mistake = Mistake::new(
        Check::UnknownMetric,
        format!("{metric} is not a metric that exists here"),
        format!("use a metric of the dialect, for example {}", near.join(", ")),
    );
    Some(mistake.about(metric))
}

/// The mistake if series cannot have a label.
fn missing(label: &str, labels: &LabelSet) -> Option<Mistake> {
    if labels.may_have(label) {
        return None;
    }
    let there: Vec<&str> = labels.possible().into_iter().flatten().take(MOST_LISTED).collect();
    let hint = if there.is_empty() {
        "group by it inside too, or leave it out".to_owned()
    } else {
        format!("use one of {}", there.join(", "))
    };
    let sentence = format!("{label} is not a label that these series have");
    Some(Mistake::new(Check::UnknownLabel, sentence, hint).about(label))
}

/// The mistake if the buckets of a quantile have lost their bound.
fn without_bound(buckets: &LabelSet) -> Option<Mistake> {
    if buckets.may_have(LE) {
        return None;
    }
    let sentence = format!("the buckets of histogram_quantile have no label {LE}");
    let hint = format!("keep it in the aggregation, for example sum by ({LE}) (rate(…))");
    Some(Mistake::new(Check::UnknownLabel, sentence, hint).about("histogram_quantile"))
}
