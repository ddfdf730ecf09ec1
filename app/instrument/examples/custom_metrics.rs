//! Metrics of one's own, made by functions on a request and its answer: the two that the documents of FastAPI's
//! instrumentator show. How many requests were answered within a tenth of a second (`info.modified_duration < 0.1`), and
//! how many without an error (`info.response.status_code < 400`).
//!
//! ```text
//! cargo run -p http-instrument --example custom_metrics
//! ```

use std::{io::Write as _, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use http_instrument::{Format, HttpMetrics};
use metric_contract::DialectId;
use prometheus::IntCounter;
use tower::ServiceExt as _;

/// The lines of the page that the functions made, after four requests.
pub(crate) async fn lines() -> Result<String, Box<dyn std::error::Error>> {
    let fast = IntCounter::new("fast_requests_total", "Requests answered within a tenth of a second.")?;
    let good = IntCounter::new("good_requests_total", "Requests answered without an error.")?;
    let metrics = HttpMetrics::builder(DialectId::Native)
        .function({
            let fast = fast.clone();
            move |exchange| {
                if exchange.duration < Duration::from_millis(100) {
                    fast.inc();
                }
            }
        })
        .function({
            let good = good.clone();
            move |exchange| {
                if exchange.status < 400 {
                    good.inc();
                }
            }
        })
        .build();
    metrics.registry().register(Box::new(fast))?;
    metrics.registry().register(Box::new(good))?;

    let slow = || tokio::time::sleep(Duration::from_millis(101));
    let app = Router::new()
        .route("/fast", get(|| async { "done" }))
        .route("/slow", get(slow))
        .route("/bad", get(|| async { StatusCode::BAD_REQUEST }));
    let app = metrics.instrument(app).with_state(());
    for path in ["/fast", "/fast", "/slow", "/bad"] {
        let request = Request::get(path).body(Body::empty())?;
        app.clone().oneshot(request).await?;
    }
    let page = metrics.render(Format::Text);
    let made = page
        .lines()
        .filter(|line| line.starts_with("fast_") || line.starts_with("good_"));
    Ok(made.collect::<Vec<_>>().join("\n"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    writeln!(std::io::stdout(), "{}", lines().await?)?;
    Ok(())
}
