//! The user's `prometheus::Registry`: prints its families in either format, and makes it refuse the names of our own
//! families.

use std::collections::HashMap;

use exposition::{Format, MetricType};
use metric_contract::{Family, MetricKind};
use prometheus::{
    Registry,
    core::{Collector, Desc},
    proto,
};

use crate::text;

/// Takes a family's name in the registry, so that no other metric can register it: Prometheus refuses a whole page on which
/// a family stands twice. Returns whether the name was free.
pub(crate) fn reserve(registry: &Registry, family: &Family) -> bool {
    let is_free = reserve_name(registry, family.name);
    // The names of this family's lines are taken too. If another family of ours has one already, that is enough.
    match family.kind {
        MetricKind::Histogram | MetricKind::Summary => {
            for suffix in ["_bucket", "_sum", "_count"] {
                reserve_name(registry, &format!("{}{suffix}", family.name));
            }
        }
        MetricKind::Counter => {
            if let Some(base) = family.name.strip_suffix("_total") {
                reserve_name(registry, base);
            }
        }
        MetricKind::Gauge => {}
    }
    is_free
}

fn reserve_name(registry: &Registry, name: &str) -> bool {
    let help = "Recorded by http-instrument.".to_owned();
    let desc = Desc::new(name.to_owned(), help, Vec::new(), HashMap::new());
    desc.is_ok_and(|desc| registry.register(Box::new(Reservation(desc))).is_ok())
}

/// A collector without samples that keeps a name from being registered.
struct Reservation(Desc);

impl Collector for Reservation {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0]
    }

    fn collect(&self) -> Vec<proto::MetricFamily> {
        Vec::new()
    }
}

/// Prints every family of the registry.
pub(crate) fn write(out: &mut String, format: Format, registry: &Registry) {
    for family in registry.gather() {
        write_family(out, format, &family);
    }
}

fn write_family(out: &mut String, format: Format, family: &proto::MetricFamily) {
    let name = family.name();
    let (metric_type, suffix) = match (family.get_field_type(), format) {
        // OpenMetrics wants a counter's samples to end in `_total`.
        (proto::MetricType::COUNTER, Format::OpenMetrics) if !name.ends_with("_total") => {
            (MetricType::Counter, "_total")
        }
        (proto::MetricType::COUNTER, Format::Text | Format::OpenMetrics) => (MetricType::Counter, ""),
        (proto::MetricType::GAUGE, _) => (MetricType::Gauge, ""),
        (proto::MetricType::HISTOGRAM, _) => (MetricType::Histogram, ""),
        (proto::MetricType::SUMMARY, _) => (MetricType::Summary, ""),
        (proto::MetricType::UNTYPED, _) => (MetricType::Unknown, ""),
    };
    text::push_head(out, format, name, metric_type, family.help());
    for metric in family.get_metric() {
        let mut labels = String::new();
        for label in metric.get_label() {
            text::push_label(&mut labels, label.name(), label.value());
        }
        match family.get_field_type() {
            proto::MetricType::COUNTER => {
                text::push_series(out, name, suffix, &labels, None);
                text::push_number(out, metric.get_counter().get_value());
            }
            proto::MetricType::GAUGE => {
                text::push_series(out, name, "", &labels, None);
                text::push_number(out, metric.get_gauge().get_value());
            }
            // The crate has no public way to make an untyped metric or to read its value.
            proto::MetricType::UNTYPED => {}
            proto::MetricType::HISTOGRAM => write_histogram(out, name, &labels, metric.get_histogram()),
            proto::MetricType::SUMMARY => write_summary(out, name, &labels, metric.get_summary()),
        }
    }
}

fn write_histogram(out: &mut String, name: &str, labels: &str, histogram: &proto::Histogram) {
    for bucket in histogram
        .get_bucket()
        .iter()
        .filter(|bucket| bucket.upper_bound().is_finite())
    {
        let le = format!("{:?}", bucket.upper_bound());
        text::push_series(out, name, "_bucket", labels, Some(("le", &le)));
        text::push_integer(out, bucket.cumulative_count());
    }
    text::push_series(out, name, "_bucket", labels, Some(("le", "+Inf")));
    text::push_integer(out, histogram.get_sample_count());
    text::push_series(out, name, "_sum", labels, None);
    text::push_number(out, histogram.get_sample_sum());
    text::push_series(out, name, "_count", labels, None);
    text::push_integer(out, histogram.get_sample_count());
}

fn write_summary(out: &mut String, name: &str, labels: &str, summary: &proto::Summary) {
    for quantile in summary.get_quantile() {
        let at = format!("{:?}", quantile.quantile());
        text::push_series(out, name, "", labels, Some(("quantile", &at)));
        text::push_number(out, quantile.value());
    }
    text::push_series(out, name, "_sum", labels, None);
    text::push_number(out, summary.sample_sum());
    text::push_series(out, name, "_count", labels, None);
    text::push_integer(out, summary.sample_count());
}
