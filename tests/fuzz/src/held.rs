//! What a reader holds of a page, counted, and held against its limits.

use anyhow::{Context, Result, ensure};
use exposition::{Labels, Limits, MetricFamily, Sample};

/// Bytes that count for a family beside its name and text, as [`Limits::metadata`] says.
const FAMILY: usize = 64;

/// Limits that this page just keeps.
pub(crate) fn exact(families: &[MetricFamily], page: usize) -> Limits {
    let samples = || families.iter().flat_map(|family| &family.samples);
    let labels = |sample: &Sample| {
        let of_exemplar = sample.exemplar.as_ref().map_or(0, |exemplar| exemplar.labels.len());
        sample.labels.len().max(of_exemplar)
    };
    Limits {
        bytes: page,
        samples: samples().count().max(families.len()),
        labels: samples().map(labels).max().unwrap_or_default(),
        metadata: families.iter().map(metadata).sum(),
    }
}

fn metadata(family: &MetricFamily) -> usize {
    // What the page holds of a text may be shortened by its escapes.
    let help = family.help.as_ref().map_or(0, String::len);
    FAMILY + family.name.len() + help
}

/// Checks that no limit is exceeded, and that no text is longer than its line.
///
/// # Errors
/// Names the limit.
pub(crate) fn check(families: &[MetricFamily], limits: &Limits, page: usize) -> Result<()> {
    let held = exact(families, page);
    ensure!(held.samples <= limits.samples, "{} samples", held.samples);
    ensure!(held.labels <= limits.labels, "{} labels", held.labels);
    ensure!(held.metadata <= limits.metadata, "{} bytes of metadata", held.metadata);
    let texts: usize = families.iter().map(texts).sum();
    // The name of a sample may stand in the family too, and the unit is the end of a name.
    ensure!(
        texts <= page.saturating_mul(2),
        "{texts} bytes of text of a page of {page}"
    );
    Ok(())
}

fn texts(family: &MetricFamily) -> usize {
    let option = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let labels = |labels: &Labels| {
        labels
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
    };
    let of_sample = |sample: &Sample| {
        let exemplar = sample.exemplar.as_ref().map_or(0, |exemplar| labels(&exemplar.labels));
        sample.name.len() + labels(&sample.labels) + exemplar
    };
    let samples: usize = family.samples.iter().map(of_sample).sum();
    family.name.len() + option(&family.help) + option(&family.unit) + samples
}

/// Bytes that the reading of a page may allocate at once: the many short labels of one line take the most for each byte of it.
const FOR_EACH_BYTE: u64 = 64;
const BESIDE: u64 = 16 * 1024;

/// Runs what reads a page, and checks how much memory it takes at once.
///
/// # Errors
/// When it takes more than a fixed multiple of the page.
pub(crate) fn within_memory<T>(page: usize, read: impl FnOnce() -> T) -> Result<T> {
    let mut result = None;
    let info = allocation_counter::measure(|| result = Some(read()));
    let most = FOR_EACH_BYTE * page as u64 + BESIDE;
    ensure!(
        info.bytes_max <= most,
        "{} bytes at once for a page of {page}",
        info.bytes_max
    );
    result.context("nothing was read")
}
