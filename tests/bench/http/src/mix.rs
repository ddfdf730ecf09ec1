//! The router and the requests: twenty routes, with errors, paths that match nothing, and bodies.

use axum::{
    Json, Router,
    body::Body,
    extract::Path,
    http::{Method, Request, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use axum_prometheus::{EndpointLabel, PrometheusMetricLayerBuilder};
use http_body_util::BodyExt as _;
use http_instrument::HttpMetrics;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

use crate::peers::{Empty, Lookups};

const ROUTES: usize = 20;
/// Requests until the mix begins again.
const PERIOD: usize = 320;

/// What stands around the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layered {
    Bare,
    Empty,
    Instrument,
    PrometheusLookups,
    AxumPrometheus,
}

impl Layered {
    pub const ALL: [Self; 5] = [
        Self::Bare,
        Self::Empty,
        Self::Instrument,
        Self::PrometheusLookups,
        Self::AxumPrometheus,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Empty => "empty",
            Self::Instrument => "http-instrument",
            Self::PrometheusLookups => "prometheus",
            Self::AxumPrometheus => "axum-prometheus",
        }
    }

    /// Built once, as a server does: axum builds the layers of a router without `with_state` again for each request.
    pub fn router(self) -> Router {
        let router = router();
        let router = match self {
            Self::Bare => router,
            Self::Empty => router.layer(Empty),
            Self::Instrument => router.layer(HttpMetrics::default().layer()),
            Self::PrometheusLookups => router.layer(Lookups::default()),
            Self::AxumPrometheus => {
                let (layer, _handle) = PrometheusMetricLayerBuilder::new()
                    .with_endpoint_label_type(EndpointLabel::MatchedPath)
                    .with_default_metrics()
                    .build_pair();
                router.layer(layer)
            }
        };
        router.with_state(())
    }
}

fn router() -> Router {
    (0..ROUTES).fold(Router::new(), |router, route| {
        let path = format!("/api/v1/resource{route}/{{id}}");
        router.route(&path, get(read).post(write))
    })
}

async fn read(Path(id): Path<usize>) -> Response {
    match id % 32 {
        7 => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        23 => (StatusCode::NOT_FOUND, Json(["no such resource"])).into_response(),
        _ => Json([1, 2, 3]).into_response(),
    }
}

async fn write(body: Body) -> StatusCode {
    match body.collect().await {
        Ok(_) => StatusCode::CREATED,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

/// One request of the mix.
struct Planned {
    method: Method,
    uri: Uri,
    body: &'static str,
}

/// Of 32 requests one is answered 500, one 404 by its handler, one matches no route, and five have a body.
fn planned(n: usize) -> Planned {
    const BODY: &str = r#"{"name":"a name of some length","category":"tools","value":17.25,"active":true}"#;
    let route = n % ROUTES;
    let (method, path, body) = match n % 32 {
        3 | 9 | 15 | 21 | 27 => (Method::POST, format!("/api/v1/resource{route}/{n}"), BODY),
        31 => (Method::GET, format!("/wp-admin/{n}"), ""),
        _ => (Method::GET, format!("/api/v1/resource{route}/{n}"), ""),
    };
    Planned {
        method,
        uri: Uri::try_from(path).unwrap_or_default(),
        body,
    }
}

/// A runtime with timers, which axum-prometheus needs.
pub fn runtime() -> Runtime {
    match Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("tokio does not start: {error}"),
    }
}

/// Sends so many requests of the mix, one after another, and reads their answers.
pub async fn send(app: &Router, requests: usize) {
    let mix: Vec<_> = (0..PERIOD).map(planned).collect();
    for planned in mix.iter().cycle().take(requests) {
        let mut request = Request::new(Body::from(planned.body));
        *request.method_mut() = planned.method.clone();
        *request.uri_mut() = planned.uri.clone();
        let Ok(response) = app.clone().oneshot(request).await;
        drop(response.into_body().collect().await);
    }
}
