//! Functions that append the parts of a page to a `String`, for writers that print labels once and use them again.
//!
//! Text 0.0.4 and OpenMetrics 1.0 differ only where stated.

use std::fmt::Write as _;

use crate::{Format, MetricType};

/// The name of a type on the `# TYPE` line; `None` if the format does not have the type.
#[must_use]
pub const fn type_name(metric_type: MetricType, format: Format) -> Option<&'static str> {
    Some(match (metric_type, format) {
        (MetricType::Counter, _) => "counter",
        (MetricType::Gauge, _) => "gauge",
        (MetricType::Histogram, _) => "histogram",
        (MetricType::Summary, _) => "summary",
        (MetricType::Unknown, Format::Text) => "untyped",
        (MetricType::Unknown, Format::OpenMetrics) => "unknown",
        (MetricType::GaugeHistogram, Format::OpenMetrics) => "gaugehistogram",
        (MetricType::Info, Format::OpenMetrics) => "info",
        (MetricType::StateSet, Format::OpenMetrics) => "stateset",
        (MetricType::GaugeHistogram | MetricType::Info | MetricType::StateSet, Format::Text) => return None,
    })
}

/// Appends `name="value"`, after a comma if something stands before it.
pub fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    push_label_name(labels, name);
    labels.push_str("=\"");
    push_escaped(labels, value, true);
    labels.push('"');
}

fn push_label_name(out: &mut String, name: &str) {
    if is_plain_name(name, false) {
        out.push_str(name);
    } else {
        push_quoted(out, name);
    }
}

pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text, true);
    out.push('"');
}

/// Whether a name may stand without quotes.
pub(crate) fn is_plain_name(name: &str, with_colons: bool) -> bool {
    let may_begin = |c: char| c.is_ascii_alphabetic() || c == '_' || (with_colons && c == ':');
    name.starts_with(may_begin) && name.chars().all(|c| may_begin(c) || c.is_ascii_digit())
}

/// Escapes backslash and line feed, and the double quote where the format wants it.
fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            other => out.push(other),
        }
    }
}

/// The name of a family on its own lines: OpenMetrics names a counter without the suffix of its sample.
#[must_use]
pub fn family_name(name: &str, metric_type: MetricType, format: Format) -> &str {
    match format {
        Format::OpenMetrics if metric_type == MetricType::Counter => name.strip_suffix("_total").unwrap_or(name),
        Format::Text | Format::OpenMetrics => name,
    }
}

/// Appends the `# HELP` line.
pub fn push_help(out: &mut String, format: Format, name: &str, help: &str) {
    push_comment(out, "HELP", name);
    push_escaped(out, help, format == Format::OpenMetrics);
    out.push('\n');
}

/// Appends the `# TYPE` line. A type that Prometheus text does not have is written as `untyped`.
pub fn push_type(out: &mut String, format: Format, name: &str, metric_type: MetricType) {
    push_comment(out, "TYPE", name);
    out.push_str(type_name(metric_type, format).unwrap_or("untyped"));
    out.push('\n');
}

pub(crate) fn push_comment(out: &mut String, keyword: &str, name: &str) {
    out.push_str("# ");
    out.push_str(keyword);
    out.push(' ');
    match is_plain_name(name, true) {
        true => out.push_str(name),
        false => push_quoted(out, name),
    }
    out.push(' ');
}

/// Appends a number as both formats write it: `NaN`, `+Inf`, `-Inf`, or the shortest digits that are read as this
/// number.
pub fn push_number(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, "{value}");
    }
}

/// Appends milliseconds since the epoch, in OpenMetrics as seconds.
pub(crate) fn push_timestamp(out: &mut String, format: Format, milliseconds: i64) {
    match format {
        Format::Text => out.push_str(itoa::Buffer::new().format(milliseconds)),
        Format::OpenMetrics => {
            let sign = if milliseconds < 0 { "-" } else { "" };
            let absolute = milliseconds.unsigned_abs();
            // Writing into a String cannot fail.
            let _ = write!(out, "{sign}{}.{:03}", absolute / 1_000, absolute % 1_000);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_value_is_escaped() {
        let mut out = String::new();
        push_label(&mut out, "a", "x\"y\\z\n");
        push_label(&mut out, "b", "é");
        push_label(&mut out, "c.d", "");
        assert_eq!(out, r#"a="x\"y\\z\n",b="é","c.d"="""#);
    }
}
