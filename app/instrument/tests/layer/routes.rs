//! Under which method and route a request is counted, and which requests are not counted.

use std::convert::Infallible;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::Response,
    routing::get,
};
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;

use crate::{drained, instrumented, request, requests, value};

#[tokio::test]
async fn a_request_is_counted_by_its_route_template_and_never_by_its_path() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/users/{id}", get(|| async { "Ada" })));
    for id in 0..3 {
        drained(&app, request("GET", &format!("/users/{id}?q=1"))).await;
    }
    assert_eq!(requests(&metrics, "GET", "/users/{id}", 200), Some(3.0));
    let labels = "method=\"GET\",route=\"/users/{id}\"";
    assert_eq!(
        value(&metrics, &format!("http_request_duration_seconds_count{{{labels}}}")),
        Some(3.0)
    );
    assert_eq!(
        value(&metrics, &format!("http_response_size_bytes_sum{{{labels}}}")),
        Some(9.0)
    );
    assert_eq!(
        value(
            &metrics,
            &format!("http_response_size_bytes_bucket{{{labels},le=\"100.0\"}}")
        ),
        Some(3.0)
    );
    assert_eq!(
        value(&metrics, &format!("http_requests_in_progress{{{labels}}}")),
        Some(0.0)
    );
}

#[tokio::test]
async fn requests_without_a_route_share_one_route_and_unknown_methods_one_method() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async {})));
    for path in ["/a", "/b?x=1", "/wp-admin/../c"] {
        assert_eq!(drained(&app, request("GET", path)).await.0, StatusCode::NOT_FOUND);
    }
    drained(&app, request("BREW", "/")).await;
    drained(&app, request("PROPFIND", "/")).await;
    assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), Some(3.0));
    assert_eq!(requests(&metrics, "_OTHER", "/", 405), Some(2.0));
}

fn files() -> Router {
    let page =
        tower::service_fn(|_request: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from("x"))) });
    Router::new()
        .route("/api/orders", get(|| async { "[]" }))
        .nest_service("/static", page)
}

#[tokio::test]
async fn a_nested_service_is_a_route_and_what_nothing_matches_is_not() {
    for ignores_unmatched in [false, true] {
        let metrics = HttpMetrics::builder(DialectId::Native)
            .ignore_unmatched(ignores_unmatched)
            .build();
        let app = instrumented(&metrics, files());
        for path in ["/static/a.css", "/static/deep/b.svg"] {
            drained(&app, request("GET", path)).await;
            drained(&app, request("HEAD", path)).await;
        }
        drained(&app, request("POST", "/static/form")).await;
        drained(&app, request("GET", "/static")).await;
        drained(&app, request("GET", "/api/orders")).await;
        assert_eq!(drained(&app, request("GET", "/.env")).await.0, StatusCode::NOT_FOUND);
        assert_eq!(requests(&metrics, "GET", "/static", 200), Some(3.0));
        assert_eq!(requests(&metrics, "HEAD", "/static", 200), Some(2.0));
        assert_eq!(requests(&metrics, "POST", "/static", 200), Some(1.0));
        assert_eq!(requests(&metrics, "GET", "/api/orders", 200), Some(1.0));
        let unmatched = (!ignores_unmatched).then_some(1.0);
        assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), unmatched);
    }
}

#[tokio::test]
async fn a_service_nested_in_nested_routers_has_the_whole_path_under_each() {
    let metrics = HttpMetrics::default();
    let inner = instrumented(&metrics, files());
    let app = Router::new()
        .nest("/a", inner.clone())
        .nest("/b/{tenant}", inner.clone())
        .nest_service("/c", inner);
    for _ in 0..2 {
        for path in [
            "/a/static/x",
            "/b/1/static/x",
            "/b/2/static/y",
            "/c/static/x",
            "/c/none",
        ] {
            drained(&app, request("GET", path)).await;
        }
    }
    assert_eq!(requests(&metrics, "GET", "/a/static", 200), Some(2.0));
    assert_eq!(requests(&metrics, "GET", "/b/{tenant}/static", 200), Some(4.0));
    assert_eq!(requests(&metrics, "GET", "/c/static", 200), Some(2.0));
    assert_eq!(requests(&metrics, "_OTHER", "unmatched", 404), Some(2.0));
}

#[tokio::test]
async fn one_handler_under_two_paths_is_counted_under_each() {
    let metrics = HttpMetrics::default();
    let shared = get(|| async {}).post(|| async {}).layer(metrics.layer());
    let app = Router::new()
        .route("/a", shared.clone())
        .route("/b", shared.clone())
        .route("/c/{x}", shared);
    for _ in 0..2 {
        for path in ["/a", "/b", "/c/1", "/c/2"] {
            drained(&app, request("GET", path)).await;
            drained(&app, request("POST", path)).await;
            drained(&app, request("HEAD", path)).await;
        }
    }
    for method in ["GET", "POST"] {
        assert_eq!(requests(&metrics, method, "/a", 200), Some(2.0));
        assert_eq!(requests(&metrics, method, "/b", 200), Some(2.0));
        assert_eq!(requests(&metrics, method, "/c/{x}", 200), Some(4.0));
    }
}

#[tokio::test]
async fn a_nested_routers_template_is_whole() {
    let metrics = HttpMetrics::default();
    let inner = Router::new().route("/items/{id}", get(|| async {}));
    let app = instrumented(&metrics, Router::new().nest("/v1", inner));
    drained(&app, request("GET", "/v1/items/7")).await;
    assert_eq!(requests(&metrics, "GET", "/v1/items/{id}", 200), Some(1.0));
}

#[tokio::test]
async fn probes_and_scrapes_are_excluded_by_default() {
    let metrics = HttpMetrics::default();
    let routes = || {
        Router::new()
            .route("/health/live", get(|| async {}))
            .route("/x", get(|| async {}))
    };
    let app = metrics.instrument(routes());
    drained(&app, request("GET", "/health/live")).await;
    drained(&app, request("GET", "/metrics")).await;
    assert!(!metrics.render(Format::Text).contains("/health/live"));
    assert!(!metrics.render(Format::Text).contains("\"/metrics\""));

    let metrics = HttpMetrics::builder(DialectId::Native).excluded_routes(["/x"]).build();
    let app = metrics.instrument(routes());
    drained(&app, request("GET", "/health/live")).await;
    drained(&app, request("GET", "/x")).await;
    assert_eq!(requests(&metrics, "GET", "/health/live", 200), Some(1.0));
    assert!(!metrics.render(Format::Text).contains("route=\"/x\""));
}

#[tokio::test]
async fn head_is_counted_as_head_and_sends_no_body() {
    let metrics = HttpMetrics::default();
    let app = instrumented(&metrics, Router::new().route("/", get(|| async { "content" })));
    drained(&app, request("HEAD", "/")).await;
    drained(&app, request("GET", "/")).await;
    assert_eq!(requests(&metrics, "HEAD", "/", 200), Some(1.0));
    assert_eq!(requests(&metrics, "GET", "/", 200), Some(1.0));
    assert_eq!(
        value(&metrics, "http_response_size_bytes_sum{method=\"HEAD\",route=\"/\"}"),
        Some(0.0)
    );
}
