//! Functions for axum: the page as a response, and the layer and the page added in one call.

use axum::{
    Router,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
};

use exposition::Format;

use crate::metrics::HttpMetrics;

/// Adds HTTP metrics to a router's routes, and `GET /metrics`. Call it after the routes are added.
///
/// ```
/// use axum::{Router, routing::get};
///
/// let app: Router = http_instrument::instrument(Router::new().route("/", get(|| async { "hello" })));
/// ```
pub fn instrument<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    HttpMetrics::default().instrument(router)
}

impl HttpMetrics {
    /// Adds these metrics to a router's routes, and the page at
    /// [`Builder::metrics_path`](crate::Builder::metrics_path). Call it after the routes are added. If the metrics are
    /// switched off, it changes nothing.
    pub fn instrument<S: Clone + Send + Sync + 'static>(&self, router: Router<S>) -> Router<S> {
        if !self.is_on() {
            return router;
        }
        let metrics = *self;
        router.layer(self.layer()).route(
            &self.registry.metrics_path,
            get(move |headers: HeaderMap| async move { metrics.respond(&headers) }),
        )
    }

    /// The page as a response, in the format that the request's Accept header prefers. `Vary` tells caches so.
    #[must_use]
    pub fn respond(&self, request_headers: &HeaderMap) -> Response {
        let accept = request_headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        let format = Format::negotiate(accept.unwrap_or_default());
        let headers = [(header::CONTENT_TYPE, format.content_type()), (header::VARY, "accept")];
        (headers, self.render(format)).into_response()
    }
}
