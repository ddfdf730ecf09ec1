//! `GET /metrics`.

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
    routing::get,
};

use super::Resource;
use crate::state::AppState;

pub(super) const PATH: &str = "/metrics";

pub(super) fn resource() -> Resource {
    Resource::default().at(PATH, &[(Method::GET, StatusCode::OK)], get(metrics))
}

async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.metrics().uptime().set(state.uptime().as_secs_f64());
    state.metrics().http().respond(&headers)
}
