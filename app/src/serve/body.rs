//! A response body that reports its progress and its end to the connection's [`Activity`]. It changes no bytes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{Error, body::Body};
use hyper::body::{Bytes, Frame, SizeHint};

use super::activity::Activity;

pin_project_lite::pin_project! {
    /// A response's body, and the connection that it goes to.
    #[derive(Debug)]
    pub(super) struct TrackedBody {
        #[pin]
        body: Body,
        ending: ResponseGuard,
    }
}

impl TrackedBody {
    pub(super) fn new(body: Body, activity: Arc<Activity>) -> Self {
        activity.begin_response();
        Self {
            body,
            ending: ResponseGuard(activity),
        }
    }
}

impl hyper::body::Body for TrackedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(context));
        // hyper asks for a piece when the client has room for it.
        this.ending.0.progress(Instant::now());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Ends the response, however it ends.
#[derive(Debug)]
struct ResponseGuard(Arc<Activity>);

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        self.0.end_response(Instant::now());
    }
}
