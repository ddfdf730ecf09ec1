//! Routes: one resource a file; here they are put together with what every request passes.
//!
//! From the outside in: request id and access log, HTTP metrics, panics, and for the API alone admission (phase, body
//! size, number of requests). Probes and metrics are not admitted: they always run, but analyses only a few at a time.
//!
//! To add an endpoint, add it to `endpoints()` in the file of its resource, beside its handler. To add a resource, add a
//! file with that function and a row of [`RESOURCES`]. Metrics, the OpenAPI document, the index and the reference page
//! follow; tests compare every answer of every other test with the document.

mod access;
mod admission;
mod analysis;
mod api_users;
mod body;
mod compute;
mod data;
mod demonstration;
mod docs;
mod endpoint;
mod fields;
mod health;
mod index;
mod insight;
mod items;
mod json_size;
mod legacy;
mod metrics;
pub mod openapi;
mod params;
mod products;
mod response_memory;
mod schemas;
mod users;

use std::sync::LazyLock;

use axum::{
    Router,
    http::{Method, StatusCode},
    middleware,
    response::{IntoResponse, Response},
};
use http_instrument::ErrorName;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use self::endpoint::{Endpoint, Treatment};
use crate::{
    error::{Problem, Slug},
    state::AppState,
    telemetry::{Metrics, logs::panic_text},
};

/// One file of endpoints.
struct Resource {
    /// One of [`TAGS`].
    tag: &'static str,
    /// Whether its endpoints are served only while metrics are, and can move to the metrics' own address.
    is_metrics: bool,
    endpoints: fn() -> Vec<Endpoint>,
}

impl Resource {
    const fn new(tag: &'static str, endpoints: fn() -> Vec<Endpoint>) -> Self {
        Self {
            tag,
            is_metrics: false,
            endpoints,
        }
    }

    const fn served_with_metrics(self) -> Self {
        Self {
            is_metrics: true,
            ..self
        }
    }
}

/// Headings of the document, in its order, each with what its endpoints are about.
const TAGS: &[(&str, &str)] = &[
    ("service", "What this is, its metrics and its documents"),
    ("health", "Probes"),
    ("insight", "What the service makes of its own metrics"),
    ("data", "Items with a category and a value"),
    ("products", "Products under ids that clients choose"),
    ("users", "Users, by two interfaces"),
    ("demonstration", "Routes that show what monitoring shows"),
];

/// All resources, in the order of the document: by tag.
const RESOURCES: &[Resource] = &[
    Resource::new("service", index::endpoints),
    Resource::new("service", metrics::endpoints).served_with_metrics(),
    Resource::new("service", openapi::endpoints),
    Resource::new("service", docs::endpoints),
    Resource::new("health", health::endpoints),
    Resource::new("insight", insight::endpoints).served_with_metrics(),
    Resource::new("data", data::endpoints),
    Resource::new("products", products::endpoints),
    Resource::new("users", users::endpoints),
    Resource::new("users", api_users::endpoints),
    Resource::new("demonstration", items::endpoints),
    Resource::new("demonstration", compute::endpoints),
    Resource::new("demonstration", legacy::endpoints),
    Resource::new("demonstration", demonstration::endpoints),
];

fn endpoints() -> impl Iterator<Item = Endpoint> {
    RESOURCES.iter().flat_map(|resource| (resource.endpoints)())
}

fn is_measured(endpoint: &Endpoint) -> bool {
    endpoint.treatment == Treatment::Api
}

fn row(endpoint: Endpoint) -> (Method, &'static str, StatusCode) {
    let success = endpoint.success();
    (endpoint.method, endpoint.path, success)
}

/// Templates of the routes whose requests are not measured.
#[must_use]
pub fn unmeasured() -> Vec<&'static str> {
    let unmeasured = endpoints().filter(|endpoint| !is_measured(endpoint));
    unmeasured.map(|endpoint| endpoint.path).collect()
}

/// Every method and route whose requests are measured, with its success status.
#[must_use]
pub fn measured() -> Vec<(Method, &'static str, StatusCode)> {
    endpoints().filter(is_measured).map(row).collect()
}

/// Every method and route of the service, with its success status.
#[must_use]
pub fn all() -> Vec<(Method, &'static str, StatusCode)> {
    endpoints().map(row).collect()
}

/// Whether a route is a probe's or a scrape's.
fn is_probe(route: &str) -> bool {
    static PROBES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let probes = endpoints().filter(|endpoint| endpoint.treatment == Treatment::Probe);
        probes.map(|endpoint| endpoint.path).collect()
    });
    PROBES.contains(&route)
}

/// Routes of these endpoints.
fn router(endpoints: impl Iterator<Item = Endpoint>) -> Router<AppState> {
    endpoints.fold(Router::new(), |router, endpoint| {
        router.route(endpoint.path, endpoint.handler)
    })
}

