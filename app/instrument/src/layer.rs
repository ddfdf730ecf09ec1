//! The tower layer: finds the request's series, and records into them when the request ends.
//!
//! axum instantiates a layer once for each endpoint and method, so an instance remembers what it found.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, atomic::Ordering},
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower::{Layer, Service};

use crate::{
    HttpMetrics,
    body::{Meter, MeteredBody},
    endpoint::{Endpoint, InFlight, RequestTally},
    exchange::{Extra, Head, TraceId},
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
    variant: u8,
    route: Option<&'static str>,
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
    fn endpoint<B>(&self, verb: Verb, request: &Request<B>) -> Option<&'static Endpoint> {
        let variant = self.shared.variants.of(request);
        let route = route_of(request.extensions());
        if let Some(memory) = self.memory {
            for slot in memory {
                let Some(known) = slot.get() else { break };
                if known.is(verb, variant, route) {
                    return known.endpoint;
                }
            }
        }
        self.find(verb, variant, route, request.extensions())
    }

    /// `extensions`: where the route is from.
    #[cold]
    fn find(&self, verb: Verb, variant: u8, route: Option<&str>, extensions: &Extensions) -> Option<&'static Endpoint> {
        let endpoint = match self.shared.find(verb, variant, route) {
            Found::Refused(endpoint) => return Some(endpoint),
            Found::Recorded(endpoint) => Some(endpoint),
            Found::Excluded => None,
        };
        for slot in self.memory.into_iter().flatten() {
            let known = slot.get_or_init(|| Remembered {
                verb,
                variant,
                route: kept(extensions),
                endpoint,
            });
            // Else another thread has remembered something a moment ago, or somebody long before.
            if known.is(verb, variant, route) {
                break;
            }
        }
        endpoint
    }
}

impl Remembered {
    #[inline]
    fn is(&self, verb: Verb, variant: u8, route: Option<&str>) -> bool {
        let is_route = match (self.route, route) {
            // A router gives every request the same text, so its address mostly suffices.
            (Some(known), Some(route)) => std::ptr::eq(known, route) || known == route,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.verb == verb && self.variant == variant && is_route
    }
}

/// What the request carries to its end.
#[cold]
fn carried<B>(shared: &Shared, request: &Request<B>) -> Option<Arc<Extra>> {
    let trace = request.extensions().get::<TraceId>().filter(|_| shared.exemplars);
    if shared.functions.is_empty() {
        return trace.map(|trace| Arc::clone(&trace.0));
    }
    let head = Head {
        method: request.method().clone(),
        headers: request.headers().clone(),
        response: OnceLock::new(),
    };
    Some(Arc::new(Extra {
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
fn kept(extensions: &Extensions) -> Option<&'static str> {
    #[cfg(feature = "axum")]
    if let Some(path) = extensions.get::<axum::extract::MatchedPath>() {
        return Some(Box::leak(Box::new(path.clone())).as_str());
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
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let verb = Verb::of(request.method());
        let in_flight = self.endpoint(verb, &request).map(|endpoint| {
            let bytes = request.body().size_hint().exact();
            if bytes.is_none() && self.shared.body_sizes {
                request
                    .body_mut()
                    .meter(Meter::request(RequestTally { endpoint, bytes: 0 }));
            }
            let extra = if self.shared.carries {
                carried(self.shared, &request)
            } else {
                None
            };
            // Before the inner call, which may panic.
            InFlight::start(endpoint, verb == Verb::Head, bytes, extra)
        });
        let mut future = MeteredFuture {
            inner: self.inner.call(request),
            request: in_flight,
        };
        if let Some(request) = &mut future.request {
            request.waiting();
        }
        future
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
        let Some(request) = this.request else {
            return this.inner.poll(context);
        };
        request.running();
        let mut polled = this.inner.poll(context);
        match &mut polled {
            Poll::Pending => {
                request.waiting();
                return polled;
            }
            // Looked at where it is: a response is large, and moving it costs more than recording it.
            Poll::Ready(Ok(response)) => {
                request.answered(response);
                match size_sent(request, response) {
                    Some(bytes) => request.add_response_bytes(bytes),
                    // It goes on after its head, and takes the request with it.
                    None => {
                        if let Some(request) = this.request.take() {
                            response.body_mut().meter(Meter::response(request));
                        }
                    }
                }
            }
            Poll::Ready(Err(_)) => request.failed(),
        }
        *this.request = None;
        polled
    }
}

/// The size of a response's body, if it ends with its head.
#[inline]
fn size_sent<R: MeteredBody>(request: &InFlight, response: &Response<R>) -> Option<u64> {
    if request.is_head() {
        // The body that a GET would have is cut off after this layer: nothing is sent.
        return Some(0);
    }
    response
        .body()
        .size_hint()
        .exact()
        .filter(|bytes| *bytes <= SMALL_BODY_BYTES)
}
