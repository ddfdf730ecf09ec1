//! Probes. Liveness never looks at the store: a restart heals no database.

use std::time::{Duration, Instant};

use axum::{
    Json,
    extract::State,
    http::{Method, StatusCode},
    routing::get,
};
use jiff::Timestamp;
use metric_contract::MetricId;
use schemars::JsonSchema;
use serde::Serialize;

use super::Resource;
use crate::{
    insight::health::{self, Detailed, Parts},
    state::{AppState, Phase},
    telemetry::BuildInfo,
};

/// How long the store may take to answer the readiness probe.
const STORE_TIMEOUT: Duration = Duration::from_secs(1);
/// Timers that have not run for this long mean that the runtime is stuck. They run every second.
const MAX_SILENCE: Duration = Duration::from_secs(10);

pub(super) fn resource() -> Resource {
    const GET: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK)];
    Resource::default()
        .at("/health", GET, get(health))
        .at("/health/live", GET, get(live))
        .at("/health/ready", GET, get(ready))
        .at("/health/startup", GET, get(startup))
        .at("/health/detailed", GET, get(detailed))
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Health {
    /// Always `healthy`: what is not does not answer.
    status: &'static str,
    /// The time here, as in RFC 3339.
    timestamp: Timestamp,
    /// The same in seconds since the epoch.
    timestamp_unix: f64,
    /// The package's version.
    version: &'static str,
}

/// A probe's answer.
#[derive(Serialize, JsonSchema)]
pub(super) struct Verdict {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// Why it is unavailable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
}

async fn health() -> Json<Health> {
    let now = Timestamp::now();
    Json(Health {
        status: "healthy",
        timestamp: now,
        timestamp_unix: now.as_microsecond() as f64 / 1e6,
        version: BuildInfo::THIS.version,
    })
}

async fn live(State(state): State<AppState>) -> (StatusCode, Json<Verdict>) {
    if state.since_heartbeat() > MAX_SILENCE {
        return verdict(vec!["timers do not run"]);
    }
    verdict(Vec::new())
}

async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Verdict>) {
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
    verdict(reasons)
}

async fn startup(State(state): State<AppState>) -> (StatusCode, Json<Verdict>) {
    match state.phase() {
        Phase::Starting => verdict(vec!["migrations are running"]),
        Phase::Serving | Phase::Draining => verdict(Vec::new()),
    }
}

async fn detailed(State(state): State<AppState>) -> (StatusCode, Json<Detailed>) {
    let asked = Instant::now();
    let answer = tokio::time::timeout(STORE_TIMEOUT, state.store().answers()).await;
    let parts = Parts {
        store: answer.unwrap_or(false).then(|| asked.elapsed()),
        phase: state.phase(),
        timers_run: state.since_heartbeat() <= MAX_SILENCE,
        since_heartbeat: state.since_heartbeat(),
        interval: state.metrics().enabled().then(|| state.insight().interval()),
        queue_length: state.metrics().http().sum(MetricId::BackgroundQueueLength, None),
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
    };
    let (status, document) = health::detailed(
        &parts,
        &state.insight().state(),
        Timestamp::now(),
        BuildInfo::THIS.version,
    );
    (status, Json(document))
}

fn verdict(reasons: Vec<&'static str>) -> (StatusCode, Json<Verdict>) {
    let (code, status) = if reasons.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    (code, Json(Verdict { status, reasons }))
}
