//! The layer in an axum router: what is counted, under which labels, and what happens when a request does not end well.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod endings;
mod own_metrics;
mod routes;
mod series;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
    response::Response,
};
use http_instrument::{Format, HttpMetrics};
use tower::ServiceExt as _;

fn request(method: &str, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn drained(app: &Router, request: Request<Body>) -> (StatusCode, Bytes) {
    let response = send(app, request).await;
    let status = response.status();
    (
        status,
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap(),
    )
}

/// The value of the one sample whose line starts so.
fn value(metrics: &HttpMetrics, series: &str) -> Option<f64> {
    let page = metrics.render(Format::Text);
    let mut lines = page
        .lines()
        .filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = lines.next().map(|value| value.parse().unwrap());
    assert_eq!(lines.next(), None, "{series} stands twice on the page");
    value
}

fn requests(metrics: &HttpMetrics, method: &str, route: &str, status: u16) -> Option<f64> {
    value(
        metrics,
        &format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"),
    )
}

fn instrumented(metrics: &HttpMetrics, router: Router) -> Router {
    router.layer(metrics.layer())
}
