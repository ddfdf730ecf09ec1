//! The document and the routes agree; `tests/common` also compares every answer of every test with the document.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use app::routes::{all, openapi::document};
use common::App;
use serde_json::Value;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

fn operations(document: &Value) -> impl Iterator<Item = (String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(move |(method, operation)| (method.to_uppercase(), path, operation))
    })
}

#[test]
fn every_route_has_an_operation_and_every_operation_a_route() {
    let document = document(true);
    let documented: BTreeSet<_> = operations(&document)
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    let routes: BTreeSet<_> = all()
        .into_iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(
        documented, routes,
        "left: operations of the document, right: endpoints of app/src/routes"
    );
}

#[tokio::test]
async fn every_route_has_the_methods_that_are_documented_and_no_other() {
    let app = App::in_memory().await;
    let paths: BTreeSet<_> = all().into_iter().map(|(_, path, _)| path).collect();
    for path in paths {
        let documented: BTreeSet<_> = all()
            .into_iter()
            .filter(|(_, other, _)| *other == path)
            .map(|(method, ..)| method.to_string())
            .collect();
        let answer = app.call("TRACE", &path.replace(['{', '}'], ""), None).await;
        assert_eq!(answer.status, 405, "{path}");
        let allowed: BTreeSet<_> = answer
            .header("allow")
            .split(',')
            .filter(|method| *method != "HEAD")
            .map(str::to_owned)
            .collect();
        assert_eq!(allowed, documented, "{path}");
    }
}

/// Requests that create what the examples refer to.
const BEFORE: &[(&str, &str)] = &[
    ("/api/v1/data", r#"{"name":"a","category":"c","value":1}"#),
    ("/products", r#"{"id":1,"name":"a","price":1,"amount":1}"#),
    ("/api/users", r#"{"name":"a","email":"a@b"}"#),
];

/// The call that an operation's examples stand for.
fn example(path: &str, operation: &Value) -> (String, Option<String>) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = path.to_owned();
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &text(&parameter["example"]));
        } else if parameter["required"] == true {
            query.push(format!("{name}={}", text(&parameter["example"])));
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let body = &operation["requestBody"]["content"]["application/json"]["example"];
    (path, (!body.is_null()).then(|| body.to_string()))
}

#[tokio::test]
async fn the_examples_of_every_operation_are_answered_with_its_success() {
    let document = document(true);
    let success: BTreeMap<_, _> = all()
        .into_iter()
        .map(|(method, path, status)| ((method.to_string(), path.to_owned()), status))
        .collect();
    for (method, path, operation) in operations(&document) {
        let app = App::in_memory().await;
        for (path, body) in BEFORE {
            assert_eq!(app.call("POST", path, Some(body)).await.status, 201);
        }
        let (call, body) = example(path, operation);
        let answer = app.call(&method, &call, body.as_deref()).await;
        let wanted = success[&(method.clone(), path.clone())];
        assert_eq!(answer.status, wanted, "{method} {call}: {}", answer.text);
    }
}

#[test]
fn every_operation_documents_its_success_and_is_named_once() {
    let document = document(true);
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(METHODS.contains(&method.as_str()), "{method} {path}");
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is used twice");
        let summary = operation["summary"].as_str().unwrap();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{path}: {summary}");
        let status = all()
            .into_iter()
            .find_map(|(m, p, status)| (m.as_str() == method && p == path).then_some(status))
            .unwrap();
        assert!(operation["responses"][status.as_str()].is_object(), "{method} {path}");
        for part in path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        {
            let parameters = operation["parameters"].as_array().unwrap();
            let found = parameters
                .iter()
                .any(|parameter| parameter["name"] == part && parameter["in"] == "path");
            assert!(found, "{method} {path}: {{{part}}} is not described");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                !response["description"].as_str().unwrap().is_empty(),
                "{method} {path} {status}"
            );
        }
    }
}

#[test]
fn every_reference_leads_to_a_schema_and_every_schema_is_used() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document(true);
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let defined: BTreeSet<_> = schemas
        .keys()
        .map(|name| format!("#/components/schemas/{name}"))
        .collect();
    assert_eq!(found, defined.iter().map(String::as_str).collect());
}

#[tokio::test]
async fn the_document_leaves_out_metrics_that_are_not_served() {
    let app = App::in_memory().await;
    let served = app.get("/openapi.json").await;
    assert_eq!(served.json(), document(true));
    let mut flags = common::flags("sqlite::memory:");
    flags.enable_metrics = Some("false".to_owned());
    let app = App::with(flags, axum::Router::new()).await;
    assert!(app.get("/openapi.json").await.json()["paths"].get("/metrics").is_none());
}
