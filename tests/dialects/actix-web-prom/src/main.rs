//! An API by actix-web with actix-web-prom, in the variant that the environment names.

use std::{collections::HashMap, env, error::Error, time::Duration};

use actix_web::{
    rt::time::sleep,
    web::{self, get, post},
    App, HttpResponse, HttpServer,
};
use actix_web_prom::{ActixMetricsConfiguration, LabelsConfiguration, PrometheusMetricsBuilder};

async fn item(id: web::Path<u64>) -> HttpResponse {
    HttpResponse::Ok().body(id.to_string())
}

async fn crash() -> HttpResponse {
    panic!("crash")
}

async fn slow() -> HttpResponse {
    sleep(Duration::from_millis(300)).await;
    HttpResponse::Ok().body("{}")
}

/// The options of each variant.
fn options(variant: &str) -> Result<PrometheusMetricsBuilder, Box<dyn Error>> {
    let builder = PrometheusMetricsBuilder::new("api");
    Ok(match variant {
        "default" => builder,
        "no-namespace" => PrometheusMetricsBuilder::new(""),
        "namespace" => PrometheusMetricsBuilder::new("shop"),
        "buckets" => builder.buckets(&[0.1, 0.25, 0.5, 1.0, 2.5]),
        "const-labels" => builder.const_labels(HashMap::from([("region".to_owned(), "north".to_owned())])),
        "masked-unmatched" => builder.mask_unmatched_patterns("UNKNOWN"),
        "renamed" => builder.metrics_configuration(
            ActixMetricsConfiguration::default()
                .http_requests_total_name("requests_total")
                .http_requests_duration_seconds_name("request_duration_seconds")
                .labels(
                    LabelsConfiguration::default()
                        .endpoint("route")
                        .method("verb")
                        .status("code")
                        .version("protocol"),
                ),
        ),
        other => return Err(format!("VARIANT: {other} is not a variant").into()),
    })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let metrics = options(&env::var("VARIANT")?)?.endpoint("/metrics").build();
    let metrics = metrics.map_err(|error| error.to_string())?;
    let server = HttpServer::new(move || {
        App::new()
            .wrap(metrics.clone())
            .route("/items/{id}", get().to(item))
            .route("/items", post().to(HttpResponse::Created))
            .route("/missing", get().to(HttpResponse::NotFound))
            .route("/fail", get().to(HttpResponse::InternalServerError))
            .route("/crash", get().to(crash))
            .route("/slow", get().to(slow))
    });
    let address = format!("{}:{}", env::var("HOST")?, env::var("PORT")?);
    server.workers(1).bind(address)?.run().await?;
    Ok(())
}
