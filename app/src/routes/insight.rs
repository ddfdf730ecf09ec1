//! What the service makes of its own metrics: `/metrics/*` and `/config/alerting`.
//!
//! Served like `/metrics`: not counted, and outside of admission, so that they answer under overload.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use controller_rules::ApiFacts;
use http_instrument::Format;
use jiff::Timestamp;
use metric_contract::TargetKind;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Resource, params::Params};
use crate::{
    error::Problem,
    insight::{
        alerting::{self, Alerting},
        alerts::{self, Alert},
        custom::Custom,
        page,
        queries::{self, Queries},
        readings::Subject,
        score::Score,
        trends::Trend,
    },
    state::AppState,
};

/// Seconds that a summary covers, unless told.
const DEFAULT_WINDOW: u32 = 300;
/// The history's length, seconds.
const MAX_WINDOW: u32 = 900;

pub(super) fn resource() -> Resource {
    const GET: &[(Method, StatusCode)] = &[(Method::GET, StatusCode::OK)];
    Resource::default()
        .at("/metrics/summary", GET, get(summary))
        .at("/metrics/custom", GET, get(custom))
        .at("/metrics/prometheus-queries", GET, get(prometheus_queries))
        .at("/metrics/health-score", GET, get(health_score))
        .at("/metrics/alerts", GET, get(alerts_now))
        .at("/metrics/trends", GET, get(trends))
        .at("/metrics/export", GET, get(export))
        .at("/config/alerting", GET, get(config_alerting))
}

/// Text for people, JSON if it is asked for by name.
async fn summary(State(state): State<AppState>, headers: HeaderMap, mut params: Params) -> Result<Response, Problem> {
    let window = params.number("window", DEFAULT_WINDOW, 1, MAX_WINDOW);
    params.finish()?;
    let (summary, now) = state.insight().summary(Duration::from_secs(window.into()));
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // Both answers stand under one address, so a cache must tell them apart.
    let vary = [(header::VARY, "accept")];
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        return Ok((vary, Json(summary)).into_response());
    }
    Ok((vary, summary.text(&now.readings)).into_response())
}

async fn custom(State(state): State<AppState>) -> Json<Custom> {
    Json(Custom::now(state.metrics().http()))
}

/// The queries, and for which target they are.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueriesFor {
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

async fn prometheus_queries(State(state): State<AppState>, mut params: Params) -> Result<Json<QueriesFor>, Problem> {
    let window_seconds = params.number("window", DEFAULT_WINDOW, 1, 86_400);
    let target = Target::read(&mut params);
    params.finish()?;
    let in_flight = state.insight().thresholds().in_flight;
    let queries = queries::queries(&target.facts(&state), window_seconds, in_flight);
    Ok(Json(QueriesFor {
        dialect: state.metrics().http().dialect().id.as_str(),
        namespace: target.namespace,
        job: target.job,
        window_seconds,
        queries,
    }))
}

async fn health_score(State(state): State<AppState>) -> Json<Score> {
    Json(state.insight().score())
}

/// The alert conditions as they are now.
#[derive(Serialize, JsonSchema)]
pub(super) struct AlertsNow {
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
    state: alerts::State,
    signal: Subject,
    /// `null`: not known, or too few requests to speak of it.
    value: Option<f64>,
    threshold: Option<f64>,
    /// Since when the condition holds.
    since: Option<Timestamp>,
    /// How long it must hold to fire.
    for_seconds: f64,
}

async fn alerts_now(State(state): State<AppState>) -> Json<AlertsNow> {
    let (alerts, now) = state.insight().alerts();
    let timestamp = Timestamp::now();
    let count = |wanted| alerts.iter().filter(|alert| alert.state == wanted).count();
    let show = |alert: &Alert| AlertNow {
        name: alert.name,
        state: alert.state,
        signal: alert.reading.subject,
        value: alert.reading.value,
        threshold: alert.reading.threshold,
        since: alert.since.map(|since| timestamp - now.saturating_sub(since)),
        for_seconds: alert.for_.as_secs_f64(),
    };
    Json(AlertsNow {
        timestamp,
        firing: count(alerts::State::Firing),
        pending: count(alerts::State::Pending),
        alerts: alerts.iter().map(show).collect(),
    })
}

/// Trends over the history.
#[derive(Serialize, JsonSchema)]
pub(super) struct TrendsNow {
    /// Time that the history covers.
    window_seconds: f64,
    /// Each signal's.
    trends: Vec<Trend>,
    /// What to do, a sentence each.
    recommendations: Vec<String>,
}

async fn trends(State(state): State<AppState>) -> Json<TrendsNow> {
    let (span, trends, recommendations) = state.insight().trends();
    Json(TrendsNow {
        window_seconds: span.as_secs_f64(),
        trends,
        recommendations,
    })
}

/// The page as JSON.
#[derive(Serialize, JsonSchema)]
pub(super) struct Exported {
    /// The time here.
    timestamp: Timestamp,
    /// How metrics are named.
    dialect: &'static str,
    /// As `[{name, type, help, samples: [{name, labels, value}]}]`; a value that is no number is a string.
    families: Value,
}

/// All families, in the format that is asked for.
async fn export(State(state): State<AppState>, mut params: Params) -> Result<Response, Problem> {
    let known = |format: &str| matches!(format, "json" | "openmetrics" | "csv").then(|| format.to_owned());
    let format = params.read("format", "must be json, openmetrics or csv", known);
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
            (kind, page::csv(&page::families(&http.render(Format::Text)))).into_response()
        }
        Some(_) | None => {
            let text = http.render(Format::Text);
            let exported = Exported {
                timestamp: Timestamp::now(),
                dialect: http.dialect().id.as_str(),
                families: json!(page::families(&text)),
            };
            Json(exported).into_response()
        }
    })
}

async fn config_alerting(State(state): State<AppState>, mut params: Params) -> Result<Json<Alerting>, Problem> {
    let target = Target::read(&mut params);
    params.finish()?;
    let insight = state.insight();
    Ok(Json(alerting::alerting(
        &target.facts(&state),
        insight.thresholds(),
        insight.memory_threshold(),
    )))
}

/// How a Prometheus names this service: a process does not know.
struct Target {
    namespace: String,
    job: String,
    kind: TargetKind,
    scrape_interval_seconds: u32,
}

impl Target {
    fn read(params: &mut Params) -> Self {
        let name = |text: &str| is_name(text).then(|| text.to_owned());
        let must = "must be at most 63 lower-case letters, digits and dashes";
        let kind = |target: &str| match target {
            "static" => Some(TargetKind::Static),
            "service-monitor" => Some(TargetKind::ServiceMonitor),
            _ => None,
        };
        Self {
            namespace: params.read("namespace", must, name).unwrap_or("default".to_owned()),
            job: params.read("job", must, name).unwrap_or("monitored-app".to_owned()),
            kind: params
                .read("target", "must be static or service-monitor", kind)
                .unwrap_or(TargetKind::Static),
            scrape_interval_seconds: params.number("scrape_interval", 15, 1, 3_600),
        }
    }

    /// Routes that never count are not even recorded here, so no query has to leave them out.
    fn facts<'a>(&'a self, state: &AppState) -> ApiFacts<'a> {
        ApiFacts {
            namespace: &self.namespace,
            name: &self.job,
            dialect: Some(state.metrics().http().dialect()),
            target: self.kind,
            scrape_interval_seconds: self.scrape_interval_seconds,
            excluded_routes: &[],
        }
    }
}

/// A DNS label, as far as its characters go.
fn is_name(text: &str) -> bool {
    let usable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(usable)
}
