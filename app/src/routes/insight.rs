//! The service's report on itself, from its own metrics: `/metrics/*` and `/config/alerting`.
//!
//! Served like `/metrics`: not counted, and outside of admission, so that they answer under overload; but only a few at
//! the same time (`analysis.rs`).

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use controller_rules::{ApiFacts, ApiLimits};
use http_instrument::Format;
use jiff::Timestamp;
use metric_contract::{Spelling, TargetKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    endpoint::Endpoint,
    params::Params,
    schemas::{self, any_text},
};
use crate::{
    error::Problem,
    insight::{
        alerting::{self, AlertingConfig},
        alerts::{Alert, AlertState},
        business::BusinessValues,
        page,
        queries::{self, Queries},
        score::Score,
        signals::HealthSignal,
        summary::ServiceSummary,
        trends::Trend,
    },
    state::AppState,
};

/// Seconds that a summary or a rate covers if the request does not say.
const DEFAULT_WINDOW: u32 = 300;
/// The history's length, seconds.
const MAX_WINDOW: u32 = 900;
/// The longest range over which a query may take a rate: a day, seconds.
const MAX_RATE_WINDOW: u32 = 86_400;
const MAX_SCRAPE_INTERVAL: u32 = 3_600;
const EXPORT_FORMATS: [&str; 3] = ["json", "openmetrics", "csv"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    [measurements(), conclusions(), exports()]
        .into_iter()
        .flatten()
        .collect()
}

fn measurements() -> Vec<Endpoint> {
    let ok = StatusCode::OK;
    let window = |max| schemas::whole_number(1, u64::from(max), Some(DEFAULT_WINDOW.into()));
    vec![
        Endpoint::get(
            "/metrics/summary",
            "metricsSummary",
            "Rate, errors and latency by route, for people",
            summary,
        )
        .analysis()
        .query(
            "window",
            "Seconds that it covers, as far as the history goes back",
            window(MAX_WINDOW),
        )
        .response_as(ok, "The summary", "text/plain", any_text)
        .response::<ServiceSummary>(ok, "The summary"),
        Endpoint::get(
            "/metrics/custom",
            "metricsCustom",
            "Current values of what the business counts",
            custom,
        )
        .analysis()
        .response::<BusinessValues>(ok, "The values"),
        PrometheusTarget::document(
            Endpoint::get(
                "/metrics/prometheus-queries",
                "prometheusQueries",
                "PromQL for each signal, in the dialect in use",
                prometheus_queries,
            )
            .analysis(),
        )
        .query("window", "Seconds over which rates are taken", window(MAX_RATE_WINDOW))
        .response::<TargetQueries>(ok, "The queries"),
    ]
}

fn conclusions() -> Vec<Endpoint> {
    let ok = StatusCode::OK;
    vec![
        Endpoint::get(
            "/metrics/health-score",
            "healthScore",
            "0 to 100, and what was taken off",
            health_score,
        )
        .analysis()
        .response::<Score>(ok, "The score"),
        Endpoint::get(
            "/metrics/alerts",
            "alertsNow",
            "Alert conditions, evaluated in the process now",
            alerts_now,
        )
        .analysis()
        .response::<AlertsNow>(ok, "The alerts"),
        Endpoint::get(
            "/metrics/trends",
            "trends",
            "Where each signal is heading, and what to do about it",
            trends,
        )
        .analysis()
        .response::<TrendsNow>(ok, "The trends"),
    ]
}

fn exports() -> Vec<Endpoint> {
    let ok = StatusCode::OK;
    vec![
        Endpoint::get(
            "/metrics/export",
            "metricsExport",
            "All families, for other systems",
            export,
        )
        .analysis()
        .query(
            "format",
            "What to export as",
            json!({"enum": EXPORT_FORMATS, "default": "json"}),
        )
        .response::<MetricsExport>(ok, "The families")
        .response_as(ok, "The families", "application/openmetrics-text", any_text)
        .response_as(ok, "The families", "text/csv", any_text),
        PrometheusTarget::document(
            Endpoint::get(
                "/config/alerting",
                "alerting",
                "Rules, dashboard and routes with the thresholds in force",
                config_alerting,
            )
            .analysis(),
        )
        .response::<AlertingConfig>(ok, "The settings"),
    ]
}

