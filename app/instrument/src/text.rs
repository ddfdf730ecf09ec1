//! The lines of the page, written from labels that were printed once.
//!
//! Names, escapes and metadata come from [`exposition::text`]. Samples are written here rather than by
//! [`exposition::Writer`], which prints and escapes the labels of each sample again.

use std::fmt::Write as _;

pub(crate) use exposition::text::push_label;
use exposition::{
    Format, MetricType,
    text::{family_name, push_help, push_type},
};
use metric_contract::{Family, MetricKind};

use crate::{exemplar::Exemplar, scale::Scale};

/// Appends the `# HELP` and `# TYPE` lines.
pub(crate) fn push_head(out: &mut String, format: Format, name: &str, metric_type: MetricType, help: &str) {
    let name = family_name(name, metric_type, format);
    push_help(out, format, name, help);
    push_type(out, format, name, metric_type);
}

/// [`push_head`] of a family of the contract.
pub(crate) fn push_family_head(out: &mut String, format: Format, family: &Family) {
    let metric_type = match family.kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
        MetricKind::Summary => MetricType::Summary,
    };
    push_head(out, format, family.name, metric_type, family.help);
}

/// Appends a sample's name and labels, up to and with the space before its value.
pub(crate) fn push_series(out: &mut String, name: &str, suffix: &str, labels: &str, last: Option<(&str, &str)>) {
    out.push_str(name);
    out.push_str(suffix);
    if labels.is_empty() && last.is_none() {
        out.push(' ');
        return;
    }
    out.push('{');
    out.push_str(labels);
    if let Some((label, value)) = last {
        if !labels.is_empty() {
            out.push(',');
        }
        out.push_str(label);
        out.push_str("=\"");
        out.push_str(value);
        out.push('"');
    }
    out.push_str("} ");
}

/// Appends an integer and the line's end.
pub(crate) fn push_integer(out: &mut String, value: u64) {
    out.push_str(itoa::Buffer::new().format(value));
    out.push('\n');
}

/// Appends a number and the line's end.
pub(crate) fn push_number(out: &mut String, value: f64) {
    exposition::text::push_number(out, value);
    out.push('\n');
}

/// Appends a sum of recorded steps in the family's unit, exactly, and the line's end.
pub(crate) fn push_steps(out: &mut String, scale: Scale, steps: u64) {
    match scale {
        Scale::One => push_integer(out, steps),
        Scale::Nanoseconds => {
            let fraction = steps % 1_000_000_000;
            out.push_str(itoa::Buffer::new().format(steps / 1_000_000_000));
            // Ten digits with a leading 1 keep the fraction's zeros.
            let mut digits = itoa::Buffer::new();
            out.push('.');
            out.push_str(digits.format(fraction + 1_000_000_000).get(1..).unwrap_or_default());
            out.push('\n');
        }
    }
}

/// Appends an exemplar to the line that has just been ended.
pub(crate) fn push_exemplar(out: &mut String, exemplar: &Exemplar) {
    let _line_feed = out.pop();
    out.push_str(" # {trace_id=\"");
    for byte in exemplar.trace {
        // Writing into a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    let seconds = exemplar.nanoseconds as f64 / 1e9;
    let at = exemplar.at;
    let _ = writeln!(out, "\"}} {seconds} {}.{:03}", at.as_secs(), at.subsec_millis());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_nanoseconds_is_printed_in_seconds_to_the_last_digit() {
        let mut out = String::new();
        push_steps(&mut out, Scale::Nanoseconds, 12_000_000_345);
        push_steps(&mut out, Scale::Nanoseconds, 0);
        assert_eq!(out, "12.000000345\n0.000000000\n");
    }
}
