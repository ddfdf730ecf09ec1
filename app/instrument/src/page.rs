//! The `/metrics` page: all families in the dialect's order, then the user's own, in the format that the scraper asks for.

use std::{
    ops::RangeInclusive,
    sync::{PoisonError, atomic::Ordering},
};

use metric_contract::{Family, MetricId, MetricKind};

use crate::{
    distribution::{Distribution, ExemplarOf},
    families::MetricKey,
    foreign,
    format::Format,
    registry::Shared,
    scale::{BUCKETS, SUM, Scale},
    series::{Part, Series},
    spelling::{HttpFamily, Level},
    text,
};

/// Prints the page.
pub(crate) fn render(shared: &'static Shared, format: Format) -> String {
    let mut out = String::with_capacity(shared.page_bytes.load(Ordering::Relaxed) + 1_024);
    let mut index = shared.index.lock().unwrap_or_else(PoisonError::into_inner);
    index.update(shared);
    let mut places = 0..shared.http.len();
    for row in &shared.rows {
        if row.metric == MetricId::SeriesRefused {
            text::push_family_head(&mut out, format, row.family);
            text::push_series(&mut out, row.family.name, "", "", None);
            text::push_integer(&mut out, shared.refused.load(Ordering::Relaxed));
        } else if row.metric.recorded_by_layer() {
            let place = places.next().unwrap_or_default();
            if let Some(family) = shared.http.get(place) {
                text::push_family_head(&mut out, format, row.family);
                write_family(&mut out, shared, format, family, index.of(place));
            }
        } else {
            shared.families.write(&mut out, format, row.metric.into());
        }
    }
    drop(index);
    write_others(&mut out, shared, format);
    match format {
        Format::Text => {}
        Format::OpenMetrics => out.push_str("# EOF\n"),
    }
    shared.page_bytes.store(out.len(), Ordering::Relaxed);
    out
}

/// Prints what no dialect knows: families of users' own, and their registry's.
fn write_others(out: &mut String, shared: &'static Shared, format: Format) {
    let is_in_dialect = |name: &str| shared.rows.iter().any(|row| row.family.name == name);
    let mut others: Vec<&'static Family> = Vec::new();
    shared.families.each_own(|family| {
        if !is_in_dialect(family.name) {
            others.push(family);
        }
    });
    for family in &others {
        shared.families.write(out, format, MetricKey::Family(family));
    }
    let is_taken = |name: &str| is_in_dialect(name) || others.iter().any(|family| family.name == name);
    foreign::write(out, format, &shared.users, is_taken);
}

fn write_family(out: &mut String, shared: &'static Shared, format: Format, family: &HttpFamily, series: &[Series]) {
    match family.row.family.kind {
        MetricKind::Counter | MetricKind::Gauge => write_numbers(out, family, series),
        MetricKind::Histogram | MetricKind::Summary => {
            for series in series {
                write_distribution(out, shared, format, family, series);
            }
        }
    }
}

fn write_numbers(out: &mut String, family: &HttpFamily, all: &[Series]) {
    let Family { name, unit, .. } = *family.row.family;
    if all.is_empty() && family.row.family.labels.is_empty() {
        // One series, which does not wait for a first endpoint.
        text::push_series(out, name, "", "", None);
        return text::push_integer(out, 0);
    }
    for series in all {
        let counts = series.parts.iter().map(|part| part.count(family));
        text::push_series(out, name, "", &series.labels, None);
        match family.row.metric {
            MetricId::DurationMax => text::push_steps(out, Scale::of(unit), counts.max().unwrap_or_default()),
            MetricId::InFlight => text::push_integer(out, not_negative(counts.fold(0, u64::wrapping_add))),
            _ => text::push_integer(out, counts.fold(0, u64::wrapping_add)),
        }
    }
}

fn write_distribution(out: &mut String, shared: &'static Shared, format: Format, family: &HttpFamily, series: &Series) {
    let by_status = family.level == Level::Status;
    let (bounds, own, of_status) = match family.row.metric {
        MetricId::RequestSize => (&shared.size_bounds, shared.places.request_size, 0),
        MetricId::ResponseSize => {
            let of_status = shared.by_status.map_or(0, |places| places.response_size);
            (&shared.size_bounds, shared.places.response_size, of_status)
        }
        _ => (&shared.duration_bounds, shared.places.duration, 0),
    };
    let sum = |cell: usize| {
        let of_part = |part: &Part| match by_status {
            true => part.endpoint.status_sum(part.slot, of_status + cell),
            false => part.endpoint.sum(own + cell),
        };
        series.parts.iter().map(of_part).fold(0, u64::wrapping_add)
    };
    let wants_exemplars = shared.exemplars && format == Format::OpenMetrics && bounds.scale == Scale::Nanoseconds;
    let exemplar = |buckets: RangeInclusive<usize>| {
        let of_part = |part: &Part| {
            let status = by_status.then(|| part.endpoint.status_of(part.slot));
            part.endpoint.exemplar(buckets.clone(), status)
        };
        series
            .parts
            .iter()
            .filter_map(of_part)
            .max_by_key(|exemplar| exemplar.at)
    };
    let lines = Distribution {
        name: family.row.family.name,
        labels: &series.labels,
        scale: bounds.scale,
        selection: &family.selection,
    };
    let counts = (0..bounds.buckets()).map(|bucket| sum(BUCKETS + bucket));
    match family.row.family.kind {
        MetricKind::Summary => lines.write_summary(out, counts, sum(SUM)),
        MetricKind::Histogram | MetricKind::Counter | MetricKind::Gauge => {
            let exemplar: Option<ExemplarOf<'_>> = wants_exemplars.then_some(&exemplar);
            lines.write_histogram(out, counts, sum(SUM), exemplar);
        }
    }
}

/// Rows are read one after another while threads write: an end may be seen without its beginning.
pub(crate) fn not_negative(in_flight: u64) -> u64 {
    if in_flight > u64::MAX / 2 { 0 } else { in_flight }
}