/// Text for people, JSON if the header `Accept` names it.
async fn summary(State(state): State<AppState>, headers: HeaderMap, mut params: Params) -> Result<Response, Problem> {
    let window = params.number("window", DEFAULT_WINDOW, 1, MAX_WINDOW);
    params.finish()?;
    let (summary, now) = state.self_report().summary(Duration::from_secs(window.into()));
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // One path has two answers, so a cache must tell them apart.
    let vary = [(header::VARY, "accept")];
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        return Ok((vary, Json(summary)).into_response());
    }
    Ok((vary, summary.text(&now.signals)).into_response())
}

async fn custom(State(state): State<AppState>) -> Json<BusinessValues> {
    Json(BusinessValues::now(state.metrics().http()))
}

/// The queries, and for which target they are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "QueriesFor")]
struct TargetQueries {
    /// How metrics are named.
    dialect: &'static str,
    /// The namespace that every query is pinned to.
    namespace: String,
    /// The job that every query is pinned to.
    job: String,
    /// Seconds over which rates are taken.
    window_seconds: u32,
    #[serde(flatten)]
    queries: Queries,
}

async fn prometheus_queries(State(state): State<AppState>, mut params: Params) -> Result<Json<TargetQueries>, Problem> {
    let window_seconds = params.number("window", DEFAULT_WINDOW, 1, MAX_RATE_WINDOW);
    let target = PrometheusTarget::read(&mut params);
    params.finish()?;
    let in_flight = state.self_report().thresholds().in_flight;
    let spelling = Spelling::from(state.metrics().http().dialect());
    let queries = queries::queries(&target.facts(&spelling), window_seconds, in_flight);
    Ok(Json(TargetQueries {
        dialect: state.metrics().http().dialect().name,
        namespace: target.namespace,
        job: target.job,
        window_seconds,
        queries,
    }))
}

async fn health_score(State(state): State<AppState>) -> Json<Score> {
    Json(state.self_report().score())
}

/// The alert conditions as they are now.
#[derive(Serialize, JsonSchema)]
struct AlertsNow {
    /// The time here.
    timestamp: Timestamp,
    /// How many fire.
    firing: usize,
    /// How many hold, but not for long enough.
    pending: usize,
    /// All of them.
    alerts: Vec<AlertNow>,
}

/// One alert condition.
#[derive(Serialize, JsonSchema)]
struct AlertNow {
    /// The operator's name for it.
    name: &'static str,
    state: AlertState,
    signal: HealthSignal,
    /// `null`: not known, or there were too few requests.
    value: Option<f64>,
    threshold: Option<f64>,
    /// What is wrong with the threshold, as `problems` of `/config/alerting` says it: most likely nothing can be above it, so
    /// the alert never fires.
    problem: Option<String>,
    /// Since when the condition holds.
    since: Option<Timestamp>,
    /// How long it must hold to fire.
    for_seconds: f64,
}

async fn alerts_now(State(state): State<AppState>) -> Json<AlertsNow> {
    let report = state.self_report();
    let (alerts, now) = report.alerts();
    let timestamp = Timestamp::now();
    let count = |wanted| alerts.iter().filter(|alert| alert.state == wanted).count();
    let show = |alert: &Alert| AlertNow {
        name: alert.name,
        state: alert.state,
        signal: alert.reading.signal,
        value: alert.reading.value,
        threshold: alert.reading.threshold,
        problem: report.threshold_problem(alert.name).map(str::to_owned),
        since: alert.since.map(|since| timestamp - now.saturating_sub(since)),
        for_seconds: alert.for_.as_secs_f64(),
    };
    Json(AlertsNow {
        timestamp,
        firing: count(AlertState::Firing),
        pending: count(AlertState::Pending),
        alerts: alerts.iter().map(show).collect(),
    })
}

/// Trends over the history.
#[derive(Serialize, JsonSchema)]
struct TrendsNow {
    /// Time that the history covers.
    window_seconds: f64,
    /// Each signal's.
    trends: Vec<Trend>,
    /// What to do, a sentence each.
    recommendations: Vec<String>,
}

