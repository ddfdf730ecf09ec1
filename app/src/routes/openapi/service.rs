//! Rows of the index, the metrics page and the documents.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::{operation::Operation, schemas::any_text};
use crate::{error::Slug, routes::index::Index};

pub(super) fn operations() -> Vec<Operation> {
    let files: Vec<_> = crate::routes::docs::files().collect();
    vec![
        Operation::new(Method::GET, "/", "index", "What this is and where to go")
            .answers::<Index>(StatusCode::OK, "A page for browsers, JSON for everybody else")
            .answers_as(StatusCode::OK, "", "text/html", any_text),
        Operation::open(crate::routes::metrics::PATH, "metrics", "Metrics for Prometheus")
            .about("Prometheus text 0.0.4, or OpenMetrics 1.0 for a client that asks for it by `Accept`.")
            .answers_as(StatusCode::OK, "All families", "text/plain", any_text)
            .answers_as(StatusCode::OK, "", "application/openmetrics-text", any_text),
        Operation::new(
            Method::GET,
            "/openapi.json",
            "openapi",
            "This API as an OpenAPI document",
        )
        .answers_as(StatusCode::OK, "OpenAPI 3.1", "application/json", any_object),
        Operation::new(Method::GET, "/docs", "docs", "A page to read and try the API").answers_as(
            StatusCode::OK,
            "The page",
            "text/html",
            any_text,
        ),
        Operation::new(Method::GET, "/docs/{file}", "docsFile", "Script and style of the pages")
            .path(
                "file",
                "Its name",
                json!({"type": "string", "enum": files}),
                "style.css",
            )
            .answers_as(StatusCode::OK, "The file", "text/css", any_text)
            .answers_as(StatusCode::OK, "", "text/javascript", any_text)
            .problem(Slug::NotFound),
    ]
}

fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object"})
}
