//! The guide `docs/guides/from-axum-prometheus.md`: each metric of its table is on the page that its column names. The guide's code is
//! compiled as a documentation test.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use axum::{Router, body::Body, http::Request, routing::get};
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;
use tower::ServiceExt as _;

fn repository(path: &str) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path);
    fs::read_to_string(path).unwrap()
}

/// A page after one request.
async fn page(dialect: DialectId) -> String {
    let metrics = HttpMetrics::builder(dialect).build();
    let app = metrics.instrument(Router::new().route("/orders/{id}", get(|| async { "an order" })));
    let request = Request::get("/orders/7").body(Body::empty()).unwrap();
    app.oneshot(request).await.unwrap();
    metrics.render(Format::Text)
}

/// The labels of each series of a family, without those of histograms and summaries.
fn label_sets<'p>(page: &'p str, family: &str) -> BTreeSet<BTreeSet<&'p str>> {
    let series = page
        .lines()
        .filter_map(|line| line.strip_prefix(family)?.split_once('{'));
    let series = series.filter(|(suffix, _)| ["", "_bucket", "_sum", "_count"].contains(suffix));
    let names = series.map(|(_, rest)| {
        let labels = rest.rsplit_once('}').unwrap().0.split("\",");
        labels
            .map(|label| label.split('=').next().unwrap())
            .filter(|name| !["le", "quantile"].contains(name))
            .collect()
    });
    names.collect()
}

#[tokio::test]
async fn each_metric_of_the_table_has_these_labels_on_that_page() {
    let captured = repository("tests/dialects/axum-prometheus/pages/0.10.1/body-size.after.text");
    let pages = [
        captured,
        page(DialectId::AxumPrometheus).await,
        page(DialectId::Native).await,
    ];
    let guide = repository("docs/guides/from-axum-prometheus.md");
    let rows: Vec<_> = guide.lines().filter(|line| line.starts_with("| `axum_http")).collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let cells = row
            .trim_matches(['|', ' '])
            .split(" | ")
            .map(|cell| cell.trim_matches('`'));
        for (cell, page) in cells.zip(&pages).filter(|(cell, _)| *cell != "–") {
            let (family, labels) = cell.trim_end_matches('}').split_once('{').unwrap();
            let expected: BTreeSet<_> = labels.split(',').collect();
            assert_eq!(label_sets(page, family), [expected].into(), "{cell}");
        }
    }
}

#[tokio::test]
async fn the_dialect_of_axum_prometheus_has_nothing_else_but_the_count_of_refused_series() {
    let page = page(DialectId::AxumPrometheus).await;
    let families: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let expected = [
        "axum_http_requests_total",
        "axum_http_requests_duration_seconds",
        "axum_http_requests_pending",
        "http_series_refused_total",
    ];
    assert_eq!(families, expected);
}
