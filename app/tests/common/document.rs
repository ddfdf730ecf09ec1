//! Compares answers with the OpenAPI document.

use std::sync::LazyLock;

use app::routes::openapi::document;
use axum::http::{Method, StatusCode};
use serde_json::Value;

static WITH_METRICS: LazyLock<Value> = LazyLock::new(|| document(true));
static WITHOUT_METRICS: LazyLock<Value> = LazyLock::new(|| document(false));

/// Fails if the document has this operation, but not this answer.
pub fn expect(metrics: bool, method: &Method, path: &str, status: StatusCode, content_type: &str) {
    let document = if metrics { &*WITH_METRICS } else { &*WITHOUT_METRICS };
    let method = if method == Method::HEAD {
        Method::GET
    } else {
        method.clone()
    };
    let Some(operation) = operation(document, &method, path) else {
        return;
    };
    let response = &operation["responses"][status.as_str()];
    assert!(response.is_object(), "{method} {path}: {status} is not documented");
    let essence = content_type.split(';').next().unwrap_or_default();
    match response["content"].as_object() {
        Some(content) => assert!(
            content.contains_key(essence),
            "{method} {path} {status}: content type {content_type} is not documented"
        ),
        None => assert_eq!(
            content_type, "",
            "{method} {path} {status} is documented without a body"
        ),
    }
}

/// The operation whose path fits best: a fixed part wins over a parameter, as in the router.
fn operation<'a>(document: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template, path));
    let (_, methods) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    methods.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let fits = template.split('/').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| part == wanted || (wanted.starts_with('{') && !part.is_empty()))
    });
    fits && parts.next().is_none()
}
