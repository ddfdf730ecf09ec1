//! The metrics page read back, for those who want it as JSON or CSV. Knows text format 0.0.4 as this service writes it.

use std::{borrow::Cow, fmt::Write as _};

use serde::Serialize;

/// A family as on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageFamily<'a> {
    /// Its name.
    pub name: &'a str,
    /// `counter`, `gauge`, `histogram`, `summary` or `untyped`.
    pub r#type: &'a str,
    /// What it tells.
    pub help: Cow<'a, str>,
    /// Its samples.
    pub samples: Vec<PageSample<'a>>,
}

/// A sample as on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageSample<'a> {
    /// Its name: the family's, or that with `_bucket`, `_sum` or `_count`.
    pub name: &'a str,
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
    fn parse(text: &str) -> Option<Self> {
        Some(match text.parse::<f64>().ok()? {
            number if number.is_finite() => Self::Number(number),
            number if number.is_nan() => Self::Text("NaN"),
            number if number > 0.0 => Self::Text("+Inf"),
            _ => Self::Text("-Inf"),
        })
    }
}

/// The families of a page. A line that is not of the format is left out.
#[must_use]
pub fn families(page: &str) -> Vec<PageFamily<'_>> {
    let mut families: Vec<PageFamily<'_>> = Vec::new();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap_or((help, ""));
            families.push(PageFamily {
                name,
                r#type: "untyped",
                help: unescaped(help),
                samples: Vec::new(),
            });
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            if let Some(family) = families.last_mut() {
                family.r#type = kind;
            }
        } else if let (Some(family), Some(sample)) = (families.last_mut(), sample(line)) {
            family.samples.push(sample);
        }
    }
    families
}

fn sample(line: &str) -> Option<PageSample<'_>> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at_checked(end)?;
    let mut labels = serde_json::Map::new();
    let value = match rest.strip_prefix('{') {
        None => rest,
        Some(rest) => read_labels(rest, &mut labels)?,
    };
    let value = Value::parse(value.trim())?;
    (!name.is_empty() && !name.starts_with('#')).then_some(PageSample { name, labels, value })
}

/// Reads labels up to the closing brace; what is left is the value.
fn read_labels<'a>(mut rest: &'a str, labels: &mut serde_json::Map<String, serde_json::Value>) -> Option<&'a str> {
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(value) = rest.strip_prefix('}') {
            return Some(value);
        }
        let (name, after) = rest.split_once("=\"")?;
        let end = closing_quote(after)?;
        let (value, after) = after.split_at_checked(end)?;
        labels.insert(name.to_owned(), unescaped(value).into_owned().into());
        rest = after.strip_prefix('"')?;
    }
}

/// Where the quote is that no backslash escapes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let closes = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        closes.then_some(at)
    })
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// The samples as CSV (RFC 4180): `family,type,sample,labels,value`, labels as a JSON object.
#[must_use]
pub fn csv(families: &[PageFamily<'_>]) -> String {
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
        let names: Vec<_> = families.iter().map(|family| (family.name, family.r#type)).collect();
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
