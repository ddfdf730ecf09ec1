//! Rows of the index, the metrics page and the documents.

use axum::http::{Method, StatusCode};
use schemars::{Schema, SchemaGenerator, json_schema};

use super::{operation::Operation, schemas::any_text};
use crate::routes::index::Index;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(Method::GET, "/", "index", "What this is and where to go")
            .answers::<Index>(StatusCode::OK, "A page for browsers, JSON for everybody else")
            .answers_as(StatusCode::OK, "", "text/html", any_text),
        Operation::open(crate::routes::metrics::PATH, "metrics", "Metrics for Prometheus")
            .about("Prometheus text 0.0.4, or OpenMetrics 1.0 for a client that asks for it by `Accept`.")
            .answers_as(StatusCode::OK, "All families", "text/plain", any_text)
            .answers_as(StatusCode::OK, "", "application/openmetrics-text", any_text),
        Operation::new(Method::GET, "/openapi.json", "openapi", "This document").answers_as(
            StatusCode::OK,
            "OpenAPI 3.1",
            "application/json",
            any_object,
        ),
    ]
}

fn any_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "object"})
}
