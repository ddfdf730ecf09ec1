//! Routes: one resource a file; here they are put together with what every request passes.
//!
//! From the outside in: request id and access log, HTTP metrics, panics, and for the API alone admission (phase, body
//! size, number of requests). Probes and metrics are not admitted, they always run.

mod admission;
mod api_users;
mod body;
mod compute;
mod data;
mod demonstration;
mod docs;
mod fields;
mod health;
mod index;
mod insight;
mod items;
mod legacy;
mod metrics;
pub mod openapi;
mod params;
mod products;
mod users;

use axum::{
    Router,
    http::{Method, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http_instrument::ErrorName;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::{
    error::{Problem, Slug},
    state::AppState,
    telemetry::{Metrics, access, logs::panic_text},
};

/// Routes of a resource, and what each method answers when all is well.
#[derive(Debug, Default)]
pub(crate) struct Resource {
    router: Router<AppState>,
    documented: Vec<(Method, &'static str, StatusCode)>,
}

impl Resource {
    /// Adds a route. Its metrics exist from the start for what is documented here.
    fn at(mut self, path: &'static str, documented: &[(Method, StatusCode)], handlers: MethodRouter<AppState>) -> Self {
        self.router = self.router.route(path, handlers);
        self.documented.extend(
            documented
                .iter()
                .map(|(method, status)| (method.clone(), path, *status)),
        );
        self
    }

    fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.documented.extend(other.documented);
        self
    }
}

fn api() -> Resource {
    index::resource()
        .and(data::resource())
        .and(products::resource())
        .and(users::resource())
        .and(items::resource())
        .and(api_users::resource())
        .and(demonstration::resource())
        .and(compute::resource())
        .and(legacy::resource())
        .and(openapi::resource())
        .and(docs::resource())
}

/// Routes that are never refused, and whose requests are not measured.
fn open() -> Resource {
    health::resource().and(analysis())
}

/// The metrics page and what the service makes of it.
fn analysis() -> Resource {
    metrics::resource().and(insight::resource())
}

/// Whether a route is there only while metrics are on.
fn is_metrics(path: &str) -> bool {
    analysis().documented.iter().any(|(_, route, _)| *route == path)
}

/// Templates of the routes whose requests are not measured.
#[must_use]
pub fn unmeasured() -> Vec<&'static str> {
    open().documented.into_iter().map(|(_, route, _)| route).collect()
}

/// Every documented method, route and success status of the API.
#[must_use]
pub fn documented() -> Vec<(Method, &'static str, StatusCode)> {
    api().documented
}

/// Every method and route of the service, with its success status.
#[must_use]
pub fn all() -> Vec<(Method, &'static str, StatusCode)> {
    api().and(open()).documented
}

/// The whole service.
pub fn service(state: AppState) -> Router {
    service_with(state, Router::new())
}

/// The whole service, with more routes inside everything that a request passes. Tests add a handler that panics.
pub fn service_with(state: AppState, more: Router<AppState>) -> Router {
    let metrics = state.metrics().clone();
    let api = api();
    let admitted = api
        .router
        .merge(more)
        .layer(middleware::from_fn_with_state(state.clone(), admission::admit));
    let mut all = admitted.merge(health::resource().router);
    if state.serves_metrics() {
        all = all.merge(analysis().router);
    }
    all = answering_faults(all, &metrics);
    if metrics.enabled() {
        for (method, path, status) in &api.documented {
            metrics.http().expect(method, path, &[status.as_u16()]);
        }
        all = all.layer(metrics.http().layer());
    }
    all.layer(middleware::from_fn_with_state(state.clone(), access::observe))
        .with_state(state)
}

/// Metrics and their analysis, for an address of their own. What they cost and fail is not among the API's own figures.
pub fn metrics_service(state: AppState) -> Router {
    let metrics = state.metrics().clone();
    let routes = if metrics.enabled() {
        analysis().router
    } else {
        Router::new()
    };
    answering_faults(routes, &metrics)
        .layer(middleware::from_fn_with_state(state.clone(), access::observe))
        .with_state(state)
}

/// Answers what no route answers, and panics.
fn answering_faults(routes: Router<AppState>, metrics: &Metrics) -> Router<AppState> {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(AnswerPanic(metrics.clone())))
}

/// Whether a route is a probe's or a scrape's.
#[must_use]
pub fn is_probe(route: &str) -> bool {
    http_instrument::DEFAULT_EXCLUDED.contains(&route)
}

async fn no_such_route() -> Problem {
    Problem::new(Slug::NotFound, "There is no such route; GET / lists them")
}

async fn no_such_method() -> Problem {
    Problem::new(
        Slug::MethodNotAllowed,
        "This route has no such method; the header Allow lists them",
    )
}

/// Answers 500 for a handler that panicked. The panic hook has logged why.
#[derive(Clone)]
struct AnswerPanic(Metrics);

impl ResponseForPanic for AnswerPanic {
    type ResponseBody = axum::body::Body;

    fn response_for_panic(&mut self, payload: Box<dyn std::any::Any + Send + 'static>) -> Response {
        self.0.panics().increment();
        tracing::debug!(reason = panic_text(payload.as_ref()), "answered a panic");
        let mut response = Problem::internal().into_response();
        response.extensions_mut().insert(ErrorName::PANIC);
        response
    }
}
