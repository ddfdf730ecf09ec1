//! Rows of what the service makes of its own metrics.

use axum::http::StatusCode;
use serde_json::json;

use super::operation::Operation;
use crate::{
    insight::{alerting::Alerting, custom::Custom, score::Score, summary::Summary},
    routes::insight::{AlertsNow, Exported, QueriesFor, TrendsNow},
};

pub(super) fn operations() -> Vec<Operation> {
    let ok = StatusCode::OK;
    let text = |_: &mut schemars::SchemaGenerator| schemars::json_schema!({"type": "string"});
    vec![
        Operation::open(
            "/metrics/summary",
            "metricsSummary",
            "Rate, errors and latency by route, for people",
        )
        .query(
            "window",
            "Seconds that it covers, as far as the history goes back",
            json!({"type": "integer", "minimum": 1, "maximum": 900, "default": 300}),
        )
        .answers_as(ok, "The summary", "text/plain", text)
        .answers::<Summary>(ok, "The summary"),
        Operation::open(
            "/metrics/custom",
            "metricsCustom",
            "Current values of what the business counts",
        )
        .answers::<Custom>(ok, "The values"),
        target(Operation::open(
            "/metrics/prometheus-queries",
            "prometheusQueries",
            "PromQL for each signal, in the dialect in use",
        ))
        .query(
            "window",
            "Seconds over which rates are taken",
            json!({"type": "integer", "minimum": 1, "maximum": 86_400, "default": 300}),
        )
        .answers::<QueriesFor>(ok, "The queries"),
        Operation::open(
            "/metrics/health-score",
            "healthScore",
            "0 to 100, and what was taken off",
        )
        .answers::<Score>(ok, "The score"),
        Operation::open(
            "/metrics/alerts",
            "alertsNow",
            "Alert conditions, evaluated in the process now",
        )
        .answers::<AlertsNow>(ok, "The alerts"),
        Operation::open(
            "/metrics/trends",
            "trends",
            "Where each signal is heading, and what to do about it",
        )
        .answers::<TrendsNow>(ok, "The trends"),
        Operation::open("/metrics/export", "metricsExport", "All families, for other systems")
            .query(
                "format",
                "What to export as",
                json!({"enum": ["json", "openmetrics", "csv"], "default": "json"}),
            )
            .answers::<Exported>(ok, "The families")
            .answers_as(ok, "The families", "application/openmetrics-text", text)
            .answers_as(ok, "The families", "text/csv", text),
        target(Operation::open(
            "/config/alerting",
            "alerting",
            "Rules, dashboard and routes with the thresholds in force",
        ))
        .answers::<Alerting>(ok, "The settings"),
    ]
}

/// How Prometheus names the service: the process does not know.
fn target(operation: Operation) -> Operation {
    let name = json!({"type": "string", "pattern": "^[a-z0-9-]{1,63}$"});
    operation
        .query(
            "namespace",
            "The label `namespace` of its series; `default` unless told",
            name.clone(),
        )
        .query(
            "job",
            "The label `job` of its series; `monitored-app` unless told",
            name,
        )
        .query(
            "target",
            "How Prometheus finds it: decides which labels it renames",
            json!({"enum": ["static", "service-monitor"], "default": "static"}),
        )
        .query(
            "scrape_interval",
            "Seconds between two scrapes",
            json!({"type": "integer", "minimum": 1, "maximum": 3_600, "default": 15}),
        )
}
