//! Probes. Liveness never looks at the store: a restart heals no database.

use std::time::Duration;

use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    state::{AppState, Phase},
    telemetry::BuildInfo,
};

/// How long the store may take to answer the readiness probe.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// Timers that have not run for this long mean that the runtime is stuck. They run every second.
const MAX_SILENCE: Duration = Duration::from_secs(10);

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/startup", get(startup))
}

async fn health() -> Json<Value> {
    let now = Timestamp::now();
    Json(json!({
        "status": "healthy",
        "timestamp": now,
        "timestamp_unix": now.as_microsecond() as f64 / 1e6,
        "version": BuildInfo::THIS.version,
    }))
}

async fn live(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    if state.since_heartbeat() > MAX_SILENCE {
        return verdict(&["timers do not run"]);
    }
    verdict(&[])
}

async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    let mut reasons = Vec::new();
    match state.phase() {
        Phase::Starting => reasons.push("migrations are running"),
        Phase::Serving => {}
        Phase::Draining => reasons.push("the service is stopping"),
    }
    // While migrations run the answer is known, and asking would compete with them.
    if state.phase() != Phase::Starting {
        let answer = tokio::time::timeout(STORE_TIMEOUT, state.store().answers()).await;
        if !answer.unwrap_or(false) {
            reasons.push("the store does not answer");
        }
    }
    verdict(&reasons)
}

async fn startup(State(state): State<AppState>) -> (StatusCode, Json<Value>) {
    match state.phase() {
        Phase::Starting => verdict(&["migrations are running"]),
        Phase::Serving | Phase::Draining => verdict(&[]),
    }
}

fn verdict(reasons: &[&str]) -> (StatusCode, Json<Value>) {
    if reasons.is_empty() {
        (StatusCode::OK, Json(json!({ "status": "ok" })))
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "unavailable", "reasons": reasons })),
        )
    }
}
