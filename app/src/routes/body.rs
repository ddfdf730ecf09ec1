//! Reads a JSON body: bounded in size and time. What it must contain is the resource's business.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use crate::{
    error::{Problem, Slug},
    state::AppState,
};

/// Any JSON value that a client sent, if it sent anything.
pub(super) struct OptionalBody(pub(super) Option<Value>);

impl FromRequest<AppState> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let declared = is_json(request.headers());
        let body = read(request, state).await?;
        match (body.is_empty(), declared) {
            (true, _) => Ok(Self(None)),
            (false, true) => parse(&body).map(|value| Self(Some(value))),
            (false, false) => Err(undeclared()),
        }
    }
}

/// Any JSON value that a client sent.
pub(super) struct JsonBody(pub(super) Value);

impl FromRequest<AppState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(undeclared());
        }
        parse(&read(request, state).await?).map(Self)
    }
}

async fn read(request: Request, state: &AppState) -> Result<Bytes, Problem> {
    let limits = state.limits();
    let reading = Limited::new(request.into_body(), limits.body_bytes).collect();
    match tokio::time::timeout(limits.body, reading).await {
        Err(_) => Err(Problem::new(Slug::BodyTimeout, "The body took too long")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits.body_bytes)),
        Ok(Err(_)) => Err(Problem::new(Slug::MalformedBody, "The body broke off")),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn parse(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let at = format!(
            "The body is not JSON at line {}, column {}",
            error.line(),
            error.column()
        );
        Problem::new(Slug::MalformedBody, at)
    })
}

fn undeclared() -> Problem {
    Problem::new(
        Slug::UnsupportedMediaType,
        "Send the header Content-Type: application/json",
    )
}

pub(super) fn too_large(limit: usize) -> Problem {
    Problem::new(Slug::BodyTooLarge, format!("The body may have {limit} bytes"))
}

/// `application/json`, or any type that is declared as JSON (`application/…+json`).
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}
