//! What must hold of detection, and of what the operator keeps of a page.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use controller_core::{
    detect::{Detection, Outcome, Page, PageFamily, PageReader, detect, read_page},
    dialect_choice::DialectChoice,
    probe::{Change, KnownPage, PageMemory, Reading, from_status, to_status},
};
use exposition::{Format, Limits, ReadError};

use crate::{Depth, arrival::in_parts, held, rules, status_bounds::is_recorded};

/// Within which the operator reads a pod's page.
const LIMITS: Limits = Limits {
    bytes: 8 << 20,
    samples: 50_000,
    labels: 64,
    metadata: 256 << 10,
};

/// The same with a memory that small pages exceed.
const SMALL: Limits = Limits {
    metadata: 2_048,
    ..LIMITS
};

/// The pods of a page: their `pod-template-hash`.
const TEMPLATE: &str = "6d4b75cb6d";

/// Checks everything of a page.
///
/// # Errors
/// Says which property does not hold.
pub fn check(page: &[u8], depth: Depth) -> Result<()> {
    for format in [Format::Text, Format::OpenMetrics] {
        check_as(page, format, depth).with_context(|| format!("as {format:?}"))?;
    }
    Ok(())
}

fn check_as(bytes: &[u8], format: Format, depth: Depth) -> Result<()> {
    let whole = held::within_memory(bytes.len(), || read_page(bytes, format, LIMITS))?;
    let parts = read_in_parts(bytes, format);
    let Ok(page) = whole else {
        ensure!(parts.is_err(), "refused whole, and read in parts");
        return Ok(());
    };
    ensure!(Ok(&page) == parts.as_ref(), "whole {page:?}, in parts {parts:?}");
    is_bounded(&page)?;
    if let Ok(page) = read_page(bytes, format, SMALL) {
        holds_little(&page)?;
    }
    let detection = held::within_memory(bytes.len(), || detect(&page))?;
    is_consistent(&detection, &page)?;
    survives_a_restart(&detection)?;
    rules::check(&page, &detection, depth.of(bytes))
}

fn read_in_parts(page: &[u8], format: Format) -> Result<Page, ReadError> {
    let mut reader = PageReader::new(format, LIMITS);
    in_parts(page, |line| reader.push_line(line))?;
    reader.finish()
}

/// What is kept of a page has bounds of its own, and an order.
fn is_bounded(page: &Page) -> Result<()> {
    for family in &page.families {
        ensure!(family.labels.len() <= 128 && family.bounds.len() <= 256, "{family:?}");
        let are_ascending = family.bounds.is_sorted_by(|one, next| one < next);
        ensure!(
            are_ascending && family.bounds.iter().all(|bound| bound.is_finite()),
            "{family:?}"
        );
        for values in family.labels.values() {
            let most = values.statuses.max(values.classes).max(values.methods);
            ensure!(most <= values.seen && values.seen <= family.samples, "{family:?}");
        }
    }
    Ok(())
}

/// What is held of a page is within [`SMALL`], counted as the limits say: so much of families, and so much of their labels.
fn holds_little(page: &Page) -> Result<()> {
    let of_each = 64;
    let names = |family: &PageFamily| {
        let added = "_total".len();
        of_each + family.name.len().saturating_sub(added) + family.help.len()
    };
    let labels = |family: &PageFamily| family.labels.keys().map(|label| of_each + label.len()).sum::<usize>();
    let names: usize = page.families.iter().map(names).sum();
    let labels: usize = page.families.iter().map(labels).sum();
    ensure!(
        names <= SMALL.metadata && labels <= SMALL.metadata,
        "{names} bytes of families and {labels} of their labels are held"
    );
    Ok(())
}

/// What detection says does not contradict itself or the page.
fn is_consistent(detection: &Detection, page: &Page) -> Result<()> {
    let Detection {
        outcome,
        found,
        candidates,
        unclaimed,
    } = detection;
    ensure!((*outcome == Outcome::Match) == found.is_some(), "{detection:?}");
    ensure!(candidates.is_sorted_by(|one, next| one < next), "{candidates:?}");
    ensure!(found.is_none() || candidates.is_empty(), "{detection:?}");
    ensure!(
        (*outcome == Outcome::Empty) == page.families.is_empty(),
        "{detection:?}"
    );
    ensure!(unclaimed.len() <= 5, "{unclaimed:?}");
    let stands_there = |name: &str| page.families.iter().any(|family| family.name == name);
    ensure!(unclaimed.iter().all(|name| stands_there(name)), "{unclaimed:?}");
    let Some(found) = found else { return Ok(()) };
    ensure!(
        found.spelling.requests().is_some(),
        "nothing counts requests: {found:?}"
    );
    for metric in &found.spelling.metrics {
        let mut families = page.families.iter().filter(|family| family.name == metric.name);
        let has_labels =
            |labels: &BTreeMap<String, _>| metric.labels.iter().all(|(label, _)| labels.contains_key(&**label));
        ensure!(
            families.any(|family| has_labels(&family.labels)),
            "{metric:?} is not on the page"
        );
        let same_metric = found
            .spelling
            .metrics
            .iter()
            .filter(|other| other.metric == metric.metric);
        ensure!(same_metric.count() == 1, "{metric:?} stands there twice");
    }
    Ok(())
}

/// What is known of a page is the same after a restart, and the same page changes nothing then.
fn survives_a_restart(detection: &Detection) -> Result<()> {
    let Some(found) = &detection.found else {
        return Ok(());
    };
    let known = KnownPage::of(found);
    is_recorded(&known)?;
    let reading = Reading::Detected(detection.clone());
    for declared in [None, Some(DialectChoice::Table(found.dialect))] {
        let mut memory = PageMemory::new(declared.clone(), None, None);
        memory.take(Ok(&reading), TEMPLATE, Duration::ZERO);
        let known = memory.finding().known.as_deref();
        let known = known.with_context(|| format!("nothing is kept with {declared:?}"))?;
        is_recorded(known)?;
        let mut restarted = PageMemory::new(declared, from_status(&to_status(known, None)), Some(TEMPLATE));
        ensure!(
            restarted.finding() == memory.finding(),
            "{restarted:?} is not {memory:?}"
        );
        let change = restarted.take(Ok(&reading), TEMPLATE, Duration::from_secs(1));
        ensure!(change == Change::Nothing, "{change:?} by the same page: {restarted:?}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_library_has_every_property() {
        let page = "# HELP gin_requests_total Requests.\n# TYPE gin_requests_total counter\n\
            gin_requests_total{code=\"200\",handler=\"h\",host=\"a\",method=\"GET\",url=\"/\"} 1\n";
        check(page.as_bytes(), Depth::Always).unwrap();
        check(b"", Depth::Always).unwrap();
    }
}
