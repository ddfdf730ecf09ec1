//! The metrics page against the contract's table, in both formats, and what scanners may do to it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::collections::BTreeSet;

use axum::{Router, body::Body, http::Request};
use common::{App, flags, page::parse};
use tower::ServiceExt as _;

/// A service that has seen a request, and whose process has been read.
async fn used() -> App {
    let app = App::in_memory().await;
    let mut collector = app::telemetry::system::Collector::new(app.state.metrics(), None).unwrap();
    collector.collect();
    app.get("/").await;
    app
}

#[tokio::test]
async fn open_metrics_is_the_same_page_in_its_own_spelling() {
    let app = used().await;
    let request =
        Request::get("/metrics").header("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let open = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(
        open.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(open.text.ends_with("\n# EOF\n"));
    assert_eq!(open.text.matches("# EOF").count(), 1);
    let families = parse(&open.text);
    let plain = app.get("/metrics").await;
    assert_eq!(plain.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(families.len(), parse(&plain.text).len());
    for (name, family) in &families {
        assert!(family.kind != "counter" || !name.ends_with("_total"), "{name}");
    }
    let series = |page: &str| {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(
        series(&open.text),
        series(&plain.text),
        "a scraper may change formats and keep its series"
    );
}

#[tokio::test]
async fn known_series_exist_before_the_first_request() {
    let app = App::in_memory().await;
    for (method, path, status) in app::routes::measured() {
        for status in [status.as_u16(), 500] {
            let series = format!("http_requests_total{{method=\"{method}\",route=\"{path}\",status=\"{status}\"}}");
            assert_eq!(app.sample(&series).await, Some(0.0), "{series}");
        }
    }
    assert_eq!(
        app.sample("api_errors_total{error_type=\"store-unavailable\"}").await,
        Some(0.0)
    );
    app.get("/api/error").await;
    assert_eq!(
        app.sample("api_errors_total{error_type=\"deliberate\"}").await,
        Some(1.0)
    );
}

#[tokio::test]
async fn figures_of_the_process_are_true() {
    let app = used().await;
    let resident = app.sample("process_resident_memory_bytes").await.unwrap();
    assert!((1e6..1e10).contains(&resident), "{resident}");
    let threads = app.sample("process_threads").await.unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
    let now: f64 = line.trim().parse().unwrap();
    // Other tests of this program start and end threads.
    assert!(
        (threads - now).abs() <= 16.0 && threads >= 1.0,
        "{threads} counted, {now} now"
    );
    assert!(app.sample("process_open_fds").await.unwrap() >= 3.0);
    assert!(app.sample("process_max_fds").await.unwrap() >= 64.0);
    let start = app.sample("process_start_time_seconds").await.unwrap();
    let now = jiff::Timestamp::now().as_second() as f64;
    assert!((now - 3_600.0..=now + 1.0).contains(&start), "{start}");
}

#[tokio::test]
async fn a_page_is_compressed_only_if_the_client_asks_for_it() {
    let app = used().await;
    let plain = app.get("/metrics").await;
    assert_eq!(plain.headers.get("content-encoding"), None);
    let vary: Vec<_> = plain.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["accept", "accept-encoding"], "caches must know");
    let request = Request::get("/metrics").header("accept-encoding", "gzip");
    let answer = app
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert!(
        bytes.starts_with(&[0x1f, 0x8b]) && bytes.len() * 4 < plain.text.len(),
        "{} bytes",
        bytes.len()
    );
}

#[tokio::test]
async fn without_metrics_there_is_no_page_and_the_api_works() {
    let mut flags = flags("sqlite::memory:");
    flags.enable_metrics = Some("false".into());
    let app = App::with(flags, Router::new()).await;
    assert_eq!(app.get("/metrics").await.status, 404);
    assert_eq!(app.get("/api/v1/data").await.status, 200);
    assert!(!app.get("/").await.text.contains("/metrics"));
}

#[tokio::test]
async fn buckets_can_be_set() {
    let mut flags = flags("sqlite::memory:");
    flags.metrics_buckets = Some("0.3,3".into());
    let app = App::with(flags, Router::new()).await;
    let bucket = "http_request_duration_seconds_bucket{method=\"GET\",route=\"/\",le=\"0.3\"}";
    assert_eq!(app.sample(bucket).await, Some(0.0));
}
