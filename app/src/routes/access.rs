//! The outermost layer of every request: gives it an id and a span, writes its line of the access log, and counts its
//! problem. A request whose client leaves before the answer has a line too, with status 499.
//!
//! A line has the route and the path, never the query, headers or bodies, because those may hold secrets.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use http_instrument::TraceContext;

use super::is_probe;
use crate::{
    error::Slug,
    state::{AppState, Phase},
};

/// The header that carries a request's id, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_BYTES: usize = 128;
/// The status in the log of a request whose client left before the answer.
const ABANDONED: u16 = 499;

/// Gives the request an id, logs it, counts its problem.
pub(super) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| is_plain(id))
        .cloned()
        .unwrap_or_else(new_id);
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    let tracer = state.tracer();
    let span = match is_probe(route) {
        true => tracer.begin_unsent(&request),
        false => tracer.begin(&request, route),
    };
    let trace = span.context();
    span.accompany(&mut request);
    if trace.is_sampled() {
        // An exemplar leads to a trace, so the trace must have been recorded.
        request.extensions_mut().insert(trace.trace());
    }
    let version = request.version();
    let mut entry = AccessLogEntry {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        route: matched.clone(),
        started,
        id: id.clone(),
        trace,
        answer: None,
    };

    let mut response = next.run(request).await;

    span.answered(response.status());
    let problem = response.extensions().get::<Slug>().copied();
    if let Some(slug) = problem {
        state.metrics().count_error(slug);
    }
    entry.answer = Some((response.status(), problem));
    drop(entry);
    response.headers_mut().insert(REQUEST_ID, id);
    if state.phase() == Phase::Draining && version < Version::HTTP_2 {
        // So that clients move elsewhere now, before their idle connections are closed. HTTP/2 has GOAWAY for this,
        // which hyper sends at the end.
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A request as the log tells of it. It is written when it is dropped, also if the client leaves before the answer.
struct AccessLogEntry {
    method: Method,
    path: String,
    route: Option<MatchedPath>,
    started: Instant,
    id: HeaderValue,
    trace: TraceContext,
    /// `None`: none yet.
    answer: Option<(StatusCode, Option<Slug>)>,
}

impl Drop for AccessLogEntry {
    fn drop(&mut self) {
        let (method, path) = (self.method.as_str(), self.path.as_str());
        let route = self.route.as_ref().map_or("", MatchedPath::as_str);
        let status = self.answer.map_or(ABANDONED, |(status, _)| status.as_u16());
        let problem = self.answer.and_then(|(_, problem)| problem).map(Slug::as_str);
        let milliseconds = self.started.elapsed().as_secs_f64() * 1e3;
        let id = self.id.to_str().unwrap_or_default();
        let (trace_id, span_id) = (self.trace.trace_id(), self.trace.span_id());
        // Probes and scrapes come every few seconds and are of no interest while they succeed.
        if is_probe(route) && status < 400 {
            tracing::debug!(
                method,
                path,
                route,
                status,
                duration_ms = milliseconds,
                request_id = id,
                trace_id,
                span_id,
                "request"
            );
        } else {
            tracing::info!(
                method,
                path,
                route,
                status,
                duration_ms = milliseconds,
                problem,
                request_id = id,
                trace_id,
                span_id,
                "request"
            );
        }
    }
}

/// Whether a client's id may go into logs and back: short, and without characters that need escaping anywhere.
fn is_plain(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=MAX_ID_BYTES).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

/// An id that no other process and no other request of this one has: a random part and a count.
fn new_id() -> HeaderValue {
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("request ids"));
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let id = format!("{:016x}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_id_is_taken_only_if_it_is_short_and_plain() {
        assert!(is_plain(&HeaderValue::from_static("4bf92f35-77b3:a.b_c")));
        assert!(!is_plain(&HeaderValue::from_static("")));
        assert!(!is_plain(&HeaderValue::from_static("a b")));
        assert!(!is_plain(&HeaderValue::from_static("\"};drop")));
        assert!(!is_plain(&HeaderValue::try_from("x".repeat(129)).unwrap()));
    }
}
