//! Pieces of the exposition formats: names, labels, numbers. Text 0.0.4 and OpenMetrics 1.0 differ only where stated.

use std::fmt::Write as _;

use metric_contract::Family;

use exposition::Format;

use crate::{exemplar::Exemplar, scale::Scale};

/// Appends `name="value"`, after a comma if something stands before it.
pub(crate) fn push_label(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(name);
    out.push_str("=\"");
    push_escaped(out, value, true);
    out.push('"');
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

/// Appends the `# HELP` and `# TYPE` lines.
pub(crate) fn push_head(out: &mut String, format: Format, name: &str, kind: &str, help: &str) {
    // OpenMetrics names a counter's family without the suffix of its sample, and escapes quotes in HELP.
    let name = match format {
        Format::Text => name,
        Format::OpenMetrics if kind == "counter" => name.strip_suffix("_total").unwrap_or(name),
        Format::OpenMetrics => name,
    };
    out.push_str("# HELP ");
    out.push_str(name);
    out.push(' ');
    push_escaped(out, help, format == Format::OpenMetrics);
    out.push_str("\n# TYPE ");
    out.push_str(name);
    out.push(' ');
    out.push_str(kind);
    out.push('\n');
}

/// [`push_head`] of a family of the contract.
pub(crate) fn push_family_head(out: &mut String, format: Format, family: &Family) {
    push_head(out, format, family.name, family.kind.as_str(), family.help);
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
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Writing into a String cannot fail.
        let _ = write!(out, "{value}");
    }
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
    fn a_label_value_is_escaped() {
        let mut out = String::new();
        push_label(&mut out, "a", "x\"y\\z\n");
        push_label(&mut out, "b", "é");
        assert_eq!(out, r#"a="x\"y\\z\n",b="é""#);
    }

    #[test]
    fn a_sum_of_nanoseconds_is_printed_in_seconds_to_the_last_digit() {
        let mut out = String::new();
        push_steps(&mut out, Scale::Nanoseconds, 12_000_000_345);
        push_steps(&mut out, Scale::Nanoseconds, 0);
        assert_eq!(out, "12.000000345\n0.000000000\n");
    }
}
