//! `GET /`: what this is and where to go. A page for browsers, JSON for everybody else.

use std::fmt::Write as _;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Resource, openapi};
use crate::{state::AppState, telemetry::BuildInfo};

pub(super) fn resource() -> Resource {
    Resource::default().at("/", &[(Method::GET, StatusCode::OK)], get(index))
}

/// What this is and where to go.
#[derive(Serialize, JsonSchema)]
pub(super) struct Index {
    message: &'static str,
    name: &'static str,
    /// The package's version.
    version: &'static str,
    /// The commit that it was built from, or `unknown`.
    commit: &'static str,
    /// Time since the start.
    uptime_seconds: f64,
    /// Paths that need no parameter.
    links: Vec<&'static str>,
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
    let body = Index {
        message: "Reference API of monitored-api",
        name: "monitored-app",
        version,
        commit,
        uptime_seconds: state.uptime().as_secs_f64(),
        links: links(&state).map(|link| link.path).collect(),
    };
    (vary, Json(body)).into_response()
}

fn links(state: &AppState) -> impl Iterator<Item = openapi::Link> {
    openapi::links(state.metrics().enabled()).filter(|link| link.path != "/")
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
    for openapi::Link { path, summary } in links(state) {
        let _ = writeln!(list, "<li><a href=\"{path}\">{path}</a> {summary}");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>monitored-app</title>\n\
         <h1>monitored-app {version}</h1>\n<p>The reference API of monitored-api.\n<ul>\n{list}</ul>\n</html>\n"
    )
}
