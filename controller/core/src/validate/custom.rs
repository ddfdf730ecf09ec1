//! `spec.metrics.custom`: the names of metrics that no dialect has.

use std::{borrow::Cow, collections::BTreeMap};

use controller_api::{
    MonitoredApiSpec,
    spec::{
        CustomDuration, CustomDurationType, CustomInFlight, CustomLabels, CustomMetrics, CustomRequests, CustomUnit,
    },
};
use metric_contract::{Attribute, MetricId, MetricKind, MetricSpelling, Spelling, Unit, labels::LE};

use crate::violation::Violations;

/// Where all of it stands.
pub(super) const PATH: &str = "spec.metrics.custom";
/// The label of a summary's quantiles.
const QUANTILE: &str = "quantile";
/// What the names of a histogram's series end in.
const ENDINGS: [&str; 3] = ["_bucket", "_count", "_sum"];

/// The spelling by hand of a spec that has one; worth something only if validation finds nothing in the spec. For those who hold it
/// against a page before they validate: the operator has it in [`crate::valid::Metrics::dialect`].
#[must_use]
pub fn custom_spelling(spec: &MonitoredApiSpec) -> Option<Spelling> {
    let metrics = spec.metrics.as_ref();
    let by_hand = metrics.filter(|metrics| metrics.dialect.as_deref() == Some(Spelling::CUSTOM));
    let given = by_hand?.custom.as_ref()?;
    Some(custom(given, &mut Violations::default()))
}

/// The spelling by hand; worth something only if no violation was added.
pub(super) fn custom(given: &CustomMetrics, out: &mut Violations) -> Spelling {
    let CustomMetrics {
        requests,
        duration,
        in_flight,
    } = given;
    if requests.is_none() && duration.is_none() {
        out.add(
            PATH,
            "requests and duration are both missing: use at least one of them, for example requests: {name: my_requests_total}",
        );
    }
    names(given, out);
    let requests = requests.as_ref().map(|given| of_requests(given, out));
    let duration = duration.as_ref().map(|given| of_duration(given, out));
    let in_flight = in_flight.as_ref().map(of_in_flight);
    Spelling::custom([requests, duration, in_flight].into_iter().flatten().collect())
}

fn of_requests(CustomRequests { name, labels: given }: &CustomRequests, out: &mut Violations) -> MetricSpelling {
    MetricSpelling {
        metric: MetricId::Requests,
        name: Cow::Owned(name.clone()),
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels: labels(given.as_ref(), "requests", out),
        buckets: Cow::Borrowed(&[]),
    }
}

fn of_duration(given: &CustomDuration, out: &mut Violations) -> MetricSpelling {
    let CustomDuration {
        name,
        type_,
        unit,
        labels: named,
    } = given;
    MetricSpelling {
        metric: MetricId::Duration,
        name: Cow::Owned(name.clone()),
        kind: match type_.unwrap_or_default() {
            CustomDurationType::Histogram => MetricKind::Histogram,
            CustomDurationType::Summary => MetricKind::Summary,
        },
        unit: match unit.unwrap_or_default() {
            CustomUnit::Seconds => Unit::Seconds,
            CustomUnit::Milliseconds => Unit::Milliseconds,
        },
        labels: labels(named.as_ref(), "duration", out),
        // Those of a histogram stand on the page only.
        buckets: Cow::Borrowed(&[]),
    }
}

fn of_in_flight(CustomInFlight { name }: &CustomInFlight) -> MetricSpelling {
    MetricSpelling {
        metric: MetricId::InFlight,
        name: Cow::Owned(name.clone()),
        kind: MetricKind::Gauge,
        unit: Unit::Count,
        labels: Vec::new(),
        buckets: Cow::Borrowed(&[]),
    }
}

