//! Admission, which every API request passes before its handler: is the service started, is the body small enough and
//! complete, is there a free permit.
//!
//! The body is read before a permit is taken, so a client that sends it slowly holds only its connection. Requests over
//! the limit are refused at once and never queued, because a queue would keep an overloaded service overloaded.
//!
//! A request that may write runs to its end even if its client leaves: the database may carry out a statement that was
//! sent, and then what follows it (the cache, figures, background tasks) must follow.

use std::panic::resume_unwind;

use axum::{
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::task::JoinError;

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
    let (request, memory) = match body::receive(request, &state).await {
        Ok(read) => read,
        Err(problem) => return problem.into_response(),
    };
    let Ok(permit) = state.permits().try_acquire_owned() else {
        return Problem::new(
            Slug::Overloaded,
            "The service is handling as many requests as it can; try again",
        )
        .into_response();
    };
    let is_safe = request.method().is_safe();
    let work = async move {
        // Held until there is an answer; given back also if the client of a safe request leaves.
        let _held = (permit, memory);
        next.run(request).await
    };
    match is_safe {
        true => work.await,
        false => to_its_end(work).await,
    }
}

/// Runs work in a task of its own, so that it goes on if nobody waits for it any more.
async fn to_its_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(work).await.map_err(JoinError::try_into_panic) {
        Ok(response) => response,
        // As if it had happened here, where it is caught, counted and answered.
        Err(Ok(panic)) => resume_unwind(panic),
        // Only when the runtime ends.
        Err(Err(_)) => Problem::internal().into_response(),
    }
}
