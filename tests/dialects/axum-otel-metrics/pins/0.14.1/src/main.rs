//! An API by axum with axum-otel-metrics and OpenTelemetry's Prometheus exporter, in the variant that the environment names.

use std::{env, error::Error, time::Duration};

use axum::{
    extract::Path,
    http::{header::CONTENT_TYPE, StatusCode},
    routing::{get, post},
    Router,
};
use axum_otel_metrics::HttpMetricsLayerBuilder;
use opentelemetry_sdk::{metrics::SdkMeterProvider, Resource};
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::{net::TcpListener, time::sleep};

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

fn page(registry: &Registry) -> Result<String, prometheus::Error> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&registry.gather(), &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let variant = env::var("VARIANT")?;
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone());
    let exporter = match variant.as_str() {
        "no-scope" => exporter.without_scope_info().without_target_info(),
        "namespace" => exporter.with_namespace("shop"),
        _ => exporter,
    };
    let provider = SdkMeterProvider::builder()
        .with_reader(exporter.build()?)
        .with_resource(Resource::builder_empty().with_service_name("shop").build())
        .build();
    // The layer doesn't keep it, and it ends when nobody does.
    opentelemetry::global::set_meter_provider(provider);
    let layer = HttpMetricsLayerBuilder::new();
    let layer = match variant.as_str() {
        "default" | "no-scope" | "namespace" => layer,
        "buckets" => layer.with_duration_buckets(vec![0.1, 0.25, 0.5, 1.0, 2.5]),
        other => return Err(format!("VARIANT: {other} is not a variant").into()),
    };
    let text = [(CONTENT_TYPE, "text/plain; version=0.0.4")];
    let metrics = get(move || async move {
        page(&registry)
            .map(|page| (text, page))
            .map_err(|error| error.to_string())
    });
    let api = api().layer(layer.build()).route("/metrics", metrics);
    let address = format!("{}:{}", env::var("HOST")?, env::var("PORT")?);
    axum::serve(TcpListener::bind(address).await?, api).await?;
    Ok(())
}
