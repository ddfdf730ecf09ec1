//! Which series are on the page: the cap on their number, options, and series that exist before the first request.

use axum::{
    Router,
    http::{Method, StatusCode},
    response::Response,
    routing::{get, post},
};
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;

use crate::{drained, instrumented, request, requests, send, value};

#[tokio::test]
async fn the_cap_on_series_holds_and_what_it_refuses_is_counted() {
    let metrics = HttpMetrics::builder(DialectId::Native).max_series(100).build();
    let mut router = Router::new();
    for route in 0..50 {
        router = router.route(&format!("/{route}"), get(|| async {}));
    }
    let app = instrumented(&metrics, router);
    for _ in 0..2 {
        for route in 0..50 {
            drained(&app, request("GET", &format!("/{route}"))).await;
        }
    }
    let page = metrics.render(Format::Text);
    let samples = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.contains("unmatched"))
        .count();
    assert!(samples <= 101, "{samples} samples");
    let refused = value(&metrics, "http_series_refused_total").unwrap();
    assert!(refused >= 90.0, "{refused}");
    let total: f64 = page
        .lines()
        .filter(|line| line.starts_with("http_requests_total{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert_eq!(total, 100.0, "no request is lost");
}

#[tokio::test]
async fn an_endpoint_with_endless_statuses_is_bounded_too() {
    let metrics = HttpMetrics::default();
    let any =
        |axum::extract::Path(status): axum::extract::Path<u16>| async move { StatusCode::from_u16(status).unwrap() };
    let app = instrumented(&metrics, Router::new().route("/{status}", get(any)));
    for status in 200..250 {
        drained(&app, request("GET", &format!("/{status}"))).await;
    }
    let page = metrics.render(Format::Text);
    let series = page
        .lines()
        .filter(|line| line.starts_with("http_requests_total{") && line.contains("{status}"))
        .count();
    assert_eq!(series, 16);
    assert_eq!(value(&metrics, "http_series_refused_total"), Some(34.0));
}

#[tokio::test]
async fn options_leave_families_out_and_change_buckets() {
    let metrics = HttpMetrics::builder(DialectId::Native)
        .in_flight(false)
        .body_sizes(false)
        .duration_buckets([2.0, 0.5, f64::NAN, 0.5])
        .build();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async {})));
    drained(&app, request("GET", "/")).await;
    let page = metrics.render(Format::Text);
    assert!(!page.contains("in_progress") && !page.contains("size_bytes"), "{page}");
    for histogram in ["http_request_duration_seconds", "http_request_duration_overall_seconds"] {
        let buckets: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with(histogram))
            .filter_map(|line| line.split("le=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(buckets, ["0.5", "2.0", "+Inf"], "{histogram}");
    }
    assert_eq!(page.matches("le=\"").count(), 6);
}

#[tokio::test]
async fn counts_over_all_routes_are_the_sums_over_the_routes() {
    let metrics = HttpMetrics::default();
    let status =
        |axum::extract::Path(status): axum::extract::Path<u16>| async move { StatusCode::from_u16(status).unwrap() };
    let router = Router::new()
        .route("/a/{status}", get(status).post(status))
        .route("/b/{status}", get(status));
    let app = instrumented(&metrics, router);
    for path in ["/a/200", "/a/500", "/b/200", "/b/404", "/b/404", "/nowhere"] {
        drained(&app, request("GET", path)).await;
        drained(&app, request("POST", path)).await;
    }
    let page = metrics.render(Format::Text);
    let sum = |name: &str, label: &str| -> f64 {
        let lines = page
            .lines()
            .filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
            .sum()
    };
    for status in ["200", "404", "405", "500"] {
        let label = format!("status=\"{status}\"");
        let requests = sum("http_requests_total", &label);
        assert!(requests > 0.0, "{status}");
        assert_eq!(sum("http_requests_overall_total", &label), requests, "{status}");
    }
    for le in ["0.005", "+Inf"] {
        let label = format!("le=\"{le}\"");
        assert_eq!(
            sum("http_request_duration_overall_seconds_bucket", &label),
            sum("http_request_duration_seconds_bucket", &label)
        );
    }
    for overall in ["http_requests_in_progress_overall", "http_slow_requests_overall_total"] {
        assert_eq!(value(&metrics, overall), Some(0.0), "{overall}");
    }
    assert_eq!(
        value(&metrics, "http_request_duration_overall_seconds_count"),
        Some(12.0)
    );
}

#[tokio::test]
async fn expected_series_exist_at_zero_and_stay_the_same_series() {
    let metrics = HttpMetrics::default();
    metrics.expect(&Method::POST, "/orders", &[201]);
    metrics.expect(&Method::GET, "/metrics", &[200]);
    assert_eq!(requests(&metrics, "POST", "/orders", 201), Some(0.0));
    assert_eq!(requests(&metrics, "POST", "/orders", 500), Some(0.0));
    assert_eq!(requests(&metrics, "GET", "/metrics", 200), None);
    let app = instrumented(
        &metrics,
        Router::new().route("/orders", post(|| async { StatusCode::CREATED })),
    );
    drained(&app, request("POST", "/orders")).await;
    assert_eq!(requests(&metrics, "POST", "/orders", 201), Some(1.0));
}

#[tokio::test]
async fn the_page_has_the_content_type_of_the_format_that_was_asked_for() {
    let app = HttpMetrics::default().instrument(Router::new());
    let content_type = |response: &Response| response.headers()["content-type"].to_str().unwrap().to_owned();
    let plain = send(&app, request("GET", "/metrics")).await;
    assert_eq!(content_type(&plain), "text/plain; version=0.0.4; charset=utf-8");
    let mut asking = request("GET", "/metrics");
    asking
        .headers_mut()
        .insert("accept", "application/openmetrics-text;version=1.0.0".parse().unwrap());
    let open = send(&app, asking).await;
    assert_eq!(
        content_type(&open),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
}
