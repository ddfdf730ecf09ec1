//! `GET /openapi.json`: the table of resources as an OpenAPI document, and as a page for people.

mod document;
mod page;

use std::sync::OnceLock;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::json_schema;
use serde_json::Value;

use super::{RESOURCES, TAGS, endpoint::Endpoint};
use crate::state::AppState;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/openapi.json", "openapi", "This API as an OpenAPI document", serve).response_as(
            StatusCode::OK,
            "OpenAPI 3.1",
            "application/json",
            |_| json_schema!({"type": "object"}),
        ),
    ]
}

/// The document, with or without the metrics page.
#[must_use]
pub fn document(with_metrics: bool) -> Value {
    let served = RESOURCES.iter().filter(|resource| with_metrics || !resource.is_metrics);
    let endpoints: Vec<_> = served
        .flat_map(|resource| {
            (resource.endpoints)()
                .into_iter()
                .map(|endpoint| (resource.tag, endpoint))
        })
        .collect();
    document::document(
        endpoints.iter().map(|(tag, endpoint)| (*tag, endpoint)),
        TAGS.iter().copied(),
    )
}

/// All endpoints as a Markdown page: `docs/reference/http.md`.
#[must_use]
pub fn reference_page() -> String {
    page::page(TAGS.iter().map(|(tag, description)| {
        let of_tag = RESOURCES.iter().filter(move |resource| resource.tag == *tag);
        (*tag, *description, of_tag.flat_map(|resource| (resource.endpoints)()))
    }))
}

async fn serve(State(state): State<AppState>) -> Response {
    // Written at the first request, then kept: most processes never need it.
    static WITH_METRICS: OnceLock<String> = OnceLock::new();
    static WITHOUT_METRICS: OnceLock<String> = OnceLock::new();
    let text = if state.serves_metrics() {
        WITH_METRICS.get_or_init(|| document(true).to_string())
    } else {
        WITHOUT_METRICS.get_or_init(|| document(false).to_string())
    };
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}
