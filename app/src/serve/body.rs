//! A response body that reports its progress and its end to the connection's [`Activity`]. It changes no bytes, but hands
//! them over in pieces, so that what the client has not taken is still here and known.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use axum::{Error, body::Body};
use hyper::body::{Bytes, Frame, SizeHint};

use super::{activity::Activity, progress::Progress};

/// The largest piece that is handed over at once. The last one of a response is no longer counted or timed, so it is no
/// larger than what a connection takes anyway.
const PIECE_BYTES: usize = 16 * 1024;

pin_project_lite::pin_project! {
    /// A response's body, and the connection that it goes to.
    #[derive(Debug)]
    pub(super) struct TrackedBody {
        #[pin]
        body: Body,
        // What the body has given and has not been handed over.
        rest: Bytes,
        ending: ResponseGuard,
    }
}

impl TrackedBody {
    pub(super) fn new(body: Body, activity: Arc<Activity>) -> Self {
        activity.begin_response();
        Self {
            body,
            rest: Bytes::new(),
            ending: ResponseGuard {
                activity,
                progress: None,
            },
        }
    }
}

impl hyper::body::Body for TrackedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        let mut data = std::mem::take(this.rest);
        if data.is_empty() {
            data = match ready!(this.body.poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            };
        }
        if data.len() > PIECE_BYTES {
            *this.rest = data.split_off(PIECE_BYTES);
        }
        // hyper asks for a piece when the client has room for it.
        this.ending.hands_over(data.len(), !this.rest.is_empty());
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.rest.len() as u64;
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

/// Ends the response, however it ends.
#[derive(Debug)]
struct ResponseGuard {
    activity: Arc<Activity>,
    /// Of a response that takes more than one piece.
    progress: Option<Arc<Progress>>,
}

impl ResponseGuard {
    fn hands_over(&mut self, bytes: usize, goes_on: bool) {
        let now = Instant::now();
        self.activity.progress(now);
        if goes_on && self.progress.is_none() {
            self.progress = Some(self.activity.watch_response(now));
        }
        if let Some(progress) = &self.progress {
            progress.hands_over(bytes, now);
        }
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        if let Some(progress) = &self.progress {
            self.activity.forget_response(progress);
        }
        self.activity.end_response(Instant::now());
    }
}
