//! The `/metrics` page: all families in the dialect's order, then the user's own, in the format that the scraper asks for.

use std::sync::{PoisonError, atomic::Ordering};

use metric_contract::{Attribute, Family, Meaning, Row};

use crate::{
    endpoint::Endpoint,
    families::{Asked, write_histogram},
    foreign,
    http_families::{Http, push_status},
    registry::Shared,
    scale::Bounds,
    text,
};

const OPEN_METRICS: &str = "application/openmetrics-text";

/// An exposition format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Prometheus text, version 0.0.4.
    #[default]
    Text,
    /// OpenMetrics text, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of the Content-Type header. Prometheus 3 refuses a page without a correct one.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that an Accept header prefers: OpenMetrics if it is listed at least as high as text, else text.
    #[must_use]
    pub fn negotiate(accept: &str) -> Self {
        let mut open_metrics = None;
        let mut plain = None;
        for offer in accept.split(',') {
            let mut parts = offer.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let mut weight = 1_000;
            let mut understood = true;
            for part in parts {
                if let Some(q) = part.strip_prefix("q=") {
                    weight = q.trim().parse().map_or(0, thousandths);
                } else if let Some(version) = part.strip_prefix("version=") {
                    understood = matches!(version, "1.0.0" | "0.0.1") || kind != OPEN_METRICS;
                }
            }
            match kind {
                OPEN_METRICS if understood => open_metrics = open_metrics.max(Some(weight)),
                "text/plain" | "text/*" | "*/*" => plain = plain.max(Some(weight)),
                _ => {}
            }
        }
        match (open_metrics, plain) {
            (Some(0), _) | (None, _) => Self::Text,
            (Some(wanted), plain) if Some(wanted) >= plain => Self::OpenMetrics,
            (Some(_), _) => Self::Text,
        }
    }
}

/// A weight (0 to 1, three digits) as a number that has an order.
fn thousandths(weight: f32) -> u32 {
    (weight.clamp(0.0, 1.0) * 1_000.0) as u32
}

/// Prints the page.
pub(crate) fn render(shared: &'static Shared, format: Format) -> String {
    let mut out = String::with_capacity(shared.page_bytes.load(Ordering::Relaxed) + 1_024);
    for row in shared.dialect.rows {
        if !write_http(&mut out, shared, format, row) {
            shared.families.write(&mut out, format, row.meaning.into());
        }
    }
    let mut others: Vec<&'static Family> = Vec::new();
    shared.families.each_own(|family| {
        if !is_in_dialect(shared, family.name) {
            others.push(family);
        }
    });
    for family in &others {
        shared.families.write(&mut out, format, Asked::Family(family));
    }
    let taken = |name: &str| is_in_dialect(shared, name) || others.iter().any(|family| family.name == name);
    foreign::write(&mut out, format, &shared.users, taken);
    match format {
        Format::Text => {}
        Format::OpenMetrics => out.push_str("# EOF\n"),
    }
    shared.page_bytes.store(out.len(), Ordering::Relaxed);
    out
}

fn is_in_dialect(shared: &Shared, name: &str) -> bool {
    shared.dialect.families().any(|family| family.name == name)
}

/// Prints a family that the layer records; `false` if it is none of those.
fn write_http(out: &mut String, shared: &'static Shared, format: Format, row: &Row) -> bool {
    let family = row.family;
    if row.meaning == Meaning::SeriesRefused {
        text::push_family_head(out, format, family);
        text::push_series(out, family.name, "", "", None);
        text::push_integer(out, shared.refused.load(Ordering::Relaxed));
        return true;
    }
    let is_it = |http: &Http| http.row(shared.dialect).is_some_and(|own| own.meaning == row.meaning);
    let Some(http) = Http::ALL.into_iter().find(is_it) else {
        return false;
    };
    let on = match http {
        Http::Requests | Http::Duration => true,
        Http::InFlight => shared.in_flight,
        Http::RequestSize | Http::ResponseSize => shared.body_sizes,
    };
    if on {
        text::push_family_head(out, format, family);
        write_endpoints(out, shared, http, family);
    }
    true
}

fn write_endpoints(out: &mut String, shared: &'static Shared, http: Http, family: &Family) {
    let endpoints = shared.endpoints.read().unwrap_or_else(PoisonError::into_inner);
    if http == Http::InFlight && family.labels.is_empty() {
        let total = endpoints
            .iter()
            .fold(0, |sum: u64, endpoint| sum.wrapping_add(endpoint.in_flight()));
        text::push_series(out, family.name, "", "", None);
        return text::push_integer(out, not_negative(total));
    }
    for endpoint in endpoints.iter() {
        let labels = endpoint.labels.get(http as usize).map_or("", AsRef::as_ref);
        match http {
            Http::Requests => write_requests(out, shared, family.name, labels, endpoint),
            Http::InFlight => {
                text::push_series(out, family.name, "", labels, None);
                text::push_integer(out, not_negative(endpoint.in_flight()));
            }
            Http::Duration => {
                write_distribution(
                    out,
                    family.name,
                    labels,
                    &shared.duration_bounds,
                    endpoint,
                    shared.places.duration,
                );
            }
            Http::RequestSize => {
                write_distribution(
                    out,
                    family.name,
                    labels,
                    &shared.size_bounds,
                    endpoint,
                    shared.places.request_size,
                );
            }
            Http::ResponseSize => {
                write_distribution(
                    out,
                    family.name,
                    labels,
                    &shared.size_bounds,
                    endpoint,
                    shared.places.response_size,
                );
            }
        }
    }
}

/// Rows are read one after another while threads write: an end may be seen without its beginning.
pub(crate) fn not_negative(in_flight: u64) -> u64 {
    if in_flight > u64::MAX / 2 { 0 } else { in_flight }
}

fn write_requests(out: &mut String, shared: &Shared, name: &str, labels: &str, endpoint: &Endpoint) {
    let row = shared.dialect.row(Meaning::Requests);
    let status_label = row.and_then(|row| row.label(Attribute::Status)).unwrap_or("status");
    let style = shared.status_style;
    for (key, count) in endpoint.statuses() {
        out.push_str(name);
        out.push('{');
        out.push_str(labels);
        out.push(',');
        out.push_str(status_label);
        out.push_str("=\"");
        push_status(out, style, key);
        out.push_str("\"} ");
        text::push_integer(out, count);
    }
}

fn write_distribution(out: &mut String, name: &str, labels: &str, bounds: &Bounds, endpoint: &Endpoint, place: usize) {
    let counts = (0..bounds.buckets()).map(|bucket| endpoint.sum(place + bucket));
    write_histogram(
        out,
        name,
        labels,
        bounds,
        counts,
        endpoint.sum(place + bounds.buckets()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_3_gets_open_metrics_and_a_browser_gets_text() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(Format::negotiate(prometheus), Format::OpenMetrics);
        assert_eq!(
            Format::negotiate("text/html,application/xhtml+xml,*/*;q=0.8"),
            Format::Text
        );
        assert_eq!(Format::negotiate(""), Format::Text);
        assert_eq!(
            Format::negotiate("text/plain;q=0.9, application/openmetrics-text;q=0.2"),
            Format::Text
        );
        assert_eq!(
            Format::negotiate("application/openmetrics-text;version=2.0.0"),
            Format::Text
        );
        assert_eq!(Format::negotiate("application/openmetrics-text;q=0"), Format::Text);
    }
}
