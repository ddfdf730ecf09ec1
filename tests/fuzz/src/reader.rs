//! What must hold of the reader of both formats, and of the writer.

use anyhow::{Context, Result, ensure};
use exposition::{Format, Limits, MetricFamily, ReadError, Reader, Sample, Writer, check::problems, read};

use crate::{arrival::in_parts, held};

/// Limits that small pages exceed, so that what stands behind each is reached.
const SMALL: Limits = Limits {
    bytes: 2_048,
    samples: 12,
    labels: 4,
    metadata: 600,
};

/// Times that OpenMetrics' seconds tell to the millisecond: those whose milliseconds a number of 53 bits holds, with a margin.
const EXACT_MILLISECONDS: u64 = 1 << 50;

/// Checks everything of a page.
///
/// # Errors
/// Says which property does not hold.
pub fn check(page: &[u8]) -> Result<()> {
    for format in [Format::Text, Format::OpenMetrics] {
        check_as(page, format).with_context(|| format!("as {format:?}"))?;
    }
    let _ = Format::of_page(page);
    if let Ok(text) = str::from_utf8(page) {
        let _ = Format::negotiate(text);
    }
    Ok(())
}

fn check_as(page: &[u8], format: Format) -> Result<()> {
    for limits in [SMALL, Limits::default()] {
        let whole = held::within_memory(page.len(), || read(page, format, &limits))?;
        let parts = read_in_parts(page, format, limits);
        ensure!(agree(&whole, &parts), "whole {whole:?}, in parts {parts:?}");
        if let Ok(families) = &whole {
            held::check(families, &limits, page.len())?;
        }
    }
    let Ok(families) = read(page, format, &Limits::default()) else {
        return Ok(());
    };
    let _ = problems(&families);
    well_formed(&families)?;
    at_the_limits(page, format, &families)?;
    if format == Format::Text {
        between_comments(page, &families)?;
    }
    written_and_read(&families, format)
}

/// Reads a page as the operator does: in parts, with each sample taken out at once.
fn read_in_parts(page: &[u8], format: Format, limits: Limits) -> Result<Vec<MetricFamily>, ReadError> {
    let mut reader = Reader::new(format, limits);
    let mut taken: Vec<(usize, Sample)> = Vec::new();
    in_parts(page, |line| {
        reader.push_line(line)?;
        taken.extend(reader.take_sample());
        Ok(())
    })?;
    let mut families = reader.finish()?;
    for (place, sample) in taken {
        if let Some(family) = families.get_mut(place) {
            family.samples.push(sample);
        }
    }
    Ok(families)
}

