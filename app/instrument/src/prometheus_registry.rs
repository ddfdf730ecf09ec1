//! Families of a `prometheus::Registry`, printed in either format beside our own.

use prometheus::{Registry, proto};

use exposition::{Format, MetricType};

use crate::text;

/// Prints every family of the registry but those whose name is `taken`: a page with one family twice is refused whole.
pub(crate) fn write(out: &mut String, format: Format, registry: &Registry, taken: impl Fn(&str) -> bool) {
    for family in registry.gather() {
        if !taken(family.name()) {
            write_family(out, format, &family);
        }
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
            // The crate's untyped metric has no public way in; a value cannot be read through its plain model either.
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
