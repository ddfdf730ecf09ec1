//! One call of the API and the answer that it must get.

use anyhow::{Result, ensure};
use integration_tests::api::Service;
use serde_json::{Value, json};

/// A call and the answer that it must get: `post(PATH).sends(BODY).answers(STATUS, PART_OF_THE_BODY)`.
#[derive(Debug)]
pub(crate) struct Case {
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    status: u16,
    /// Compared by [`contains`]; `null` for an answer without a body.
    answer: Value,
    header: Option<(&'static str, &'static str)>,
}

fn call(method: &'static str, path: &'static str) -> Case {
    Case {
        method,
        path,
        body: None,
        status: 200,
        answer: Value::Null,
        header: None,
    }
}

pub(crate) fn get(path: &'static str) -> Case {
    call("GET", path)
}

pub(crate) fn post(path: &'static str) -> Case {
    call("POST", path)
}

pub(crate) fn put(path: &'static str) -> Case {
    call("PUT", path)
}

pub(crate) fn patch(path: &'static str) -> Case {
    call("PATCH", path)
}

pub(crate) fn delete(path: &'static str) -> Case {
    call("DELETE", path)
}

impl Case {
    pub(crate) fn sends(self, body: Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    pub(crate) fn answers(self, status: u16, answer: Value) -> Self {
        Self { status, answer, ..self }
    }

    pub(crate) fn with_header(self, name: &'static str, value: &'static str) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// Makes the call and compares the answer.
    ///
    /// # Errors
    /// Names the call, what was answered and what was wanted.
    pub(crate) async fn check(&self, service: &Service) -> Result<()> {
        let body = self.body.as_ref().map(Value::to_string);
        let found = service.call(self.method, self.path, body.as_deref()).await?;
        let context = format!(
            "{} {} {body:?}: {} {}",
            self.method, self.path, found.status, found.text
        );
        ensure!(
            found.status.as_u16() == self.status,
            "{context}; wanted status {}",
            self.status
        );
        ensure!(
            contains(&found.json(), &self.answer),
            "{context}; wanted {}",
            self.answer
        );
        if let Some((name, value)) = self.header {
            let header = found.header(name);
            ensure!(
                header == value,
                "{context}: header {name} is {header:?}, wanted {value:?}"
            );
        }
        if self.status >= 400 {
            let media_type = found.header("content-type");
            ensure!(
                media_type == "application/problem+json",
                "{context}: the media type is {media_type:?}"
            );
        }
        Ok(())
    }
}

/// The answer to a body or query in which these fields are invalid.
pub(crate) fn invalid(fields: &[&str]) -> Value {
    let errors: Vec<_> = fields.iter().map(|field| json!({ "field": field })).collect();
    json!({"type": "urn:problem:invalid-request", "errors": errors})
}

/// The answer to a failed request, `application/problem+json`, by the last part of its type.
pub(crate) fn problem(slug: &str) -> Value {
    json!({ "type": format!("urn:problem:{slug}") })
}

/// Whether `found` holds what is wanted: of an object the keys that `wanted` has, of an array every element, numbers by
/// value.
fn contains(found: &Value, wanted: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(key, value)| found.get(key).is_some_and(|found| contains(found, value))),
        (Value::Array(wanted), Value::Array(found)) => {
            wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| contains(found, wanted))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (wanted, found) => wanted == found,
    }
}
