//! The metrics page read back, for those who want it as JSON or CSV. [`exposition`] reads it.

use std::fmt::Write as _;

use exposition::{Format, Limits, MetricFamily, Reader, Sample, text::type_name};
use serde::Serialize;

/// A family as on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageFamily {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub r#type: &'static str,
    /// What it tells.
    pub help: String,
    /// Its samples.
    pub samples: Vec<PageSample>,
}

/// A sample as on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageSample {
    /// Its name: the family's, or that with `_bucket`, `_sum` or `_count`.
    pub name: String,
    /// Its labels in the page's order.
    pub labels: serde_json::Map<String, serde_json::Value>,
    /// Its value.
    pub value: Value,
}

/// A value; JSON has no number for those that are none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(f64),
    /// `NaN`, `+Inf` or `-Inf`.
    Text(&'static str),
}

impl Value {
    fn of(value: f64) -> Self {
        match value {
            number if number.is_finite() => Self::Number(number),
            number if number.is_nan() => Self::Text("NaN"),
            number if number > 0.0 => Self::Text("+Inf"),
            _ => Self::Text("-Inf"),
        }
    }
}

/// The families of a page in Prometheus text. A line that Prometheus would refuse is left out and logged.
#[must_use]
pub fn families(page: &str) -> Vec<PageFamily> {
    // The page is our own and in memory already: no limit may cut the export short.
    let limits = Limits {
        bytes: usize::MAX,
        samples: usize::MAX,
        labels: usize::MAX,
        metadata: usize::MAX,
    };
    let mut reader = Reader::new(Format::Text, limits);
    for line in page.lines() {
        if let Err(error) = reader.push_line(line.as_bytes()) {
            tracing::warn!(%error, "a line of the metrics page cannot be read and is left out of the export");
        }
    }
    // Only OpenMetrics has an end that could be missing.
    let families = reader.finish().unwrap_or_default();
    families.into_iter().map(page_family).collect()
}

fn page_family(family: MetricFamily) -> PageFamily {
    PageFamily {
        r#type: type_name(family.metric_type, Format::Text).unwrap_or("untyped"),
        help: family.help.unwrap_or_default(),
        samples: family.samples.into_iter().map(page_sample).collect(),
        name: family.name,
    }
}

fn page_sample(sample: Sample) -> PageSample {
    let labels = sample.labels.into_iter();
    PageSample {
        name: sample.name,
        labels: labels.map(|(name, value)| (name, value.into())).collect(),
        value: Value::of(sample.value),
    }
}

/// The samples as CSV (RFC 4180): `family,type,sample,labels,value`, labels as a JSON object.
#[must_use]
pub fn csv(families: &[PageFamily]) -> String {
    let mut out = String::from("family,type,sample,labels,value\r\n");
    for family in families {
        for sample in &family.samples {
            let labels = serde_json::to_string(&sample.labels).unwrap_or_default();
            // Writing into a String cannot fail. Names and types have no character that needs quotes.
            let _ = write!(out, "{},{},{},", family.name, family.r#type, sample.name);
            quoted(&mut out, &labels);
            let _ = match sample.value {
                Value::Number(number) => write!(out, ",{number}\r\n"),
                Value::Text(text) => write!(out, ",{text}\r\n"),
            };
        }
    }
    out
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# HELP http_requests_total Requests, with \\\\ and\\nmore.
# TYPE http_requests_total counter
http_requests_total{method=\"GET\",route=\"/a,b}\\\"\\\\\",status=\"200\"} 12
# HELP d_seconds Time.
# TYPE d_seconds histogram
d_seconds_bucket{le=\"+Inf\"} 3
d_seconds_sum 1.500000000
d_seconds_count 3
# HELP up_ What
# TYPE up_ gauge
up_ NaN
this is no sample
";

    #[test]
    fn a_page_is_read_with_its_escapes() {
        let families = families(PAGE);
        let names: Vec<_> = families
            .iter()
            .map(|family| (family.name.as_str(), family.r#type))
            .collect();
        assert_eq!(
            names,
            [
                ("http_requests_total", "counter"),
                ("d_seconds", "histogram"),
                ("up_", "gauge")
            ]
        );
        assert_eq!(families[0].help, "Requests, with \\ and\nmore.");
        let sample = &families[0].samples[0];
        assert_eq!(sample.labels["route"], "/a,b}\"\\");
        assert_eq!(sample.value, Value::Number(12.0));
        assert_eq!(families[1].samples.len(), 3);
        assert_eq!(families[1].samples[0].labels["le"], "+Inf");
        assert_eq!(families[2].samples[0].value, Value::Text("NaN"));
        assert_eq!(families[2].samples.len(), 1);
    }

    #[test]
    fn a_line_that_is_not_a_sample_is_left_out_and_the_lines_around_it_stay() {
        let page = PAGE.replace("d_seconds_sum", "this is no sample\nd_seconds_sum");
        assert_eq!(families(&page), families(PAGE));
        assert_eq!(families(&page)[1].samples.len(), 3);
    }

    #[test]
    fn csv_quotes_what_holds_commas_and_quotes() {
        let csv = csv(&families(PAGE));
        let lines: Vec<_> = csv.split("\r\n").collect();
        assert_eq!(lines[0], "family,type,sample,labels,value");
        assert_eq!(
            lines[1],
            r#"http_requests_total,counter,http_requests_total,"{""method"":""GET"",""route"":""/a,b}\""\\"",""status"":""200""}",12"#
        );
        assert_eq!(lines.last(), Some(&""));
        assert_eq!(lines.len(), 1 + 1 + 3 + 1 + 1);
    }
}
