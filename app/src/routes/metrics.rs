//! `GET /metrics`.

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
    routing::get,
};

use tower_http::{CompressionLevel, compression::CompressionLayer};

use super::Resource;
use crate::state::AppState;

pub(super) const PATH: &str = "/metrics";

pub(super) fn resource() -> Resource {
    Resource::default().at(PATH, &[(Method::GET, StatusCode::OK)], get(metrics).layer(gzip()))
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
