//! Probes. Liveness never looks at the store, because a restart of this process does not mend a database.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use jiff::Timestamp;
use metric_contract::MetricId;
use schemars::JsonSchema;
use serde::Serialize;

use super::endpoint::Endpoint;
use crate::{
    insight::health::{self, DetailedHealth, HealthFacts},
    state::{AppState, Phase},
    telemetry::BuildInfo,
};

/// Timers that have not run for this long mean that the runtime is stuck. They run every second.
const MAX_SILENCE: Duration = Duration::from_secs(10);

pub(super) fn endpoints() -> Vec<Endpoint> {
    let verdict = |endpoint: Endpoint| {
        endpoint
            .probe()
            .response::<ProbeResult>(StatusCode::OK, "Yes")
            .response::<ProbeResult>(StatusCode::SERVICE_UNAVAILABLE, "No, and why")
    };
    vec![
        Endpoint::get("/health", "health", "Whether the process answers, and what time it is there", health)
            .probe()
            .response::<LiveDocument>(StatusCode::OK, "It does"),
        verdict(Endpoint::get("/health/live", "live", "Whether the process can serve; never asks the store", live)),
        verdict(Endpoint::get("/health/ready", "ready", "Whether to send requests here", ready)),
        verdict(Endpoint::get("/health/startup", "startup", "Whether the start is over", startup)),
        Endpoint::get("/health/detailed", "detailedHealth", "How each part does, figures and thresholds", detailed)
            .analysis()
            .about(
                "`unhealthy` (503) if the store does not answer within a second, timers do not run or migrations have \
                 not ended; `degraded` (200) if a figure is above its threshold, the collector has not run for three of \
                 its intervals, or the service is stopping; else `healthy`.",
            )
            .response::<DetailedHealth>(StatusCode::OK, "Healthy or degraded")
            .response::<DetailedHealth>(StatusCode::SERVICE_UNAVAILABLE, "Unhealthy"),
    ]
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Health")]
struct LiveDocument {
    /// Always `healthy`: a process that is not does not answer.
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
#[schemars(rename = "Verdict")]
struct ProbeResult {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// Why it is unavailable.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<&'static str>,
}

async fn health() -> Json<LiveDocument> {
    let now = Timestamp::now();
    Json(LiveDocument {
        status: "healthy",
        timestamp: now,
        timestamp_unix: now.as_microsecond() as f64 / 1e6,
        version: BuildInfo::THIS.version,
    })
}

async fn live(State(state): State<AppState>) -> (StatusCode, Json<ProbeResult>) {
    if state.since_heartbeat() > MAX_SILENCE {
        return verdict(vec!["timers do not run"]);
    }
    verdict(Vec::new())
}

async fn ready(State(state): State<AppState>) -> (StatusCode, Json<ProbeResult>) {
    let mut reasons = Vec::new();
    if !state.is_prepared() {
        reasons.push("migrations are running");
    }
    if state.phase() == Phase::Draining {
        reasons.push("the service is stopping");
    }
    // While migrations run the answer is known, and asking would compete with them.
    if state.is_prepared() && state.store().answers().await.is_none() {
        reasons.push("the store does not answer");
    }
    verdict(reasons)
}

async fn startup(State(state): State<AppState>) -> (StatusCode, Json<ProbeResult>) {
    if state.is_prepared() {
        verdict(Vec::new())
    } else {
        verdict(vec!["migrations are running"])
    }
}

async fn detailed(State(state): State<AppState>) -> (StatusCode, Json<DetailedHealth>) {
    let parts = HealthFacts {
        store: state.store().answers().await,
        phase: state.phase(),
        timers_run: state.since_heartbeat() <= MAX_SILENCE,
        since_heartbeat: state.since_heartbeat(),
        interval: state.metrics().enabled().then(|| state.self_report().interval()),
        queue_length: state.metrics().http().sum(MetricId::BackgroundQueueLength, None),
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
    };
    let (status, document) = health::detailed(
        &parts,
        &state.self_report().state(),
        Timestamp::now(),
        BuildInfo::THIS.version,
    );
    (status, Json(document))
}

fn verdict(reasons: Vec<&'static str>) -> (StatusCode, Json<ProbeResult>) {
    let (code, status) = if reasons.is_empty() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    (code, Json(ProbeResult { status, reasons }))
}
