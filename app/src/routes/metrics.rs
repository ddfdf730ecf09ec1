//! `GET /metrics`.

use axum::{
    extract::State,
    handler::Handler as _,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use tower_http::{CompressionLevel, compression::CompressionLayer};

use super::{endpoint::Endpoint, schemas::any_text};
use crate::state::AppState;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/metrics", "metrics", "Metrics for Prometheus", metrics.layer(gzip()))
            .probe()
            .about("Prometheus text 0.0.4, or OpenMetrics 1.0 for a client that asks for it by `Accept`.")
            .response_as(StatusCode::OK, "All families", "text/plain", any_text)
            .response_as(StatusCode::OK, "", "application/openmetrics-text", any_text),
    ]
}

/// A page of many series shrinks to a twentieth, so the least effort is enough. Answers without Accept-Encoding are as
/// they are; `Vary` tells caches.
fn gzip() -> CompressionLayer {
    CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest)
}

async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.metrics().uptime().set(state.uptime().as_secs_f64());
    state.metrics().http().respond(&headers)
}
