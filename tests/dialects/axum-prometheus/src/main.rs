//! An API by axum with axum-prometheus, in the variant that the environment names.

use std::{env, error::Error, time::Duration};

use axum::{
    extract::Path,
    http::StatusCode,
    routing::{get, post},
    Router,
};
use axum_prometheus::{EndpointLabel, PrometheusMetricLayerBuilder};
use tokio::{net::TcpListener, time::sleep};
use tower_http::catch_panic::CatchPanicLayer;

async fn crash() -> StatusCode {
    panic!("crash")
}

async fn slow() -> &'static str {
    sleep(Duration::from_millis(300)).await;
    "{}"
}

fn api() -> Router {
    Router::new()
        .route("/items/{id}", get(|Path(id): Path<u64>| async move { id.to_string() }))
        .route("/items", post(|| async { StatusCode::CREATED }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/crash", get(crash))
        .route("/slow", get(slow))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let variant = env::var("VARIANT")?;
    let layer = PrometheusMetricLayerBuilder::new();
    let mut api = api();
    let layer = match variant.as_str() {
        "default" => layer,
        "caught-panic" => {
            api = api.layer(CatchPanicLayer::new());
            layer
        }
        "prefixed" => layer.with_prefix("shop"),
        "body-size" => layer.enable_response_body_size(true),
        "exact-path" => layer.with_endpoint_label_type(EndpointLabel::Exact),
        "fallback-path" => {
            layer.with_endpoint_label_type(EndpointLabel::MatchedPathWithFallbackFn(|_| "unmatched".into()))
        }
        "grouped-path" => layer.with_group_patterns_as("/items", &["/items/{id}", "/items"]),
        other => return Err(format!("VARIANT: {other} is not a variant").into()),
    };
    let (layer, handle) = layer.with_default_metrics().build_pair();
    let api = api
        .route("/metrics", get(|| async move { handle.render() }))
        .layer(layer);
    let address = format!("{}:{}", env::var("HOST")?, env::var("PORT")?);
    axum::serve(TcpListener::bind(address).await?, api).await?;
    Ok(())
}
