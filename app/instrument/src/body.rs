//! Bodies that report their size when they end.
//!
//! A body is wrapped only if its size is not known beforehand: wrapping costs axum an allocation.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};

use crate::endpoint::{InFlightGuard, RequestBodyGuard};

/// Receives the bytes of a body; records what it has received when it is dropped.
#[derive(Debug)]
pub struct BodyGuard(Kind);

#[derive(Debug)]
enum Kind {
    Request(RequestBodyGuard),
    Response(InFlightGuard),
}

impl BodyGuard {
    pub(crate) fn request(tally: RequestBodyGuard) -> Self {
        Self(Kind::Request(tally))
    }

    pub(crate) fn response(request: InFlightGuard) -> Self {
        Self(Kind::Response(request))
    }

    /// Counts bytes of the body.
    pub fn add(&mut self, bytes: u64) {
        match &mut self.0 {
            Kind::Request(tally) => tally.bytes = tally.bytes.saturating_add(bytes),
            Kind::Response(request) => request.add_response_bytes(bytes),
        }
    }
}

/// A body type that the layer can watch to its end.
///
/// The default watches nothing: a body whose size is not announced counts as empty, and a response as finished when its
/// head is. Implement it as `impl MeasureBody for MyBody {}`, or put a body of the same type around [`MeasuredBody`] in its
/// place.
pub trait MeasureBody: Body + Sized {
    /// Makes the body report to `meter`, its type and content unchanged.
    fn meter(&mut self, meter: BodyGuard) {
        drop(meter);
    }
}

pin_project_lite::pin_project! {
    /// A body that reports to a [`BodyGuard`].
    #[derive(Debug)]
    pub struct MeasuredBody<B> {
        #[pin]
        body: B,
        meter: Option<BodyGuard>,
    }
}

impl<B> MeasuredBody<B> {
    /// Wraps a body.
    pub fn new(body: B, meter: BodyGuard) -> Self {
        Self {
            body,
            meter: Some(meter),
        }
    }
}

impl<B: Body> Body for MeasuredBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(meter), Some(data)) = (this.meter.as_mut(), frame.data_ref()) {
                    meter.add(u64::try_from(data.remaining()).unwrap_or(u64::MAX));
                }
            }
            // The end, or a failure: either way nothing follows. Dropping the meter records.
            Some(Err(_)) | None => *this.meter = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<D: Buf> MeasureBody for http_body_util::Full<D> {}
impl<D: Buf> MeasureBody for http_body_util::Empty<D> {}

impl<D: Buf + 'static, E: 'static> MeasureBody for http_body_util::combinators::BoxBody<D, E> {
    fn meter(&mut self, meter: BodyGuard) {
        *self = Self::new(MeasuredBody::new(std::mem::take(self), meter));
    }
}

impl<D: Buf + 'static, E: 'static> MeasureBody for http_body_util::combinators::UnsyncBoxBody<D, E> {
    fn meter(&mut self, meter: BodyGuard) {
        *self = Self::new(MeasuredBody::new(std::mem::take(self), meter));
    }
}

#[cfg(feature = "axum")]
impl MeasureBody for axum::body::Body {
    fn meter(&mut self, meter: BodyGuard) {
        *self = Self::new(MeasuredBody::new(std::mem::take(self), meter));
    }
}

#[cfg(feature = "hyper")]
impl MeasureBody for hyper::body::Incoming {}
