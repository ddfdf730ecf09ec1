//! Writes the OpenAPI document from the table of resources.

use axum::http::StatusCode;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{
    error::{Slug, problem_schema},
    routes::endpoint::{DocumentedResponse, Endpoint, Parameter},
    telemetry::BuildInfo,
};

/// The document of these endpoints, each with its tag; of tags, name and description.
pub(super) fn document<'a>(
    endpoints: impl Iterator<Item = (&'static str, &'a Endpoint)>,
    tags: impl Iterator<Item = (&'static str, &'static str)>,
) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .for_serialize()
        .into_generator();
    let mut paths = Map::new();
    for (tag, endpoint) in endpoints {
        let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = endpoint.method.as_str().to_ascii_lowercase();
            path.insert(method, operation(endpoint, tag, &mut generator));
        }
    }
    let tags: Vec<_> = tags
        .map(|(name, description)| json!({"name": name, "description": description}))
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

/// The operation object of an endpoint.
fn operation(endpoint: &Endpoint, tag: &str, generator: &mut SchemaGenerator) -> Value {
    let mut operation = Map::new();
    let mut set = |key: &str, value: Value| operation.insert(key.to_owned(), value);
    set("tags", json!([tag]));
    set("operationId", json!(endpoint.id));
    set("summary", json!(endpoint.summary));
    if let Some(description) = endpoint.description {
        set("description", json!(description));
    }
    if !endpoint.parameters.is_empty() {
        set("parameters", endpoint.parameters.iter().map(parameter).collect());
    }
    if let Some(body) = &endpoint.body {
        let content = json!({"schema": (body.schema)(generator), "example": body.example});
        set(
            "requestBody",
            json!({"required": body.required, "content": {"application/json": content}}),
        );
    }
    set("responses", responses(endpoint, generator));
    Value::Object(operation)
}

fn parameter(parameter: &Parameter) -> Value {
    let mut value = json!({
        "name": parameter.name,
        "in": parameter.location,
        "required": parameter.required,
        "description": parameter.description,
        "schema": parameter.schema,
    });
    if let (Some(value), Some(example)) = (value.as_object_mut(), &parameter.example) {
        value.insert("example".to_owned(), example.clone());
    }
    value
}

fn responses(endpoint: &Endpoint, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for documented in &endpoint.responses {
        responses.insert(documented.status.as_str().to_owned(), response(documented, generator));
    }
    // In the order of `Slug::ALL`, so that the document does not depend on the order of the builder's calls.
    for slug in Slug::ALL.iter().filter(|slug| endpoint.problems.contains(slug)) {
        let response = responses
            .entry(slug.status().as_str().to_owned())
            .or_insert_with(|| json!({"description": "", "content": {}}));
        add_problem(response, *slug, generator);
    }
    responses.sort_keys();
    Value::Object(responses)
}

fn response(documented: &DocumentedResponse, generator: &mut SchemaGenerator) -> Value {
    let mut response = Map::new();
    response.insert("description".to_owned(), json!(documented.description));
    if !documented.headers.is_empty() {
        let headers = documented.headers.iter().map(|(name, description)| {
            let header = json!({"description": description, "schema": {"type": "string"}});
            ((*name).to_owned(), header)
        });
        response.insert("headers".to_owned(), Value::Object(headers.collect()));
    }
    if !documented.content.is_empty() {
        let content = documented.content.iter().map(|(media_type, schema)| {
            let schema = schema(generator);
            ((*media_type).to_owned(), json!({ "schema": schema }))
        });
        response.insert("content".to_owned(), Value::Object(content.collect()));
    }
    Value::Object(response)
}

/// Adds a kind of problem to the response of its status.
fn add_problem(response: &mut Value, slug: Slug, generator: &mut SchemaGenerator) {
    let schema = problem_schema(generator);
    let Some(response) = response.as_object_mut() else {
        return;
    };
    let before = response.get("description").and_then(Value::as_str).unwrap_or_default();
    let separator = if before.is_empty() { "" } else { "; " };
    let description = format!("{before}{separator}`{}`: {}", slug.as_str(), slug.title());
    response.insert("description".to_owned(), json!(description));
    if slug.status() == StatusCode::SERVICE_UNAVAILABLE {
        let header = json!({"description": "Seconds after which to try again", "schema": {"type": "integer"}});
        response.insert("headers".to_owned(), json!({"Retry-After": header}));
    }
    if let Some(content) = response.entry("content").or_insert_with(|| json!({})).as_object_mut() {
        content.insert("application/problem+json".to_owned(), json!({"schema": schema}));
    }
}
