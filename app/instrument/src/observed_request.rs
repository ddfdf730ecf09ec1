//! The user's callbacks, which are called with each request and its answer; and what a request keeps for them until it
//! ends.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderMap, Method};

/// A request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct ObservedRequest<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The matched route template, or the dialect's label value for requests that matched no route.
    pub route: &'a str,
    /// Headers of the request.
    pub request_headers: &'a HeaderMap,
    /// The status of the answer; 499 if the client left before there was one, 500 if the handler panicked.
    pub status: u16,
    /// Headers of the response.
    pub response_headers: &'a HeaderMap,
    /// Bytes of the response's body that were sent.
    pub response_bytes: u64,
    /// Time from the arrival of the request to the end of the response, rounded if the options say so.
    pub duration: Duration,
}

/// A function that is called with each request of a recorded route and its answer.
#[derive(Clone)]
pub(crate) struct Callback(Arc<dyn Fn(&ObservedRequest<'_>) + Send + Sync>);

impl Callback {
    pub(crate) fn new(function: impl Fn(&ObservedRequest<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(crate) fn call(&self, exchange: &ObservedRequest<'_>) {
        (self.0)(exchange);
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

/// What a request keeps until it ends, for exemplars and callbacks.
#[derive(Debug, Default)]
pub(crate) struct RequestExtras {
    pub(crate) trace: Option<[u8; 16]>,
    pub(crate) head: Option<Box<RequestHead>>,
}

/// What callbacks may read of a request that has ended.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) response: OnceLock<HeaderMap>,
}

impl RequestExtras {
    /// Keeps the headers of the answer, which callbacks may read.
    pub(crate) fn answered(&self, headers: &HeaderMap) {
        if let Some(head) = &self.head {
            let _first = head.response.set(headers.clone());
        }
    }
}

/// The id of the trace that a request belongs to. Put it into the request's extensions before the request reaches the
/// layer: with [`Builder::exemplars`](crate::Builder::exemplars) the page then has it beside the request's duration.
///
/// A clone allocates nothing.
#[derive(Clone)]
pub struct TraceId(pub(crate) Arc<RequestExtras>);

impl TraceId {
    /// Takes the 16 bytes of a W3C trace id.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Arc::new(RequestExtras {
            trace: Some(bytes),
            head: None,
        }))
    }

    /// The 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 16] {
        self.0.trace.unwrap_or_default()
    }
}

impl PartialEq for TraceId {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for TraceId {}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceId").field(&self.bytes()).finish()
    }
}
