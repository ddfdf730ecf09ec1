//! The `/metrics` page: all families in the dialect's order, then the user's own, in the format that the scraper asks
//! for.

use std::{
    ops::RangeInclusive,
    sync::{PoisonError, atomic::Ordering},
};

use metric_contract::{Family, MetricId, MetricKind};

use exposition::Format;

use crate::{
    distribution::{Distribution, ExemplarOf},
    http_family::{HttpFamily, SeriesLevel},
    metric_key::MetricKey,
    prometheus_registry,
    registry::Registry,
    scale::{BUCKETS, SUM, Scale},
    series::{Series, SeriesPart},
    text,
};

/// Prints the page.
pub(crate) fn render(registry: &'static Registry, format: Format) -> String {
    let mut out = String::with_capacity(registry.page_bytes.load(Ordering::Relaxed) + 1_024);
    let mut index = registry.index.lock().unwrap_or_else(PoisonError::into_inner);
    index.update(
        &registry.http,
        &registry.endpoints.read().unwrap_or_else(PoisonError::into_inner),
        registry.recording.counts_exceptions,
    );
    let mut places = 0..registry.http.len();
    for row in registry.recording.dialect.rows {
        if row.metric == MetricId::SeriesRefused {
            text::push_family_head(&mut out, format, row.family);
            text::push_series(&mut out, row.family.name, "", "", None);
            text::push_integer(&mut out, registry.recording.refused.load(Ordering::Relaxed));
        } else if row.metric.recorded_by_layer() {
            let place = places.next().unwrap_or_default();
            if let Some(family) = registry.http.get(place) {
                text::push_family_head(&mut out, format, row.family);
                write_family(&mut out, registry, format, family, index.of(place));
            }
        } else {
            registry.families.write(&mut out, format, row.metric.into());
        }
    }
    drop(index);
    write_others(&mut out, registry, format);
    match format {
        Format::Text => {}
        Format::OpenMetrics => out.push_str("# EOF\n"),
    }
    registry.page_bytes.store(out.len(), Ordering::Relaxed);
    out
}

/// Prints the families that are in no dialect: those that the service defines, and those of the user's registry. No
/// name is on the page twice, see [`prometheus_registry::reserve`].
fn write_others(out: &mut String, registry: &'static Registry, format: Format) {
    let mut others: Vec<&'static Family> = Vec::new();
    registry.families.each_own(|family| others.push(family));
    for family in others {
        registry.families.write(out, format, MetricKey::Family(family));
    }
    prometheus_registry::write(out, format, &registry.users);
}

fn write_family(out: &mut String, registry: &'static Registry, format: Format, family: &HttpFamily, series: &[Series]) {
    match family.row.family.kind {
        MetricKind::Counter | MetricKind::Gauge => write_numbers(out, family, series),
        MetricKind::Histogram | MetricKind::Summary => {
            for series in series {
                write_distribution(out, registry, format, family, series);
            }
        }
    }
}

fn write_numbers(out: &mut String, family: &HttpFamily, all: &[Series]) {
    let Family { name, unit, .. } = *family.row.family;
    if all.is_empty() && family.row.family.labels.is_empty() {
        // A family without labels has its series from the start, before there is an endpoint.
        text::push_series(out, name, "", "", None);
        return text::push_integer(out, 0);
    }
    for series in all {
        let counts = series.parts.iter().map(|part| part.count(family));
        text::push_series(out, name, "", &series.labels, None);
        match family.row.metric {
            MetricId::DurationMax => text::push_steps(out, Scale::of(unit), counts.max().unwrap_or_default()),
            MetricId::InFlight | MetricId::InFlightOverall => {
                text::push_integer(out, not_negative(counts.fold(0, u64::wrapping_add)))
            }
            _ => text::push_integer(out, counts.fold(0, u64::wrapping_add)),
        }
    }
}

fn write_distribution(
    out: &mut String,
    registry: &'static Registry,
    format: Format,
    family: &HttpFamily,
    series: &Series,
) {
    let by_status = family.level == SeriesLevel::Status;
    let (bounds, own, of_status) = match family.row.metric {
        MetricId::RequestSize => (
            &registry.recording.size_bounds,
            registry.recording.layout.request_size,
            0,
        ),
        MetricId::ResponseSize => {
            let of_status = registry.recording.by_status.map_or(0, |places| places.response_size);
            (
                &registry.recording.size_bounds,
                registry.recording.layout.response_size,
                of_status,
            )
        }
        _ => (
            &registry.recording.duration_bounds,
            registry.recording.layout.duration,
            0,
        ),
    };
    let sum = |cell: usize| {
        let of_part = |part: &SeriesPart| match by_status {
            true => part.endpoint.optional.status_sum(part.slot, of_status + cell),
            false => part.endpoint.sum(own + cell),
        };
        series.parts.iter().map(of_part).fold(0, u64::wrapping_add)
    };
    // The sum of the routes' histograms needs none: they stand beside those.
    let is_sum = family.row.metric == MetricId::DurationOverall
        && registry.recording.dialect.overall(MetricId::Duration).is_some();
    let wants_exemplars =
        registry.recording.exemplars && format == Format::OpenMetrics && bounds.scale == Scale::Nanoseconds && !is_sum;
    let exemplar = |buckets: RangeInclusive<usize>| {
        let of_part = |part: &SeriesPart| {
            let status = by_status.then(|| part.endpoint.status_of(part.slot));
            part.endpoint.optional.exemplar(buckets.clone(), status)
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

/// The number of requests in flight; 0 if the sum of the rows is below zero. Rows are read one after another while
/// threads write, so the end of a request may be read without its start.
pub(crate) fn not_negative(in_flight: u64) -> u64 {
    if in_flight > u64::MAX / 2 { 0 } else { in_flight }
}
