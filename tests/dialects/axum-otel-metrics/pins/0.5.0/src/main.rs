//! An API by axum with axum-otel-metrics of the time when it had an exporter of its own, in the variant that the environment names.

use std::{env, error::Error, time::Duration};

use axum::{
    extract::Path,
    http::StatusCode,
    routing::{get, post},
    Router,
};
use axum_otel_metrics::HttpMetricsLayerBuilder;
use tokio::time::sleep;

async fn crash() -> StatusCode {
    panic!("crash")
}

async fn slow() -> &'static str {
    sleep(Duration::from_millis(300)).await;
    "{}"
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let layer = HttpMetricsLayerBuilder::new().with_service_name("shop".to_owned());
    let layer = match env::var("VARIANT")?.as_str() {
        "default" => layer,
        "prefixed" => layer.with_prefix("shop".to_owned()),
        other => return Err(format!("VARIANT: {other} is not a variant").into()),
    };
    let layer = layer.build();
    let api = Router::new()
        .merge(layer.routes())
        .route("/items/:id", get(|Path(id): Path<u64>| async move { id.to_string() }))
        .route("/items", post(|| async { StatusCode::CREATED }))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/crash", get(crash))
        .route("/slow", get(slow))
        .layer(layer);
    let address = format!("{}:{}", env::var("HOST")?, env::var("PORT")?);
    axum::Server::bind(&address.parse()?)
        .serve(api.into_make_service())
        .await?;
    Ok(())
}
