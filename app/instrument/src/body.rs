//! Bodies that report their size when they end.
//!
//! Wrapping a body costs an allocation in axum, so bodies whose size is known beforehand are mostly not wrapped:
//! requests never, responses only above 64 KiB.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};

use crate::endpoint::{InFlightGuard, RequestBodyGuard, ResponseBodyGuard};

/// Counts the bytes of a body, and records the size when it is dropped.
#[derive(Debug)]
pub struct BodyGuard(Kind);

#[derive(Debug)]
enum Kind {
    Request(RequestBodyGuard),
    Response(ResponseBodyGuard),
}

impl BodyGuard {
    pub(crate) fn request(tally: RequestBodyGuard) -> Self {
        Self(Kind::Request(tally))
    }

    pub(crate) fn response(request: InFlightGuard) -> Self {
        Self(Kind::Response(ResponseBodyGuard { request, bytes: 0 }))
    }

    /// Counts bytes of the body.
    pub fn add(&mut self, bytes: u64) {
        let sum = match &mut self.0 {
            Kind::Request(tally) => &mut tally.bytes,
            Kind::Response(tally) => &mut tally.bytes,
        };
        *sum = sum.saturating_add(bytes);
    }
}

/// A body type that the layer can meter until the body ends.
///
/// The default implementation, `impl MeasureBody for MyBody {}`, does not meter: a body without a known size counts as
/// empty, and its response counts as finished when the head is ready. To meter, replace the body by one of the same
/// type that wraps a [`MeasuredBody`].
pub trait MeasureBody: Body + Sized {
    /// Makes the body report its bytes to `meter`. Its type and its content stay the same.
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
            // The body ended or failed, so no bytes follow. Dropping the guard records the size.
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
