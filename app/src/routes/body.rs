//! Reads a JSON body: bounded in size and time. What it must contain is the resource's business.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;

use crate::{
    error::{Problem, Slug},
    state::AppState,
};

/// Any JSON value that a client sent.
pub(super) struct JsonBody(pub(super) Value);

impl FromRequest<AppState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Slug::UnsupportedMediaType,
                "Send the header Content-Type: application/json",
            ));
        }
        let limits = state.limits();
        let reading = Limited::new(request.into_body(), limits.body_bytes).collect();
        let body = match tokio::time::timeout(limits.body, reading).await {
            Err(_) => return Err(Problem::new(Slug::BodyTimeout, "The body took too long")),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large(limits.body_bytes)),
            Ok(Err(_)) => return Err(Problem::new(Slug::MalformedBody, "The body broke off")),
            Ok(Ok(body)) => body.to_bytes(),
        };
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let at = format!(
                "The body is not JSON at line {}, column {}",
                error.line(),
                error.column()
            );
            Problem::new(Slug::MalformedBody, at)
        })
    }
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
