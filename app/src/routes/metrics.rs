//! `GET /metrics`.

use axum::{Router, extract::State, http::HeaderMap, response::Response, routing::get};

use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.metrics().uptime().set(state.uptime().as_secs_f64());
    state.metrics().http().respond(&headers)
}
