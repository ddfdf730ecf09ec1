//! The spelling of a page whose dialect is proven.

use std::borrow::Cow;

use metric_contract::{Attribute, DialectId, MetricId, MetricKind, MetricSpelling, Signal, Spelling, StatusStyle};

use super::{
    attempt::Attempt,
    attributes::attributes,
    form_match::{LabelFit, Match},
    page::{Page, PageFamily},
};

/// What the page exports, as it stands there: the matched families, and those that runtimes name the same everywhere.
pub(super) fn of(attempt: &Attempt<'_>, page: &Page) -> Spelling {
    let dialect = attempt.dialect.dialect();
    let counted = attempt.matches.iter().filter(|found| found.labels != LabelFit::Unknown);
    let mut metrics: Vec<MetricSpelling> = counted.map(matched).collect();
    for row in dialect.rows {
        let is_there = |family: &&PageFamily| {
            family.name == row.family.name && family.kind == Some(row.family.kind) && family.samples > 0
        };
        let is_new = metrics.iter().all(|known| known.metric != row.metric);
        if let Some(family) = page.families.iter().find(is_there)
            && is_new
        {
            let known = row.labels().collect::<Vec<_>>();
            let attribute = |label: &str| {
                let attribute = known
                    .iter()
                    .find(|(name, _)| *name == label)
                    .map(|(_, attribute)| *attribute);
                attribute.unwrap_or(Attribute::Other)
            };
            metrics.push(MetricSpelling {
                kind: kind(family).unwrap_or(row.family.kind),
                labels: family
                    .labels
                    .keys()
                    .map(|label| (Cow::Owned(label.clone()), attribute(label)))
                    .collect(),
                buckets: Cow::Owned(family.bounds.clone()),
                ..MetricSpelling::from(row)
            });
        }
    }
    let order = |metric: MetricId| {
        dialect
            .rows
            .iter()
            .position(|row| row.metric == metric)
            .unwrap_or(usize::MAX)
    };
    metrics.sort_by_key(|spelling| order(spelling.metric));
    Spelling {
        dialect: Cow::Borrowed(dialect.name),
        status_style: status_style(attempt).unwrap_or(dialect.status_style),
        abandoned_status: dialect.abandoned_status.map(Cow::Borrowed),
        metrics,
    }
}

fn matched(found: &Match<'_>) -> MetricSpelling {
    let row = &found.form.row;
    let labels = attributes(found).into_iter();
    MetricSpelling {
        metric: row.metric,
        name: Cow::Owned(found.family.name.clone()),
        kind: kind(found.family).unwrap_or(row.family.kind),
        unit: row.family.unit,
        labels: labels
            .map(|(label, attribute)| (Cow::Owned(label), attribute))
            .collect(),
        buckets: match found.family.kind {
            Some(MetricKind::Histogram) => Cow::Owned(found.family.bounds.clone()),
            _ => Cow::Borrowed(&[]),
        },
    }
}

/// The type of a family with samples, as queries can use it: of a histogram with no other bound than `+Inf`, no percentile can be
/// told, so that it is a summary to them.
pub(super) fn kind(family: &PageFamily) -> Option<MetricKind> {
    match family.kind {
        Some(MetricKind::Histogram) if family.bounds.is_empty() => Some(MetricKind::Summary),
        kind => kind,
    }
}

/// How the values of the status label are written on this page; `None` if there is no such label.
fn status_style(attempt: &Attempt<'_>) -> Option<StatusStyle> {
    let counting = attempt.keys().next()?;
    let labels = attributes(counting);
    let (label, _) = labels.iter().find(|(_, attribute)| *attribute == Attribute::Status)?;
    let values = counting.family.labels.get(label)?;
    let of_library = attempt.dialect.dialect().status_style;
    Some(match values.statuses {
        0 if of_library == StatusStyle::ClassDigit => of_library,
        0 => StatusStyle::Class,
        _ => StatusStyle::Exact,
    })
}

/// What most pages answer and this one does not: the signals of requests, and whatever the dialect's table answers.
pub(crate) fn missing(dialect: DialectId, spelling: &Spelling) -> Vec<Signal> {
    let requests = spelling.requests();
    let duration = spelling.duration();
    let has_route = requests.as_ref().is_some_and(|requests| requests.route.is_some());
    let has_status = requests.as_ref().is_some_and(|requests| requests.status.is_some());
    let has_buckets = duration.is_some_and(|duration| duration.histogram.has_buckets());
    let essential = [
        (Signal::Requests, requests.is_some()),
        (Signal::Routes, has_route),
        (Signal::Errors, has_status),
        (Signal::Duration, duration.is_some()),
        (Signal::LatencyBuckets, has_buckets),
        (Signal::InFlight, spelling.metric(MetricId::InFlight).is_some()),
    ];
    let mut missing: Vec<Signal> = essential
        .iter()
        .filter(|(_, is_there)| !is_there)
        .map(|(signal, _)| *signal)
        .collect();
    let of_table = dialect
        .dialect()
        .rows
        .iter()
        .filter(|row| spelling.metric(row.metric).is_none());
    let of_table = of_table.filter_map(|row| row.metric.signal());
    for signal in of_table {
        let is_essential = essential.iter().any(|(known, _)| *known == signal);
        if !is_essential && !missing.contains(&signal) {
            missing.push(signal);
        }
    }
    missing
}
