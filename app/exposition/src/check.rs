//! Problems of a page that Prometheus accepts: samples that it drops, and histograms that contradict themselves.

use std::collections::{HashMap, HashSet};

use crate::{Labels, MetricFamily, MetricType, Sample};

/// A problem of a page that Prometheus accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A series stands on the page more than once; Prometheus keeps one of its samples.
    #[error("the series {0} stands on the page more than once")]
    SeriesTwice(String),
    /// A bucket counts less than the next smaller one, though buckets are cumulative.
    #[error("the bucket {0} holds less than the bucket below it")]
    Falling(String),
    /// The count differs from that of the bucket `+Inf`, or there is no such bucket.
    #[error("the histogram {0} has no bucket le=\"+Inf\" that equals its count")]
    Count(String),
    /// A histogram has a bucket `+Inf` and no count.
    #[error("the histogram of the bucket {0} has no count")]
    NoCount(String),
}

/// Looks for problems, in the order of the page.
#[must_use]
pub fn problems(families: &[MetricFamily]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for family in families {
        for sample in &family.samples {
            if !seen.insert((sample.name.as_str(), sorted(&sample.labels, ""))) {
                problems.push(Problem::SeriesTwice(described(sample)));
            }
        }
        if family.metric_type == MetricType::Histogram {
            histogram_problems(family, &mut problems);
        }
    }
    problems
}

fn histogram_problems(family: &MetricFamily, problems: &mut Vec<Problem>) {
    let mut below: Option<(Vec<_>, f64)> = None;
    let mut ends: HashMap<Vec<_>, &Sample> = HashMap::new();
    for sample in &family.samples {
        if let Some(le) = sample.label("le") {
            let labels = sorted(&sample.labels, "le");
            let falls = below
                .as_ref()
                .is_some_and(|(known, count)| *known == labels && sample.value < *count);
            if falls {
                problems.push(Problem::Falling(described(sample)));
            }
            if le == "+Inf" {
                ends.insert(labels.clone(), sample);
            }
            below = Some((labels, sample.value));
        }
    }
    for sample in family.samples.iter().filter(|sample| sample.name.ends_with("_count")) {
        let end = ends.remove(&sorted(&sample.labels, "le"));
        if end.is_none_or(|end| end.value != sample.value) {
            problems.push(Problem::Count(described(sample)));
        }
    }
    problems.extend(ends.values().map(|end| Problem::NoCount(described(end))));
}

/// The labels except one, in the order of their names.
fn sorted<'a>(labels: &'a Labels, without: &str) -> Vec<&'a (String, String)> {
    let mut labels: Vec<_> = labels.iter().filter(|(name, _)| name != without).collect();
    labels.sort();
    labels
}

fn described(sample: &Sample) -> String {
    let labels: Vec<_> = sample
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    format!("{}{{{}}}", sample.name, labels.join(","))
}
