//! Bounds the memory of responses that clients do not take: one is counted until its last piece has been handed to its
//! connection, and refused if too many wait. On HTTP/1.1 a small one is not counted, because a connection sends one at a
//! time and takes as much memory anyway; on HTTP/2 a connection may have a hundred of them.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
    extract::{MatchedPath, Request, State},
    http::Version,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hyper::body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::is_probe;
use crate::{
    error::{Problem, Slug},
    state::AppState,
};

/// Responses up to this size are not counted on HTTP/1.1.
const SMALL_BYTES: usize = 16 * 1024;
/// What a response on HTTP/2 takes beside its body.
const STREAM_BYTES: usize = 1024;

/// Counts a response, or refuses it. Not those of probes and scrapes.
pub(super) async fn bound(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let is_exempt = route.is_some_and(|route| is_probe(route.as_str()));
    let is_http2 = request.version() == Version::HTTP_2;
    let response = next.run(request).await;
    let size = response.body().size_hint().exact().unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if is_exempt || (size <= SMALL_BYTES && !is_http2) {
        return response;
    }
    let size = if is_http2 {
        size.saturating_add(STREAM_BYTES)
    } else {
        size
    };
    // One that is larger than all may be has them all for itself.
    let permits = u32::try_from(size.min(state.limits().responses_bytes())).unwrap_or(u32::MAX);
    match state.response_memory().try_acquire_many_owned(permits) {
        Ok(memory) => response.map(|body| Body::new(CountedBody { body, _memory: memory })),
        Err(_) => {
            let detail = "Too many large responses wait for their clients; try again";
            Problem::new(Slug::Overloaded, detail).into_response()
        }
    }
}

pin_project_lite::pin_project! {
    /// A body that gives its memory back when it is dropped.
    struct CountedBody {
        #[pin]
        body: Body,
        _memory: OwnedSemaphorePermit,
    }
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