/// Routes of endpoints that are not admitted; the work of those that are no probe is bounded.
fn unadmitted(endpoints: impl Iterator<Item = Endpoint>, state: &AppState) -> Router<AppState> {
    let (probes, analyses): (Vec<_>, Vec<_>) = endpoints.partition(|endpoint| endpoint.treatment == Treatment::Probe);
    let analyses = router(analyses.into_iter());
    // axum refuses a layer around no route.
    let analyses = match analyses.has_routes() {
        true => analyses.layer(middleware::from_fn_with_state(state.clone(), analysis::bound)),
        false => analyses,
    };
    router(probes.into_iter()).merge(analyses)
}

/// The metrics page and what is served with it.
fn metrics_routes(state: &AppState) -> Router<AppState> {
    let resources = RESOURCES.iter().filter(|resource| resource.is_metrics);
    unadmitted(resources.flat_map(|resource| (resource.endpoints)()), state)
}

/// The whole service.
pub fn service(state: AppState) -> Router {
    service_with(state, Router::new())
}

/// The whole service, with more routes inside everything that a request passes. Tests add a handler that panics.
pub fn service_with(state: AppState, more: Router<AppState>) -> Router {
    let metrics = state.metrics().clone();
    let resources = RESOURCES.iter().filter(|resource| !resource.is_metrics);
    let (api, probes): (Vec<_>, Vec<_>) = resources
        .flat_map(|resource| (resource.endpoints)())
        .partition(is_measured);
    let admitted = router(api.into_iter())
        .merge(more)
        .layer(middleware::from_fn_with_state(state.clone(), admission::admit));
    let mut all = admitted.merge(unadmitted(probes.into_iter(), &state));
    if state.serves_metrics() {
        all = all.merge(metrics_routes(&state));
    }
    all = with_problems(all, &metrics).layer(middleware::from_fn_with_state(state.clone(), response_memory::bound));
    if metrics.enabled() {
        for (method, path, status) in measured() {
            metrics.http().expect(&method, path, &[status.as_u16()]);
        }
        all = all.layer(metrics.http().layer());
    }
    all.layer(middleware::from_fn_with_state(state.clone(), access::observe))
        .with_state(state)
}

/// Metrics and their analysis, for an address of their own. Requests of it do not count among the API's own.
pub fn metrics_service(state: AppState) -> Router {
    let metrics = state.metrics().clone();
    let routes = if metrics.enabled() {
        metrics_routes(&state)
    } else {
        Router::new()
    };
    with_problems(routes, &metrics)
        .layer(middleware::from_fn_with_state(state.clone(), response_memory::bound))
        .layer(middleware::from_fn_with_state(state.clone(), access::observe))
        .with_state(state)
}

/// A route that the index links to.
struct Link {
    /// The tag of its resource.
    tag: &'static str,
    path: &'static str,
    summary: &'static str,
}

/// Every `GET` that needs nothing but its path, with or without those of the metrics.
fn links(with_metrics: bool) -> impl Iterator<Item = Link> {
    let served = RESOURCES
        .iter()
        .filter(move |resource| with_metrics || !resource.is_metrics);
    served.flat_map(|resource| {
        let links = (resource.endpoints)().into_iter().filter(Endpoint::is_link);
        links.map(|endpoint| Link {
            tag: resource.tag,
            path: endpoint.path,
            summary: endpoint.summary,
        })
    })
}

/// Answers unknown routes, unknown methods and panics with a problem.
fn with_problems(routes: Router<AppState>, metrics: &Metrics) -> Router<AppState> {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(AnswerPanic(metrics.clone())))
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The compiler finds a row without a file.
    #[test]
    fn every_file_of_endpoints_has_one_row() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
        let mut files = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let file = if path.is_dir() {
                path.join("mod.rs")
            } else {
                path.clone()
            };
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&file).unwrap_or_default();
            if name == "mod" || !text.contains("fn endpoints()") {
                continue;
            }
            let rows = include_str!("mod.rs").matches(&format!(", {name}::endpoints)")).count();
            assert_eq!(rows, 1, "rows of RESOURCES in routes/mod.rs for {}", file.display());
            files += 1;
        }
        assert_eq!(files, RESOURCES.len());
    }

    #[test]
    fn resources_stand_in_the_order_of_their_tags() {
        let place = |resource: &Resource| TAGS.iter().position(|(tag, _)| *tag == resource.tag).unwrap();
        assert!(RESOURCES.is_sorted_by_key(place));
    }

    #[test]
    fn requests_with_metrics_are_never_measured() {
        for resource in RESOURCES.iter().filter(|resource| resource.is_metrics) {
            for endpoint in (resource.endpoints)() {
                assert!(!is_measured(&endpoint), "{}", endpoint.path);
            }
        }
    }
}
