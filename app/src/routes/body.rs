//! Reads a body: bounded in size, time and memory. The resource checks its content.

use axum::{
    Json,
    body::{Body, Bytes, HttpBody as _},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use super::json_size::{JsonSize, MAX_VALUES};
use crate::{
    error::{Problem, Slug},
    state::AppState,
};

/// The request with its whole body, and the memory that the body takes.
pub(super) async fn receive(
    request: Request,
    state: &AppState,
) -> Result<(Request, Option<OwnedSemaphorePermit>), Problem> {
    if request.body().is_end_stream() {
        return Ok((request, None));
    }
    let (head, body) = request.into_parts();
    let (bytes, mut memory) = tokio::time::timeout(state.limits().body, collect(body, state))
        .await
        .map_err(|_| Problem::new(Slug::BodyTimeout, "The body took too long"))??;
    if is_json(&head.headers) {
        let size = JsonSize::of(&bytes);
        if size.values() > MAX_VALUES {
            let detail = format!("The body may have at most {MAX_VALUES} JSON values; send it in several requests");
            return Err(Problem::new(Slug::BodyTooLarge, detail));
        }
        take_memory(&mut memory, size.bytes(), state)?;
    }
    Ok((Request::from_parts(head, Body::from(bytes)), memory))
}

/// Takes more memory for a body, or refuses.
fn take_memory(memory: &mut Option<OwnedSemaphorePermit>, bytes: usize, state: &AppState) -> Result<(), Problem> {
    let size = u32::try_from(bytes).unwrap_or(u32::MAX);
    let more = state.body_memory().try_acquire_many_owned(size).map_err(|_| {
        let detail = "The service holds as many request bodies in memory as it can; try again";
        Problem::new(Slug::Overloaded, detail)
    })?;
    match memory {
        Some(memory) => memory.merge(more),
        None => *memory = Some(more),
    }
    Ok(())
}

async fn collect(mut body: Body, state: &AppState) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Problem> {
    let limit = state.limits().body_bytes;
    // As large as announced, because one that grows has room for twice what it holds. What has not arrived takes no memory.
    let announced = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let mut bytes = Vec::with_capacity(announced.unwrap_or_default().min(limit));
    let mut memory: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        // Trailers mean nothing here.
        let Ok(data) = frame.map_err(|_| broke_off())?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        take_memory(&mut memory, data.len(), state)?;
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, memory))
}

fn broke_off() -> Problem {
    Problem::new(Slug::MalformedBody, "The body ended before it was complete")
}

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

/// The response for something new: 201, where it is, and how it is stored.
pub(super) fn created<T: Serialize>(path: &str, stored: &T) -> Response {
    let mut response = (StatusCode::CREATED, Json(stored)).into_response();
    if let Ok(location) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Admission has received the body; this only takes it.
async fn read(request: Request, state: &AppState) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), state.limits().body_bytes)
        .await
        .map_err(|_| broke_off())
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
    Problem::new(Slug::BodyTooLarge, format!("The body may have at most {limit} bytes"))
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
