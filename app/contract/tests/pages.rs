//! The tables of dialects that libraries speak, against pages of programs that run these libraries (`tests/dialects`): every
//! row must stand on such a page, with its type, its labels and its bounds.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test's own helpers fail the test")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use exposition::{Format, Limits, MetricFamily, MetricType, read};
use metric_contract::{DialectId, DialectRow, MetricId, MetricKind};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects");

/// Those of whose library no registry within reach has a build; their tables are from its source.
const FROM_SOURCE: &[DialectId] = &[
    DialectId::Aspnet,
    DialectId::Rails,
    DialectId::Istio,
    DialectId::Linkerd,
    DialectId::Envoy,
    DialectId::IngressNginx,
    DialectId::Beyla,
];

/// The page of the newest version of a library as it is set up by default, after some requests; or that which the table
/// describes.
fn newest_page(id: DialectId) -> Option<PathBuf> {
    match id {
        // The newest version writes OpenTelemetry's names alone.
        DialectId::AxumOtelMetrics => {
            return Some(Path::new(PAGES).join("axum-otel-metrics/pages/0.8.0/default.after.text"));
        }
        DialectId::ChiPrometheus => {
            let version = "v0.0.0-20211217152057-87afa9aa2ca8";
            return Some(Path::new(PAGES).join(format!("chi-prometheus/pages/{version}/pattern.after.text")));
        }
        _ => {}
    }
    let folder = match id {
        DialectId::OtelHttpOld => "otel-http/python",
        _ => id.as_str(),
    };
    let versions = fs::read_dir(Path::new(PAGES).join(folder).join("pages")).ok()?;
    let versions = versions.map(|version| version.unwrap().path());
    let number = |path: &PathBuf| -> Vec<u64> {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let parts = name.split(|c: char| !c.is_ascii_digit());
        parts.filter_map(|part| part.parse().ok()).collect()
    };
    let newest = versions.max_by_key(number)?;
    Some(newest.join("default.after.text"))
}

fn page_of(path: &Path) -> Vec<MetricFamily> {
    let text = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    read(&text, Format::Text, &Limits::default()).unwrap()
}

fn assert_on_page(row: &DialectRow, page: &[MetricFamily], place: &str) {
    let what = format!("{place}: {}", row.family.name);
    let family = page.iter().find(|family| family.name == row.family.name);
    let family = family.unwrap_or_else(|| panic!("{what} is not on the page"));
    let expected = match row.family.kind {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
        MetricKind::Histogram => MetricType::Histogram,
        MetricKind::Summary => MetricType::Summary,
    };
    assert_eq!(family.metric_type, expected, "{what}");
    let labels = family.samples.iter().flat_map(|sample| &sample.labels);
    let own: BTreeSet<&str> = labels
        .map(|(name, _)| name.as_str())
        .filter(|name| !["le", "quantile"].contains(name))
        .collect();
    assert_eq!(own, row.family.labels.iter().copied().collect(), "{what}");
    let bounds = family.samples.iter().filter_map(|sample| sample.label("le"));
    let mut bounds: Vec<f64> = bounds.map(|bound| bound.parse().unwrap()).collect();
    bounds.retain(|bound| bound.is_finite());
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    assert_eq!(bounds, row.buckets, "{what}");
}

#[test]
fn every_row_of_a_librarys_table_stands_on_its_page() {
    let mut compared = Vec::new();
    for id in DialectId::ALL {
        let Some(path) = newest_page(*id) else { continue };
        let page = page_of(&path);
        // The reference API exports more in the same dialect than the library does.
        let of_library = |row: &&DialectRow| {
            let of_requests = [MetricId::Requests, MetricId::Duration, MetricId::InFlight];
            !DialectId::WRITTEN.contains(id) || of_requests.contains(&row.metric)
        };
        for row in id.dialect().rows.iter().filter(of_library) {
            assert_on_page(row, &page, &path.display().to_string());
        }
        compared.push(*id);
    }
    let is_captured = |id: &&DialectId| !DialectId::WRITTEN.contains(id) && !FROM_SOURCE.contains(id);
    for id in DialectId::ALL.iter().filter(is_captured) {
        assert!(compared.contains(id), "{id}: no page of its library in {PAGES}");
    }
    assert!(compared.contains(&DialectId::AxumPrometheus));
}
