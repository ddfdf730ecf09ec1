//! `GET /`: what this is and where to go. A page for browsers, JSON for everybody else.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::Resource;
use crate::{state::AppState, telemetry::BuildInfo};

const LINKS: &[&str] = &[
    "/health",
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/metrics",
    "/api/v1/data",
    "/api/v1/data/stats/summary",
    "/api/slow",
    "/api/error",
];

pub(super) fn resource() -> Resource {
    Resource::default().at("/", &[(Method::GET, StatusCode::OK)], get(index))
}

async fn index(State(state): State<AppState>, headers: HeaderMap) -> Response {
    // Both answers stand under one address, so a cache must tell them apart.
    let vary = [(header::VARY, "accept")];
    if wants_html(&headers) {
        return (vary, Html(page(&state))).into_response();
    }
    let BuildInfo {
        version,
        commit,
        rustc: _,
    } = BuildInfo::THIS;
    let body = json!({
        "message": "Reference API of monitored-api",
        "name": "monitored-app",
        "version": version,
        "commit": commit,
        "uptime_seconds": state.uptime().as_secs_f64(),
        "links": links(&state).collect::<Vec<_>>(),
    });
    (vary, Json(body)).into_response()
}

fn links(state: &AppState) -> impl Iterator<Item = &'static str> {
    let metrics = state.metrics().enabled();
    LINKS.iter().copied().filter(move |link| metrics || *link != "/metrics")
}

/// A browser lists HTML first; `*/*` alone is curl or a client library.
fn wants_html(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accept
        .split(',')
        .any(|offer| offer.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}

fn page(state: &AppState) -> String {
    let version = BuildInfo::THIS.version;
    let mut list = String::new();
    for link in links(state) {
        list.push_str("<li><a href=\"");
        list.push_str(link);
        list.push_str("\">");
        list.push_str(link);
        list.push_str("</a>\n");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>monitored-app</title>\n\
         <h1>monitored-app {version}</h1>\n<p>The reference API of monitored-api.\n<ul>\n{list}</ul>\n</html>\n"
    )
}
