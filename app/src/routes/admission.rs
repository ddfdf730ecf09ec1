//! Admission, which every API request passes before its handler: is the service started, is the body small enough and
//! complete, is there a free permit.
//!
//! The body is read before a permit is taken, so a client that sends it slowly holds only its connection. Requests over
//! the limit are refused at once and never queued, because a queue would keep an overloaded service overloaded.

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    error::{Problem, Slug},
    routes::body,
    state::AppState,
};

/// Admits a request or answers why not.
pub(super) async fn admit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if !state.is_prepared() {
        return Problem::new(Slug::Starting, "The store is being prepared; try again").into_response();
    }
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > state.limits().body_bytes) {
        return body::too_large(state.limits().body_bytes).into_response();
    }
    let (request, _memory) = match body::receive(request, &state).await {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    // Held until there is an answer, given back also if the client leaves.
    let Ok(_permit) = state.permits().try_acquire_owned() else {
        return Problem::new(
            Slug::Overloaded,
            "The service is handling as many requests as it can; try again",
        )
        .into_response();
    };
    next.run(request).await
}
