//! `GET /`: what this is and where to go. A page for browsers, JSON for everybody else.

use std::{fmt::Write as _, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Link, docs, endpoint::Endpoint, schemas::any_text};
use crate::{state::AppState, telemetry::BuildInfo};

const PAGE: &str = include_str!("../../assets/index.html");

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/", "index", "What this is and where to go", index)
            .response::<IndexDocument>(StatusCode::OK, "A page for browsers, JSON for everybody else")
            .response_as(StatusCode::OK, "", "text/html", any_text),
    ]
}

/// What this is and where to go.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Index")]
struct IndexDocument {
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
    // One path has two answers, so a cache must tell them apart.
    let vary = [(header::VARY, "accept")];
    if wants_html(&headers) {
        return (vary, docs::page(page(&state))).into_response();
    }
    let BuildInfo {
        version,
        commit,
        rustc: _,
    } = BuildInfo::THIS;
    let body = IndexDocument {
        message: "Reference API of monitored-api",
        name: "monitored-app",
        version,
        commit,
        uptime_seconds: state.uptime().as_secs_f64(),
        links: links(&state).map(|link| link.path).collect(),
    };
    (vary, Json(body)).into_response()
}

fn links(state: &AppState) -> impl Iterator<Item = Link> {
    super::links(state.serves_metrics()).filter(|link| link.path != "/")
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

/// The page. It holds constants and numbers only, so nothing has to be escaped.
fn page(state: &AppState) -> String {
    let BuildInfo {
        version,
        commit,
        rustc: _,
    } = BuildInfo::THIS;
    let uptime = in_words(state.uptime());
    let facts = [("Version", version), ("Commit", commit), ("Running for", &uptime)];
    let facts: String = facts
        .iter()
        .map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>"))
        .collect();
    let mut sections = String::new();
    let mut open = "";
    for Link { tag, path, summary } in links(state) {
        if tag != open {
            let end = if open.is_empty() { "" } else { "</ul></section>" };
            let _ = write!(sections, "{end}<section class=\"links\"><h2>{tag}</h2><ul>");
            open = tag;
        }
        let _ = write!(
            sections,
            "<li><a class=\"mono\" href=\"{path}\">{path}</a><span class=\"quiet\">{summary}</span></li>"
        );
    }
    sections.push_str("</ul></section>");
    PAGE.replace("{facts}", &facts).replace("{links}", &sections)
}

/// A duration in words, in its largest unit.
fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_in_its_largest_unit() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "1 minute"),
            (7_200, "2 hours"),
            (400_000, "4 days"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), text);
        }
    }
}
