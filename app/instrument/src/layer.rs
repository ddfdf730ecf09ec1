//! The tower layer: finds the request's series, and records into them when the request ends.
//!
//! axum instantiates a layer once for each endpoint and method, so an instance has_cache what it found.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, atomic::Ordering},
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower::{Layer, Service};

use crate::{
    body::{BodyGuard, MeasureBody},
    endpoint::{Endpoint, InFlightGuard, RequestBodyGuard},
    method_label::MethodLabel,
    metrics::HttpMetrics,
    nested_route::NestedRoute,
    observed_request::{RequestExtras, RequestHead, TraceId},
    recording::Recording,
    registry::{Lookup, Registry},
};

/// Instances that remember. One is leaked for each endpoint and method of a router, so that no request counts
/// references. A router that is built again for every request (axum rebuilds one without `with_state`, axum#2586) would
/// leak for ever: beyond this number, instances look their series up.
const MAX_CACHES: usize = 4_096;
/// A GET instance serves GET and HEAD; one that is mounted under two paths serves each of them.
const CACHE_SLOTS: usize = 4;
/// Bodies up to this exact size end with their head: they fit a socket's send buffer, so watching them costs more than
/// it tells.
const SMALL_BODY_BYTES: u64 = 64 * 1024;

/// The route template of a request that axum did not route; put it into the request's extensions before the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteTemplate(
    /// The template, such as `/users/{id}`.
    pub &'static str,
);

/// Adds HTTP metrics to a service. From [`HttpMetrics::layer`].
#[derive(Debug, Clone, Copy)]
pub struct HttpMetricsLayer {
    pub(crate) metrics: HttpMetrics,
}

impl HttpMetrics {
    /// The tower layer. Give it to `Router::layer` after the routes are added, so that it sees the matched route.
    #[must_use]
    pub fn layer(&self) -> HttpMetricsLayer {
        HttpMetricsLayer { metrics: *self }
    }
}

impl<S> Layer<S> for HttpMetricsLayer {
    type Service = HttpMetricsService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let registry = self.metrics.registry;
        let has_cache = registry.instances.fetch_add(1, Ordering::Relaxed) < MAX_CACHES;
        let cache = has_cache.then(|| &*Box::leak(Box::<EndpointCache>::default()));
        HttpMetricsService { inner, registry, cache }
    }
}

/// What an instance has found so far, in order of first use.
type EndpointCache = [OnceLock<CachedEndpoint>; CACHE_SLOTS];

#[derive(Debug)]
struct CachedEndpoint {
    method: MethodLabel,
    extra_label: u8,
    route: Option<&'static str>,
    endpoint: Option<&'static Endpoint>,
}

/// A service with HTTP metrics.
#[derive(Debug, Clone)]
pub struct HttpMetricsService<S> {
    inner: S,
    registry: &'static Registry,
    cache: Option<&'static EndpointCache>,
}

impl<S> HttpMetricsService<S> {
    /// The request's series; `None` if its route is excluded.
    #[inline]
    fn endpoint<B>(&self, method: MethodLabel, request: &Request<B>) -> Option<&'static Endpoint> {
        let extra_label = self.registry.recording.extra_label.of(request);
        let route = route_of(request.extensions());
        if let Some(cache) = self.cache {
            for slot in cache {
                let Some(cached) = slot.get() else { break };
                if cached.is(method, extra_label, route) {
                    return cached.endpoint;
                }
            }
        }
        self.find(method, extra_label, route, request.extensions())
    }

    /// `extensions`: where the route is from.
    #[cold]
    fn find(
        &self,
        method: MethodLabel,
        extra_label: u8,
        route: Option<&str>,
        extensions: &Extensions,
    ) -> Option<&'static Endpoint> {
        let nested = match route {
            Some(_) => NestedRoute::NotNested,
            None => NestedRoute::of(extensions),
        };
        let endpoint = match self.registry.find(method, extra_label, route.or_else(|| nested.path())) {
            Lookup::OverLimit(endpoint) => return Some(endpoint),
            Lookup::Recorded(endpoint) => Some(endpoint),
            Lookup::Excluded => None,
        };
        if nested.may_change() {
            return endpoint;
        }
        for slot in self.cache.into_iter().flatten() {
            let cached = slot.get_or_init(|| CachedEndpoint {
                method,
                extra_label,
                route: leaked_route(extensions),
                endpoint,
            });
            // Else another thread has remembered something a moment ago, or somebody long before.
            if cached.is(method, extra_label, route) {
                break;
            }
        }
        endpoint
    }
}

