//! A line with a value: name, labels, value, timestamp, exemplar.

use crate::{Exemplar, Format, Labels, Limits, Reason, Sample, cursor::Cursor, number};

/// Reads a sample.
pub(crate) fn read_sample(line: &str, format: Format, limits: &Limits) -> Result<Sample, Reason> {
    let mut cursor = Cursor(line);
    let mut sample = Sample::default();
    let name = cursor.take_name(true);
    cursor.skip_blanks();
    let mut quoted_name = None;
    if cursor.take("{") {
        (quoted_name, sample.labels) = read_labels(&mut cursor, limits, true)?;
        cursor.skip_blanks();
    }
    sample.name = match (name, quoted_name) {
        (Some(name), None) => name.to_owned(),
        (None, Some(name)) => name,
        (Some(_), Some(_)) => return Err(Reason::SecondMetricName),
        (None, None) => return Err(Reason::MetricName(Cursor(line).excerpt())),
    };
    sample.value = read_value(&mut cursor)?;
    match format {
        Format::Text => sample.timestamp_milliseconds = read_text_timestamp(&mut cursor)?,
        Format::OpenMetrics => {
            sample.timestamp_milliseconds = read_seconds(&mut cursor)?;
            sample.exemplar = read_exemplar(&mut cursor, limits)?;
        }
    }
    cursor.skip_blanks();
    match cursor.0.is_empty() {
        true => Ok(sample),
        false => Err(Reason::Expected {
            wanted: "the end of the line",
            found: cursor.excerpt(),
        }),
    }
}

/// Reads labels behind an opening brace, up to and with the closing one; and the name of the metric if it stands quoted
/// among them, as UTF-8 names do.
fn read_labels(
    cursor: &mut Cursor<'_>,
    limits: &Limits,
    may_hold_name: bool,
) -> Result<(Option<String>, Labels), Reason> {
    let mut metric_name = None;
    let mut labels = Labels::new();
    loop {
        cursor.skip_blanks();
        if cursor.take("}") {
            return Ok((metric_name, labels));
        }
        let quoted = cursor.take_quoted()?;
        let is_quoted = quoted.is_some();
        let name = match quoted {
            Some(name) => name.into_owned(),
            None => match cursor.take_name(false) {
                Some(name) => name.to_owned(),
                None => return Err(Reason::LabelName(cursor.excerpt())),
            },
        };
        cursor.skip_blanks();
        if cursor.take("=") {
            cursor.skip_blanks();
            let Some(value) = cursor.take_quoted()? else {
                return Err(Reason::Expected {
                    wanted: "a quoted label value",
                    found: cursor.excerpt(),
                });
            };
            add_label(&mut labels, name, value.into_owned(), limits)?;
        } else if is_quoted && may_hold_name {
            if name.is_empty() {
                return Err(Reason::MetricName(name));
            }
            if metric_name.replace(name).is_some() {
                return Err(Reason::SecondMetricName);
            }
        } else {
            cursor.expect("=", "= behind a label's name")?;
        }
        cursor.skip_blanks();
        if !cursor.take(",") && !cursor.0.starts_with('}') {
            cursor.expect("}", "a comma or } behind a label")?;
        }
    }
}

fn add_label(labels: &mut Labels, name: String, value: String, limits: &Limits) -> Result<(), Reason> {
    if labels.len() >= limits.labels {
        return Err(Reason::TooManyLabels(limits.labels));
    }
    // The name of the metric is a label too, and the sample has it already.
    if name == "__name__" {
        return Err(Reason::SecondMetricName);
    }
    if name.is_empty() {
        return Err(Reason::LabelName(name));
    }
    if labels.iter().any(|(known, _)| *known == name) {
        return Err(Reason::LabelTwice(name));
    }
    labels.push((name, value));
    Ok(())
}

fn read_value(cursor: &mut Cursor<'_>) -> Result<f64, Reason> {
    let text = take_word(cursor);
    number::value(text).ok_or_else(|| Reason::Value(text.to_owned()))
}

/// Skips blanks, and takes the text before the next blank.
fn take_word<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.skip_blanks();
    cursor.take_while(|c| c != ' ' && c != '\t')
}

fn read_text_timestamp(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Reason> {
    let text = take_word(cursor);
    if text.is_empty() {
        return Ok(None);
    }
    let refused = || Reason::Timestamp(text.to_owned(), "whole milliseconds since the epoch");
    number::milliseconds(text).map(Some).ok_or_else(refused)
}

/// Reads OpenMetrics' timestamp, if one stands before the line's end or an exemplar.
fn read_seconds(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Reason> {
    cursor.skip_blanks();
    if cursor.0.is_empty() || cursor.0.starts_with('#') {
        return Ok(None);
    }
    let text = take_word(cursor);
    let refused = || Reason::Timestamp(text.to_owned(), "seconds since the epoch");
    number::seconds(text).map(Some).ok_or_else(refused)
}

fn read_exemplar(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Option<Exemplar>, Reason> {
    cursor.skip_blanks();
    if !cursor.take("#") {
        return Ok(None);
    }
    cursor.skip_blanks();
    cursor.expect("{", "{ of an exemplar's labels")?;
    let (_, labels) = read_labels(cursor, limits, false)?;
    let value = read_value(cursor)?;
    let timestamp_milliseconds = read_seconds(cursor)?;
    Ok(Some(Exemplar {
        labels,
        value,
        timestamp_milliseconds,
    }))
}