async fn trends(State(state): State<AppState>) -> Json<TrendsNow> {
    let (span, trends, recommendations) = state.self_report().trends();
    Json(TrendsNow {
        window_seconds: span.as_secs_f64(),
        trends,
        recommendations,
    })
}

/// The page as JSON.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Exported")]
struct MetricsExport {
    /// The time here.
    timestamp: Timestamp,
    /// How metrics are named.
    dialect: &'static str,
    /// As `[{name, type, help, samples: [{name, labels, value}]}]`; `NaN` and infinities are strings.
    families: Value,
}

/// All families, in the requested format.
async fn export(State(state): State<AppState>, mut params: Params) -> Result<Response, Problem> {
    let known = |format: &str| EXPORT_FORMATS.contains(&format).then(|| format.to_owned());
    let format = params.read("format", "not a valid format: use json, openmetrics or csv", known);
    params.finish()?;
    let http = state.metrics().http();
    state.metrics().uptime().set(state.uptime().as_secs_f64());
    Ok(match format.as_deref() {
        Some("openmetrics") => {
            let kind = [(header::CONTENT_TYPE, Format::OpenMetrics.content_type())];
            (kind, http.render(Format::OpenMetrics)).into_response()
        }
        Some("csv") => {
            let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")];
            let families = page::families(&http.render(Format::Text));
            (kind, page::csv(&families)).into_response()
        }
        Some(_) | None => {
            let text = http.render(Format::Text);
            let exported = MetricsExport {
                timestamp: Timestamp::now(),
                dialect: http.dialect().name,
                families: json!(page::families(&text)),
            };
            Json(exported).into_response()
        }
    })
}

async fn config_alerting(State(state): State<AppState>, mut params: Params) -> Result<Json<AlertingConfig>, Problem> {
    let target = PrometheusTarget::read(&mut params);
    params.finish()?;
    let insight = state.self_report();
    let spelling = Spelling::from(state.metrics().http().dialect());
    Ok(Json(alerting::alerting(
        &target.facts(&spelling),
        insight.thresholds(),
        insight.memory_threshold(),
    )))
}

/// How Prometheus names this service, which a process cannot know: the request says it.
struct PrometheusTarget {
    namespace: String,
    job: String,
    kind: TargetKind,
    scrape_interval_seconds: u32,
}

impl PrometheusTarget {
    /// Adds the query parameters that [`Target::read`] reads.
    fn document(endpoint: Endpoint) -> Endpoint {
        let name = json!({"type": "string", "pattern": "^[a-z0-9-]{1,63}$"});
        let interval = schemas::whole_number(1, MAX_SCRAPE_INTERVAL.into(), Some(15));
        endpoint
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
            .query("scrape_interval", "Seconds between two scrapes", interval)
    }

    fn read(params: &mut Params) -> Self {
        let name = |text: &str| is_name(text).then(|| text.to_owned());
        let must = "not a valid name: use at most 63 lower-case letters, digits and dashes, for example orders";
        let kind = |target: &str| match target {
            "static" => Some(TargetKind::Static),
            "service-monitor" => Some(TargetKind::ServiceMonitor),
            _ => None,
        };
        Self {
            namespace: params.read("namespace", must, name).unwrap_or("default".to_owned()),
            job: params.read("job", must, name).unwrap_or("monitored-app".to_owned()),
            kind: params
                .read("target", "not a valid target: use static or service-monitor", kind)
                .unwrap_or(TargetKind::Static),
            scrape_interval_seconds: params.number("scrape_interval", 15, 1, MAX_SCRAPE_INTERVAL),
        }
    }

    /// Excludes no routes: unmeasured routes are not recorded here, so no query has to leave them out.
    fn facts<'a>(&'a self, spelling: &'a Spelling) -> ApiFacts<'a> {
        ApiFacts {
            namespace: &self.namespace,
            name: &self.job,
            spelling: Some(spelling),
            proxy: None,
            has_overall: false,
            target: self.kind,
            scrape_interval_seconds: self.scrape_interval_seconds,
            excluded_routes: &[],
            limits: ApiLimits::default(),
            objectives: &[],
            compat: None,
        }
    }
}

/// A DNS label, as far as its characters go.
fn is_name(text: &str) -> bool {
    let usable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(usable)
}