impl CachedEndpoint {
    #[inline]
    fn is(&self, method: MethodLabel, extra_label: u8, route: Option<&str>) -> bool {
        let is_route = match (self.route, route) {
            // A router gives every request the same text, so its address mostly suffices.
            (Some(cached), Some(route)) => std::ptr::eq(cached, route) || cached == route,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.method == method && self.extra_label == extra_label && is_route
    }
}

/// What the request carries to its end.
#[cold]
fn request_extras<B>(recording: &Recording, request: &Request<B>) -> Option<Arc<RequestExtras>> {
    let trace = request.extensions().get::<TraceId>().filter(|_| recording.exemplars);
    if recording.callbacks.is_empty() {
        return trace.map(|trace| Arc::clone(&trace.0));
    }
    let head = RequestHead {
        method: request.method().clone(),
        headers: request.headers().clone(),
        response: OnceLock::new(),
    };
    Some(Arc::new(RequestExtras {
        trace: trace.map(TraceId::bytes),
        head: Some(Box::new(head)),
    }))
}

#[inline]
fn route_of(extensions: &Extensions) -> Option<&str> {
    #[cfg(feature = "axum")]
    if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
        return Some(path.as_str());
    }
    extensions.get::<RouteTemplate>().map(|template| template.0)
}

/// The same, leaked: not a copy, but the text at its address.
fn leaked_route(extensions: &Extensions) -> Option<&'static str> {
    #[cfg(feature = "axum")]
    if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
        return Some(Box::leak(Box::new(path.clone())).as_str());
    }
    extensions.get::<RouteTemplate>().map(|template| template.0)
}

impl<S, B, R> Service<Request<B>> for HttpMetricsService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: MeasureBody,
    R: MeasureBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let method = MethodLabel::of(request.method());
        let in_flight = self.endpoint(method, &request).map(|endpoint| {
            let bytes = request.body().size_hint().exact();
            if bytes.is_none() && self.registry.recording.body_sizes {
                request
                    .body_mut()
                    .meter(BodyGuard::request(RequestBodyGuard { endpoint, bytes: 0 }));
            }
            let extras = if self.registry.recording.has_extras {
                request_extras(&self.registry.recording, &request)
            } else {
                None
            };
            // Before the inner call, which may panic.
            InFlightGuard::start(endpoint, method == MethodLabel::Head, bytes, extras)
        });
        let mut future = ResponseFuture {
            inner: self.inner.call(request),
            in_flight,
        };
        if let Some(in_flight) = &mut future.in_flight {
            in_flight.waiting();
        }
        future
    }
}

pin_project_lite::pin_project! {
    /// The future of [`HttpMetricsService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        in_flight: Option<InFlightGuard>,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: MeasureBody,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(in_flight) = this.in_flight else {
            return this.inner.poll(context);
        };
        in_flight.running();
        let mut polled = this.inner.poll(context);
        match &mut polled {
            Poll::Pending => {
                in_flight.waiting();
                return polled;
            }
            // Looked at where it is: a response is large, and moving it costs more than recording it.
            Poll::Ready(Ok(response)) => {
                in_flight.answered(response);
                match size_sent(in_flight, response) {
                    Some(bytes) => in_flight.add_response_bytes(bytes),
                    // It goes on after its head, and takes the in_flight with it.
                    None => {
                        if let Some(in_flight) = this.in_flight.take() {
                            response.body_mut().meter(BodyGuard::response(in_flight));
                        }
                    }
                }
            }
            Poll::Ready(Err(_)) => in_flight.failed(),
        }
        *this.in_flight = None;
        polled
    }
}

/// The size of a response's body, if it ends with its head.
#[inline]
fn size_sent<R: MeasureBody>(in_flight: &InFlightGuard, response: &Response<R>) -> Option<u64> {
    if in_flight.is_head_request() {
        // The body that a GET would have is cut off after this layer: nothing is sent.
        return Some(0);
    }
    response
        .body()
        .size_hint()
        .exact()
        .filter(|bytes| *bytes <= SMALL_BODY_BYTES)
}
