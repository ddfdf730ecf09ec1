//! The tower layer: finds the request's series, and records into them when the request ends.
//!
//! axum makes one service from the layer for each route and method, so each service caches the few endpoints that its
//! requests are recorded into.

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

/// How many services may have an [`EndpointCache`]. Each cache is leaked, one for each route and method of a router, so
/// that no request clones an `Arc`. A router that is built again for every request (axum rebuilds one without
/// `with_state`, axum#2586) would leak without end, so services beyond this number have no cache and look the endpoint
/// up in the registry for each request.
const MAX_CACHES: usize = 4_096;
/// Slots of an endpoint cache. Four are enough: a GET service also serves HEAD, and it may be mounted under two paths.
const CACHE_SLOTS: usize = 4;
/// A response whose body has a known size of at most this many bytes is recorded as finished when its head is ready.
/// Such a body fits into a socket's send buffer, so metering it would cost more than the difference is worth.
const SMALL_BODY_BYTES: u64 = 64 * 1024;

/// The route template of a request that axum did not route. Put it into the request's extensions before the request
/// reaches the layer.
///
/// ```
/// use http_instrument::RouteTemplate;
///
/// let mut request = http::Request::get("/users/7").body(())?;
/// request.extensions_mut().insert(RouteTemplate("/users/{id}"));
/// # Ok::<(), http::Error>(())
/// ```
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
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use http_instrument::{Format, HttpMetrics};
    ///
    /// let metrics = HttpMetrics::default();
    /// let app: Router = Router::new()
    ///     .route("/users/{id}", get(|| async { "Ada" }))
    ///     .layer(metrics.layer())
    ///     .route("/metrics", get(move || async move { metrics.render(Format::Text) }));
    /// ```
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

/// The endpoints that a service has recorded into, in the order of their first use.
type EndpointCache = [OnceLock<CachedEndpoint>; CACHE_SLOTS];

/// The method, extra label and route of a request, and the endpoint that such requests are recorded into.
#[derive(Debug)]
struct CachedEndpoint {
    method: MethodLabel,
    /// An index into the values of [`ExtraLabel`](crate::extra_label::ExtraLabel).
    extra_label: u8,
    route: Option<&'static str>,
    /// `None` if the route is excluded.
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
    /// The endpoint that the request is recorded into; `None` if its route is excluded.
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

    /// Counts the start of a request. The guard starts before the inner call, so that it also records a panic in that
    /// call.
    #[inline]
    fn start<B: MeasureBody>(
        &self,
        endpoint: &'static Endpoint,
        method: MethodLabel,
        request: &mut Request<B>,
    ) -> InFlightGuard {
        let bytes = exact_size(request.body());
        if bytes.is_none() && self.registry.recording.body_sizes {
            request
                .body_mut()
                .meter(BodyGuard::request(RequestBodyGuard { endpoint, bytes: 0 }));
        }
        let extras = match self.registry.recording.has_extras {
            true => request_extras(&self.registry.recording, request),
            false => None,
        };
        InFlightGuard::start(endpoint, method, bytes, extras)
    }

    /// Looks the endpoint up in the registry and caches it. Takes the request's `extensions` beside `route`, because a
    /// cached route has to be leaked from them.
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
            // Not cached: a later request may find room.
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
            // If it is not this endpoint, the slot was taken before, maybe by another thread just now: try the next
            // slot.
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
        if self.method != method || self.extra_label != extra_label {
            return false;
        }
        match (self.route, route) {
            // A router gives every request the same text, so comparing its address is mostly enough.
            (Some(cached), Some(route)) => {
                cached.len() == route.len() && (cached.as_ptr() == route.as_ptr() || cached == route)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// What exemplars and callbacks need when the request ends; `None` if they need nothing of it.
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

/// Does the same as [`route_of`], but the text lives as long as the process. It leaks a handle to the router's own text
/// rather than a copy of it, so that its address stays equal to that of later requests (see [`CachedEndpoint::is`]).
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
        // One call of the service and one place where the future is made: with two the compiler would copy both.
        let in_flight = match self.endpoint(method, &request) {
            Some(endpoint) => self.start(endpoint, method, &mut request),
            None => InFlightGuard::NONE,
        };
        let inner = self.inner.call(request);
        ResponseFuture {
            inner,
            in_flight: in_flight.for_future(),
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`HttpMetricsService`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        in_flight: InFlightGuard,
        #[pin]
        inner: F,
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
        let in_flight = this.in_flight;
        in_flight.mark_running();
        let mut polled = this.inner.poll(context);
        match &mut polled {
            Poll::Pending => in_flight.mark_waiting(),
            Poll::Ready(Ok(response)) => record_answer(in_flight, response),
            Poll::Ready(Err(_)) => {
                in_flight.record_error();
                in_flight.record_now();
            }
        }
        polled
    }
}

/// Records the request, or leaves that to the end of the response's body. The response is borrowed and not moved, and
/// the function not inlined: a response is large, and copying it would cost more than recording it does.
#[inline(never)]
fn record_answer<R: MeasureBody>(in_flight: &mut InFlightGuard, response: &mut Response<R>) {
    if !in_flight.is_armed() {
        return;
    }
    in_flight.record_response(response);
    match size_sent(in_flight, response) {
        Some(bytes) => in_flight.record_sent(bytes),
        // The body is still to be sent: the guard moves into it, and records when the body ends.
        None => {
            let in_flight = std::mem::replace(in_flight, InFlightGuard::NONE);
            response.body_mut().meter(BodyGuard::response(in_flight));
        }
    }
}

/// The size of a body if it is known. Most requests have none, which is cheaper to ask.
#[inline]
fn exact_size<B: MeasureBody>(body: &B) -> Option<u64> {
    match body.is_end_stream() {
        true => Some(0),
        false => body.size_hint().exact(),
    }
}

/// The bytes of a response's body if the response is recorded when its head is ready; `None` if its body is metered.
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
