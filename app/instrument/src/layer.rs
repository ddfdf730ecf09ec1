//! The tower layer: finds the request's series, and records into them when the request ends.
//!
//! axum instantiates a layer once for each endpoint and method, so an instance remembers what it found.

use std::{
    future::Future,
    pin::Pin,
    sync::{OnceLock, atomic::Ordering},
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower::{Layer, Service};

use crate::{
    HttpMetrics,
    body::{Meter, MeteredBody},
    endpoint::{Endpoint, InFlight, RequestTally},
    registry::{Found, Shared},
    verb::Verb,
};

/// Instances that remember. One is leaked for each endpoint and method of a router, so that no request counts
/// references. A router that is built again for every request (axum rebuilds one without `with_state`, axum#2586) would
/// leak for ever: beyond this number, instances look their series up.
const MAX_REMEMBERING_INSTANCES: usize = 4_096;
/// A GET instance serves GET and HEAD; one that is mounted under two paths serves each of them.
const REMEMBERED: usize = 4;
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

impl<S> Layer<S> for HttpMetricsLayer {
    type Service = Metered<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let shared = self.metrics.shared;
        let remembers = shared.instances.fetch_add(1, Ordering::Relaxed) < MAX_REMEMBERING_INSTANCES;
        let memory = remembers.then(|| &*Box::leak(Box::<Memory>::default()));
        Metered { inner, shared, memory }
    }
}

/// What an instance has found so far, in order of first use.
type Memory = [OnceLock<Remembered>; REMEMBERED];

#[derive(Debug)]
struct Remembered {
    verb: Verb,
    route: Option<Box<str>>,
    endpoint: Option<&'static Endpoint>,
}

/// A service with HTTP metrics.
#[derive(Debug, Clone)]
pub struct Metered<S> {
    inner: S,
    shared: &'static Shared,
    memory: Option<&'static Memory>,
}

impl<S> Metered<S> {
    /// The request's series; `None` if its route is excluded.
    #[inline]
    fn endpoint<B>(&self, request: &Request<B>) -> Option<&'static Endpoint> {
        let verb = Verb::of(request.method());
        let route = route_of(request.extensions());
        for slot in self.memory.into_iter().flatten() {
            let Some(known) = slot.get() else { break };
            if known.verb == verb && known.route.as_deref() == route {
                return known.endpoint;
            }
        }
        self.find(verb, route)
    }

    #[cold]
    fn find(&self, verb: Verb, route: Option<&str>) -> Option<&'static Endpoint> {
        let endpoint = match self.shared.find(verb, route) {
            Found::Refused(endpoint) => return Some(endpoint),
            Found::Recorded(endpoint) => Some(endpoint),
            Found::Excluded => None,
        };
        let mut found = Remembered {
            verb,
            route: route.map(Box::from),
            endpoint,
        };
        for slot in self.memory.into_iter().flatten() {
            match slot.set(found) {
                Ok(()) => break,
                Err(occupied) => found = occupied,
            }
        }
        endpoint
    }
}

fn route_of(extensions: &Extensions) -> Option<&str> {
    #[cfg(feature = "axum")]
    if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
        return Some(path.as_str());
    }
    extensions.get::<RouteTemplate>().map(|template| template.0)
}

impl<S, B, R> Service<Request<B>> for Metered<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: MeteredBody,
    R: MeteredBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = MeteredFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Some(endpoint) = self.endpoint(&request) else {
            return MeteredFuture {
                inner: self.inner.call(request),
                request: None,
            };
        };
        // Before the inner call, which may panic.
        let mut in_flight = InFlight::start(endpoint);
        in_flight.running();
        let request = if self.shared.body_sizes {
            meter_request(endpoint, request)
        } else {
            request
        };
        let inner = self.inner.call(request);
        in_flight.waiting();
        MeteredFuture {
            inner,
            request: Some(in_flight),
        }
    }
}

#[inline]
fn meter_request<B: MeteredBody>(endpoint: &'static Endpoint, request: Request<B>) -> Request<B> {
    match request.body().size_hint().exact() {
        Some(bytes) => {
            endpoint.record_request_size(bytes);
            request
        }
        None => request.map(|body| body.metered(Meter::request(RequestTally { endpoint, bytes: 0 }))),
    }
}

pin_project_lite::pin_project! {
    /// The future of [`Metered`].
    #[derive(Debug)]
    pub struct MeteredFuture<F> {
        #[pin]
        inner: F,
        request: Option<InFlight>,
    }
}

impl<F, R, E> Future for MeteredFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: MeteredBody,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(request) = this.request {
            request.running();
        }
        let Poll::Ready(result) = this.inner.poll(context) else {
            if let Some(request) = this.request {
                request.waiting();
            }
            return Poll::Pending;
        };
        let Some(mut request) = this.request.take() else {
            return Poll::Ready(result);
        };
        Poll::Ready(match result {
            Ok(response) => {
                request.answered(response.status().as_u16());
                Ok(meter_response(request, response))
            }
            // Counts as 500, as it is marked while it runs.
            Err(error) => Err(error),
        })
    }
}

#[inline]
fn meter_response<R: MeteredBody>(mut request: InFlight, response: Response<R>) -> Response<R> {
    if request.endpoint().verb == Verb::Head {
        // The body that a GET would have is cut off after this layer: nothing is sent.
        return response;
    }
    match response.body().size_hint().exact() {
        Some(bytes) if bytes <= SMALL_BODY_BYTES => {
            request.add_response_bytes(bytes);
            response
        }
        Some(_) | None => response.map(|body| body.metered(Meter::response(request))),
    }
}