/// Whether two readings are the same. A page of one line feed only has a line or none.
fn agree(one: &Result<Vec<MetricFamily>, ReadError>, other: &Result<Vec<MetricFamily>, ReadError>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => same(one, other),
        (Err(one), Err(other)) => one == other || one.line == 1,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

/// Whether families are equal. NaN, which differs from itself, equals itself here.
fn same(one: &[MetricFamily], other: &[MetricFamily]) -> bool {
    one == other || format!("{one:?}") == format!("{other:?}")
}

/// What the reader promises of each family and sample.
fn well_formed(families: &[MetricFamily]) -> Result<()> {
    let mut names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
    names.sort_unstable();
    ensure!(
        names.is_sorted_by(|one, next| one < next),
        "a family stands there twice"
    );
    for sample in families.iter().flat_map(|family| &family.samples) {
        ensure!(!sample.name.is_empty(), "a sample has no name");
        let exemplar = sample.exemplar.iter().map(|exemplar| &exemplar.labels);
        for labels in exemplar.chain([&sample.labels]) {
            let mut names: Vec<&str> = labels.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            ensure!(names.is_sorted_by(|one, next| one < next), "a label stands there twice");
            ensure!(
                !names.contains(&"") && !names.contains(&"__name__"),
                "a label has no name"
            );
        }
    }
    Ok(())
}

/// A page is read within limits that it just keeps, and refused within any that it exceeds by one.
fn at_the_limits(page: &[u8], format: Format, families: &[MetricFamily]) -> Result<()> {
    let exact = held::exact(families, page.len());
    let metadata = Limits::default().metadata;
    let kept = Limits { metadata, ..exact };
    ensure!(read(page, format, &kept).is_ok(), "refused within {kept:?}");
    let less = |value: usize| value.checked_sub(1);
    let exceeded = [
        // The last line feed may be there or not.
        less(page.trim_ascii_end().len()).map(|bytes| Limits {
            bytes: bytes.saturating_sub(1),
            ..kept
        }),
        less(exact.samples).map(|samples| Limits { samples, ..kept }),
        less(exact.labels).map(|labels| Limits { labels, ..kept }),
        less(exact.metadata).map(|metadata| Limits { metadata, ..kept }),
    ];
    for limits in exceeded.into_iter().flatten() {
        let error = read(page, format, &limits).err();
        let is_of_limits = error.as_ref().is_some_and(|error| error.reason.is_of_limits());
        ensure!(is_of_limits, "{error:?} within {limits:?}");
    }
    Ok(())
}

/// In Prometheus text comments and empty lines mean nothing.
fn between_comments(page: &[u8], families: &[MetricFamily]) -> Result<()> {
    let mut reader = Reader::new(Format::Text, Limits::default());
    for line in exposition::lines(page) {
        for line in [b"# a comment".as_slice(), line, b"\t", b"#"] {
            reader.push_line(line)?;
        }
    }
    let commented = reader.finish()?;
    ensure!(same(families, &commented), "{families:?} with comments {commented:?}");
    Ok(())
}

/// What was read can be written in either format, and is read back the same.
fn written_and_read(families: &[MetricFamily], format: Format) -> Result<()> {
    let once = again(families, format)?;
    ensure!(
        samples(families, format) == samples(&once, format),
        "{families:?} became {once:?}"
    );
    if is_unambiguous(families) {
        ensure!(same(&timed(families, format), &once), "{families:?} became {once:?}");
    }
    let twice = again(&once, format)?;
    ensure!(same(&once, &twice), "{once:?} became {twice:?}");
    let other = match format {
        Format::Text => Format::OpenMetrics,
        Format::OpenMetrics => Format::Text,
    };
    let translated = again(families, other)?;
    ensure!(
        samples(families, other).len() == samples(&translated, other).len(),
        "{families:?} became {translated:?} as {other:?}"
    );
    Ok(())
}

fn again(families: &[MetricFamily], format: Format) -> Result<Vec<MetricFamily>> {
    let mut writer = Writer::new(format);
    for family in &timed(families, format) {
        writer.write(family);
    }
    let page = writer.finish();
    read(page.as_bytes(), format, &Limits::default()).with_context(|| format!("of {page:?}"))
}

/// The families, without the times that OpenMetrics cannot tell.
fn timed(families: &[MetricFamily], format: Format) -> Vec<MetricFamily> {
    let mut families = families.to_vec();
    if format == Format::Text {
        return families;
    }
    let told = |time: Option<i64>| time.filter(|time| time.unsigned_abs() < EXACT_MILLISECONDS);
    for sample in families.iter_mut().flat_map(|family| &mut family.samples) {
        sample.timestamp_milliseconds = told(sample.timestamp_milliseconds);
        if let Some(exemplar) = &mut sample.exemplar {
            exemplar.timestamp_milliseconds = told(exemplar.timestamp_milliseconds);
        }
    }
    families
}

/// The samples, whatever family each belongs to.
fn samples(families: &[MetricFamily], format: Format) -> Vec<String> {
    let families = timed(families, format);
    let samples = families.iter().flat_map(|family| &family.samples);
    let mut samples: Vec<String> = samples.map(|sample| format!("{sample:?}")).collect();
    samples.sort_unstable();
    samples
}

/// Whether each sample can belong to its own family only, in whatever order the lines stand. A page may give a family its type
/// after its samples, or name a family like a series of another.
fn is_unambiguous(families: &[MetricFamily]) -> bool {
    let is_series_of_another = |family: &MetricFamily| {
        let beginning = family.name.rsplit_once('_').map(|(beginning, _)| beginning);
        families.iter().any(|other| Some(other.name.as_str()) == beginning)
    };
    let is_own = |family: &MetricFamily, sample: &Sample| {
        let suffix = sample.name.strip_prefix(&family.name);
        suffix.is_some_and(|suffix| suffix.is_empty() || family.metric_type.suffixes().contains(&suffix))
    };
    families
        .iter()
        .all(|family| !is_series_of_another(family) && family.samples.iter().all(|sample| is_own(family, sample)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_each_format_has_every_property() {
        let text = "# HELP a Of \\\\ all.\n# TYPE a histogram\na_bucket{le=\"0.5\"} 1 1700000000000\na_bucket{le=\"+Inf\"} 1\n\
            a_sum 0.1\na_count 1\n{\"b.c\",\"d.e\"=\"f\\\"\"} NaN\n";
        check(text.as_bytes()).unwrap();
        check(
            format!("{text}# EOF\n")
                .replace(" 1700000000000", " 1700000000.5 # {trace_id=\"x\"} 0.4 1")
                .as_bytes(),
        )
        .unwrap();
        check(b"\xff\n").unwrap();
    }
}
