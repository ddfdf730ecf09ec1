//! Layers to compare with: one that does nothing, and one that looks each series up by its labels.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    response::Response,
};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};
use tower::{Layer, Service};

/// A layer that does nothing: what axum charges for any.
#[derive(Clone)]
pub struct Empty;

#[derive(Clone)]
pub struct Through<S>(S);

impl<S> Layer<S> for Empty {
    type Service = Through<S>;

    fn layer(&self, inner: S) -> Through<S> {
        Through(inner)
    }
}

impl<R, S: Service<R>> Service<R> for Through<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

/// The `prometheus` crate as its documentation shows it: `with_label_values` for each request.
#[derive(Clone)]
pub struct Lookups {
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
}

const LABELS: [&str; 3] = ["method", "route", "status"];

impl Default for Lookups {
    fn default() -> Self {
        let made = (|| {
            let requests = IntCounterVec::new(Opts::new("http_requests_total", "Requests"), &LABELS)?;
            let options = HistogramOpts::new("http_request_duration_seconds", "Durations");
            let durations = HistogramVec::new(options, &["method", "route"])?;
            let in_flight = IntGauge::new("http_requests_in_progress", "Requests in flight")?;
            let registry = Registry::new();
            registry.register(Box::new(requests.clone()))?;
            registry.register(Box::new(durations.clone()))?;
            registry.register(Box::new(in_flight.clone()))?;
            Ok::<_, prometheus::Error>(Self {
                requests,
                durations,
                in_flight,
            })
        })();
        match made {
            Ok(lookups) => lookups,
            Err(error) => panic!("the metrics cannot be made: {error}"),
        }
    }
}

impl<S> Layer<S> for Lookups {
    type Service = LookupService<S>;

    fn layer(&self, inner: S) -> LookupService<S> {
        LookupService {
            inner,
            metrics: self.clone(),
        }
    }
}

#[derive(Clone)]
pub struct LookupService<S> {
    inner: S,
    metrics: Lookups,
}

impl<S> Service<Request> for LookupService<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    S::Error: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let metrics = self.metrics.clone();
        let method = request.method().clone();
        let path = request.extensions().get::<MatchedPath>().cloned();
        let started = Instant::now();
        metrics.in_flight.inc();
        let answer = self.inner.call(request);
        Box::pin(async move {
            let response = answer.await?;
            let route = path.as_ref().map_or("unmatched", MatchedPath::as_str);
            let status = response.status();
            let labels = [method.as_str(), route, status.as_str()];
            metrics.requests.with_label_values(&labels).inc();
            let durations = metrics.durations.with_label_values(&[method.as_str(), route]);
            durations.observe(started.elapsed().as_secs_f64());
            metrics.in_flight.dec();
            Ok(response)
        })
    }
}
