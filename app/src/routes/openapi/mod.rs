//! The OpenAPI document: a table with a row for each operation of the service, and `GET /openapi.json`.
//!
//! To add an operation: a row in the file of its resource here (a new resource: a new file, and a line in [`GROUPS`]).
//! Answers take their schema from the type that the handler answers with (`#[derive(JsonSchema)]` beside `Serialize`;
//! comments on its fields become descriptions). A body that is read field by field gets its schema by hand, with the
//! constants that the check uses. Problems that follow from admission, parameters and bodies are added by
//! [`Operation`]; name those that only the handler knows (`.problem(Slug::NotFound)`, `.uses_store()`).
//!
//! Tests compare the table with the routes both ways, and every answer of every other test with the table.

mod data;
mod demonstration;
mod health;
mod insight;
mod operation;
mod page;
mod products;
mod schemas;
mod service;
mod users;

use std::sync::OnceLock;

use axum::{
    extract::State,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use self::operation::Operation;
pub use self::page::reference_page;
use super::Resource;
use crate::{state::AppState, telemetry::BuildInfo};

/// Operations that belong together.
struct Group {
    /// The tag: what the page has as a heading.
    tag: &'static str,
    /// What the operations are about.
    about: &'static str,
    operations: fn() -> Vec<Operation>,
}

/// All operations, in the order in which they are shown.
const GROUPS: &[Group] = &[
    Group {
        tag: "service",
        about: "What this is, its metrics and its documents",
        operations: service::operations,
    },
    Group {
        tag: "health",
        about: "Probes",
        operations: health::operations,
    },
    Group {
        tag: "insight",
        about: "What the service makes of its own metrics",
        operations: insight::operations,
    },
    Group {
        tag: "data",
        about: "Items with a category and a value",
        operations: data::operations,
    },
    Group {
        tag: "products",
        about: "Products under ids that clients choose",
        operations: products::operations,
    },
    Group {
        tag: "users",
        about: "Users, by two interfaces",
        operations: users::operations,
    },
    Group {
        tag: "demonstration",
        about: "Routes that show what monitoring shows",
        operations: demonstration::operations,
    },
];

pub(super) fn resource() -> Resource {
    Resource::default().at("/openapi.json", &[(Method::GET, StatusCode::OK)], get(serve))
}

/// A route that a link leads to.
#[derive(Debug)]
pub(super) struct Link {
    /// The group's tag.
    pub(super) tag: &'static str,
    /// The path.
    pub(super) path: &'static str,
    /// What is there.
    pub(super) summary: &'static str,
}

/// Every `GET` that needs nothing but its path.
pub(super) fn links(metrics: bool) -> impl Iterator<Item = Link> {
    rows(metrics).filter(|(_, row)| row.is_link()).map(|(group, row)| Link {
        tag: group.tag,
        path: row.path,
        summary: row.summary(),
    })
}

/// Rows of the routes that are served.
fn rows(metrics: bool) -> impl Iterator<Item = (&'static Group, Operation)> {
    let rows = GROUPS
        .iter()
        .flat_map(|group| (group.operations)().into_iter().map(move |row| (group, row)));
    rows.filter(move |(_, row)| metrics || !super::is_metrics(row.path))
}

/// The document, with or without the metrics page.
#[must_use]
pub fn document(metrics: bool) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .for_serialize()
        .into_generator();
    let mut paths = Map::new();
    for (group, row) in rows(metrics) {
        let operation = row.render(group.tag, &mut generator);
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(row.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let tags: Vec<_> = GROUPS
        .iter()
        .map(|group| json!({"name": group.tag, "description": group.about}))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "monitored-app",
            "version": BuildInfo::THIS.version,
            "description": "The reference API of monitored-api.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": generator.take_definitions(true)},
    })
}

async fn serve(State(state): State<AppState>) -> Response {
    // Made when somebody asks, then kept: most processes are never asked.
    static WITH_METRICS: OnceLock<String> = OnceLock::new();
    static WITHOUT_METRICS: OnceLock<String> = OnceLock::new();
    let text = if state.serves_metrics() {
        WITH_METRICS.get_or_init(|| document(true).to_string())
    } else {
        WITHOUT_METRICS.get_or_init(|| document(false).to_string())
    };
    ([(header::CONTENT_TYPE, "application/json")], text.as_str()).into_response()
}