/// Checks the names of the metrics: each by itself, and then against the others.
fn names(given: &CustomMetrics, out: &mut Violations) {
    let requests = given.requests.as_ref().map(|of| ("requests", &of.name));
    let duration = given.duration.as_ref().map(|of| ("duration", &of.name));
    let in_flight = given.in_flight.as_ref().map(|of| ("inFlight", &of.name));
    let mut taken = BTreeMap::<&str, &str>::new();
    for (field, name) in [requests, duration, in_flight].into_iter().flatten() {
        let path = format!("{PATH}.{field}.name");
        if !is_metric_name(name) {
            out.add(
                path,
                format!(
                    "{name:?} is not a valid name of a metric: use letters, digits, _ and :, with no digit at the beginning, for \
                     example my_requests_total"
                ),
            );
        } else if let Some(first) = taken.insert(name, field) {
            out.add(
                path,
                format!(
                    "{name:?} is the name of {first} already: use the metric's own name, or remove one of the two (without requests, \
                     duration counts them too)"
                ),
            );
        } else if let Some(sentence) = of_a_histogram(field, name, duration.map(|(_, name)| name)) {
            out.add(path, sentence);
        }
    }
}

/// The mistake of a name that is not a metric's but that of one series of a histogram or a summary. A counter or a gauge may have
/// any ending that is not theirs alone: `jobs_count` is no uncommon name.
fn of_a_histogram(field: &str, name: &str, duration: Option<&String>) -> Option<String> {
    let ending = ENDINGS.into_iter().find(|ending| name.ends_with(ending))?;
    let family = name.strip_suffix(ending).filter(|family| !family.is_empty())?;
    if field == "duration" {
        return Some(format!(
            "{name:?} is one series of a histogram or a summary: use the name without {ending}, {family}"
        ));
    }
    if duration.is_some_and(|duration| duration == family) {
        return Some(match (field, ending) {
            ("requests", "_count") => format!(
                "{name:?} is the count of duration, which counts requests without this field too: remove requests, and write its \
                 labels into duration.labels"
            ),
            _ => format!("{name:?} is a series of duration: use the name of another metric, or remove {field}"),
        });
    }
    // Nothing else has such a name, except a sum that somebody counts.
    let is_only_theirs = ending == "_bucket" || (ending == "_sum" && field == "requests");
    is_only_theirs.then(|| {
        format!(
            "{name:?} is one series of a histogram, and not the number of requests: use the histogram's name, {family}, in \
             {PATH}.duration.name"
        )
    })
}

/// The labels of a metric, each with what it stands for.
fn labels(given: Option<&CustomLabels>, field: &str, out: &mut Violations) -> Vec<(Cow<'static, str>, Attribute)> {
    let CustomLabels { method, route, status } = given.cloned().unwrap_or_default();
    let named = [
        ("method", method, Attribute::Method),
        ("route", route, Attribute::Route),
        ("status", status, Attribute::Status),
    ];
    let mut taken = BTreeMap::<String, &str>::new();
    let mut labels = Vec::new();
    for (what, label, attribute) in named {
        let Some(label) = label else { continue };
        let path = format!("{PATH}.{field}.labels.{what}");
        if let Some(sentence) = bad_label(&label) {
            out.add(path, sentence);
        } else if let Some(first) = taken.insert(label.clone(), what) {
            out.add(
                path,
                format!(
                    "{label:?} is the label of the {first} already: use the label of the {what}, or remove this field"
                ),
            );
        }
        labels.push((Cow::Owned(label), attribute));
    }
    labels
}

/// What is wrong with the name of a label.
fn bad_label(label: &str) -> Option<String> {
    if !is_label_name(label) {
        return Some(format!(
            "{label:?} is not a valid name of a label: use letters, digits and _, with no digit at the beginning, for example path"
        ));
    }
    let whose = match label {
        LE => "the label of a histogram's buckets",
        QUANTILE => "the label of a summary's quantiles",
        _ if label.starts_with("__") => "Prometheus's own, which it stores nowhere",
        _ => return None,
    };
    Some(format!(
        "{label:?} is {whose}: use a label that the application sets, for example path, or remove this field"
    ))
}

fn is_metric_name(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    name.bytes().all(inner) && name.starts_with(|first: char| !first.is_ascii_digit())
}

fn is_label_name(label: &str) -> bool {
    is_metric_name(label) && !label.contains(':')
}

#[cfg(test)]
mod tests;
